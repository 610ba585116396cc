"""The charts of a search in Altair, for the page and for figures on paper of their own: the same layers for both.

Of a study's text they hold names of settings and options, as titles and domains; the rest arrives as data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from fairtrial.report import specs
from fairtrial.report.search_axes import Axis, Upward

if TYPE_CHECKING:
    import altair as alt

Across = Literal["seconds", "parameters"]
COSTS: dict[Across, str] = {
    "seconds": "Training time of a trial (s, logarithmic)",
    "parameters": "Parameters (logarithmic)",
}
CROSS = "M-.55,-.55L.55,.55M.55,-.55L-.55,.55"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What charts are drawn on. `source` gives the data of a name; on the page, which is `live`, its script brings it."""

    source: Callable[[str], Any]
    accent: Any
    second: Any
    muted: Any
    soft: Any
    live: bool

    def shown(self, chart: alt.Chart, *keys: str) -> alt.Chart:
        """The rows that are not switched off above the chart, by `field:value`."""
        if self.live:
            for key in keys:
                chart = chart.transform_filter(f"indexof(hidden, {key}) < 0")
        return chart

    def zoomed(self, chart: Any, *encodings: Literal["x", "y"]) -> Any:
        return chart.add_params(specs.zoom(list(encodings))) if self.live else chart


def on_page() -> Paper:
    import altair as alt

    colours = {name: {"expr": name} for name in ("accent", "second", "muted", "soft")}
    return Paper(source=alt.NamedData, live=True, **colours)


def slices(paper: Paper, axis: Axis, heights: Upward) -> Any:
    """Results against one parameter: dots by seed, those of one proposal joined; what has no result apart."""
    import altair as alt

    field = f"p{axis.field}"
    x: dict[str, Any] = {"x": _across(axis, field)}
    if axis.options:
        x["xOffset"] = alt.XOffset("jitter:Q").scale(domain=[-1.3, 1.3])
    base = paper.shown(
        alt.Chart(paper.source("points")).transform_filter(f"isValid(datum.{field})").encode(**x),
        "'state:' + datum.state",
    )
    y = _upward("y:Q", heights)
    done = base.transform_filter("datum.state == 'finished'")
    candidate = done.transform_filter("datum.tier == 'candidate'")
    tooltip = _tooltip()
    joined = done.mark_rule(opacity=0.75).encode(
        y=_upward("min(y):Q", heights), y2="max(y):Q", detail="number:N", color=alt.value(paper.soft)
    )
    dots = paper.zoomed(
        done.mark_point(filled=True, size=42, opacity=0.8, shape="circle").encode(
            y=y, color=_marked("datum.tier == 'candidate'", paper.accent, paper.soft), tooltip=tooltip
        ),
        *(("y",) if axis.options else ("x", "y")),
    )
    ring = candidate.mark_point(filled=False, size=300, strokeWidth=2, opacity=1, shape="circle").encode(
        y=_upward("mean(y):Q", heights), color=alt.value(paper.accent)
    )
    stopped = (
        base.transform_filter("datum.state == 'stopped' && isValid(datum.y)")
        .mark_point(filled=False, size=64, strokeWidth=1.4, opacity=1, shape=CROSS)
        .encode(y=y, color=alt.value(paper.muted), tooltip=tooltip)
    )
    nothing = (
        base.transform_filter("!isValid(datum.y)")
        .mark_point(filled=False, size=46, strokeWidth=1.3, opacity=1, shape="triangle-down", yOffset=-7)
        .encode(y=alt.value("height"), color=alt.value(paper.muted), tooltip=tooltip)
    )
    return alt.layer(*_baseline(paper, heights), joined, stopped, nothing, dots, ring)


def _baseline(paper: Paper, heights: Upward) -> tuple[Any, ...]:
    """Its mean as a dashed line, its seeds as squares at the left edge."""
    import altair as alt

    base = paper.shown(alt.Chart(paper.source("baseline")), "'state:baseline'")
    mean = base.mark_rule(strokeDash=[6, 4], strokeWidth=1.6).encode(
        y=_upward("mean(y):Q", heights), color=alt.value(paper.second)
    )
    seeds = base.mark_point(filled=True, size=34, opacity=0.9, shape="square").encode(
        x=alt.value(6), y=_upward("y:Q", heights), color=alt.value(paper.second), tooltip=_tooltip("baseline")
    )
    return mean, seeds


def parallel(paper: Paper, fields: Sequence[str], *, slanted: bool, many: bool) -> Any:
    """Each proposal with a result a line from parameter to parameter to the result; where it lacks one, a gap."""
    import altair as alt

    # A slanted name ends at its axis: the first one needs room to its left.
    x = alt.X("axis:N", axis=None).scale(domain=list(fields), padding=0.9 if slanted else 0.45)
    room = alt.Scale(domain=[-0.34 if slanted else -0.2, 1.06], nice=False, zero=False)

    def up(field: str) -> alt.Y:
        return alt.Y(field, axis=None, scale=room)

    base = (
        paper.shown(alt.Chart(paper.source("points")), "'tier:' + datum.tier")
        .transform_filter("datum.first && datum.tier != ''")
        .transform_fold(list(fields), as_=["axis", "share"])
        .encode(x=x)
    )

    def lines(tier: str, colour: Any, *, width: float, opacity: float) -> alt.Chart:
        return (
            base.transform_filter(f"datum.tier == '{tier}'")
            .mark_line(strokeWidth=width, opacity=opacity)
            .encode(y=up("share:Q"), detail="number:N", color=alt.value(colour))
        )

    crossings = paper.zoomed(
        base.transform_filter("isValid(datum.share)")
        .mark_circle(size=22, opacity=0.6)
        .encode(
            y=up("share:Q"),
            color=_marked("datum.tier == 'candidate'", paper.accent, paper.soft),
            tooltip=_tooltip(),
        ),
        "y",
    )
    frame = alt.Chart(paper.source("axes")).encode(x=x)
    rules = frame.mark_rule(opacity=0.7).encode(y=up("low:Q"), y2="high:Q", color=alt.value(paper.muted))
    turned: dict[str, Any] = {"baseline": "top"}
    if slanted:
        turned = {"angle": 340, "align": "right", "baseline": "middle"}
    names = frame.mark_text(dy=10, limit=150, fontSize=11, **turned).encode(
        y=up("low:Q"), text="name:N", color=alt.value(paper.soft)
    )
    ticks = (
        alt.Chart(paper.source("ticks"))
        .mark_text(align="left", dx=5, fontSize=10, limit=90)
        .encode(x=x, y=up("share:Q"), text="text:N", color=alt.value(paper.soft))
    )
    tiers = (
        lines("rest", paper.muted, width=1, opacity=0.2 if many else 0.45),
        lines("best", paper.soft, width=1.8, opacity=0.95),
        lines("candidate", paper.accent, width=3, opacity=1),
    )
    return alt.layer(rules, *tiers, crossings, names, ticks)


def front(paper: Paper, across: Across, results: Upward) -> Any:
    """First results against what they cost; the ones that no other beats at once in both are joined."""
    import altair as alt

    written = "~g" if across == "seconds" else "~s"
    x = alt.X(
        f"{across}:Q",
        title=COSTS[across],
        axis=alt.Axis(grid=False, labelOverlap=True, labelBound=True, format=written, tickCount=5),
    ).scale(type="log", padding=24, nice=False)
    y = _upward("y:Q", results)
    beside, one = f"datum.by_{across}", f"isValid(datum.{across})"
    done = (
        alt.Chart(paper.source("points"))
        .transform_filter(f"datum.first && datum.state == 'finished' && {one}")
        .encode(x=x, y=y)
    )
    line = (
        done.transform_filter(beside)
        .mark_line(interpolate="step-after", strokeDash=[4, 3], opacity=0.85)
        .encode(color=alt.value(paper.accent))
    )
    points = paper.zoomed(
        done.mark_point(filled=True, size=40, opacity=0.7).encode(
            shape=alt.Shape(f"by_{across}:N", legend=None).scale(
                domain=[True, False], range=["circle", "square"]
            ),
            color=_marked(beside, paper.accent, paper.muted),
            tooltip=_tooltip(),
        ),
        "x",
        "y",
    )
    names = (
        done.transform_filter(f"datum.name_{across} != ''")
        .mark_text(align="left", dx=6, dy=9, fontSize=10)
        .encode(text=f"name_{across}:N", color=alt.value(paper.accent))
    )
    ring = (
        done.transform_filter("datum.tier == 'candidate'")
        .mark_point(filled=False, size=260, strokeWidth=2, opacity=1, shape="circle")
        .encode(color=alt.value(paper.accent))
    )
    baseline = (
        alt.Chart(paper.source("baseline"))
        .transform_filter(f"datum.first && {one}")
        .mark_point(filled=True, size=90, opacity=1, shape="diamond")
        .encode(x=x, y=y, color=alt.value(paper.second), tooltip=_tooltip("baseline"))
    )
    return alt.layer(line, points, baseline, ring, names)


def _across(axis: Axis, field: str) -> alt.X:
    import altair as alt

    if axis.options:
        angle = -25 if sum(map(len, axis.options)) > 34 else 0
        return alt.X(
            f"{field}:N",
            title=axis.title,
            axis=alt.Axis(grid=False, labelLimit=90, labelAngle=angle, titleLimit=380),
        ).scale(domain=list(axis.options), paddingInner=0.1, paddingOuter=0.15)
    title = f"{axis.title} (logarithmic)" if axis.log else axis.title
    return alt.X(
        f"{field}:Q",
        title=title,
        axis=alt.Axis(
            values=list(axis.ticks),
            grid=False,
            format="~g",
            labelOverlap=True,
            labelBound=True,
            titleLimit=380,
        ),
    ).scale(type="log" if axis.log else "linear", domain=list(axis.ends), padding=16, nice=False)


def _upward(field: str, scale: Upward) -> alt.Y:
    """The better the higher: errors and losses upside down."""
    import altair as alt

    axis = alt.Axis(values=list(scale.ticks), labelExpr=scale.label)
    return alt.Y(field, title=scale.title, axis=axis).scale(
        type="log", reverse=True, domain=[scale.low, scale.high], padding=14, nice=False
    )


def _marked(test: str, yes: Any, no: Any) -> Any:
    import altair as alt

    return alt.condition(test, alt.value(yes), alt.value(no))


def _tooltip(who: str = "") -> list[Any]:
    import altair as alt

    named = [] if who else [alt.Tooltip("number:N", title="Proposal"), alt.Tooltip("values:N", title="Tries")]
    return [
        *named,
        alt.Tooltip("result:N", title=f"Validation{', baseline' if who else ''}"),
        alt.Tooltip("seed:N", title="Seed"),
        alt.Tooltip("seconds:Q", title="Seconds"),
        alt.Tooltip("parameters:Q", title="Parameters", format=","),
    ]
