"""The kinds of charts as Vega-Lite specifications, written with Altair.

They hold no data of a study, which arrives as named data, and of its text only names of settings, as
titles: nothing in a study can become an expression. Colours come from the page's theme when a chart is drawn.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from fairtrial.report.charts import Spec

if TYPE_CHECKING:
    import altair as alt

SIDES = ["variant", "baseline"]
SETS = ["validation", "train"]
UNITS = {"accuracy": "Accuracy (%)", "loss": "Loss (cross-entropy, nats)"}


@cache
def curves(measure: Literal["accuracy", "loss"]) -> Spec:
    """Learning curves of `curves`: each seed thin, band from lowest to highest, mean thick."""
    import altair as alt

    fields: list[str | alt.FieldName] = ["va", "ta"] if measure == "accuracy" else ["vl", "tl"]
    base = (
        alt.Chart(alt.NamedData("curves"))
        .transform_fold(fields, as_=["of", "value"])
        .transform_calculate(set=f"datum.of == '{fields[0]}' ? 'validation' : 'train'")
        .transform_filter("isValid(datum.value)")
        .transform_filter(
            "indexof(hidden, 'arm:' + datum.arm) < 0 && indexof(hidden, 'set:' + datum.set) < 0"
        )
        .encode(
            x=alt.X("epoch:Q", title="Epoch", axis=_whole()).scale(nice=False, padding=8),
            color=_side(),
        )
    )
    dash = alt.StrokeDash("set:N", legend=None).scale(domain=SETS, range=[[1, 0], [5, 3]])
    band = base.mark_area(opacity=0.13, stroke=None).encode(
        y=alt.Y("min(value):Q", title=UNITS[measure]).scale(zero=False), y2="max(value):Q", detail="set:N"
    )
    seeds = (
        base.transform_filter("isValid(datum.seed)")
        .mark_line(strokeWidth=0.8, opacity=0.4)
        .encode(y="value:Q", detail="seed:N", strokeDash=dash)
    )
    # Of curves that come as lowest, mean and highest alone, the edges are in no mean.
    middle = base.transform_filter("!datum.edge")
    mean = middle.mark_line(strokeWidth=2.2).encode(y="mean(value):Q", strokeDash=dash)
    points = middle.mark_point(filled=True, size=26).encode(y="mean(value):Q", shape=_shape(), detail="set:N")
    # Unseen, and wide enough to be met by a pointer.
    hover = (
        middle.mark_circle(opacity=0, size=120)
        .encode(
            y="value:Q",
            tooltip=[
                alt.Tooltip("arm:N", title="Arm"),
                alt.Tooltip("set:N", title="Images"),
                alt.Tooltip("seed:Q", title="Seed"),
                alt.Tooltip("epoch:Q", title="Epoch"),
                alt.Tooltip("value:Q", title=UNITS[measure]),
            ],
        )
        .add_params(zoom())
    )
    return page_spec(alt.layer(band, seeds, mean, points, hover))


@cache
def contrasts(unit: str, *, margin: bool, interval: bool) -> Spec:
    """One contrast per seed of `seeds` against zero; mean and what is known of margin and interval from `bounds`."""
    import altair as alt

    seeds, bounds = (alt.Chart(alt.NamedData(name)) for name in ("seeds", "bounds"))
    title = f"Variant − baseline ({unit})" if unit else "Variant − baseline"
    smallest = bounds.mark_rect(opacity=0.16, color="gray").encode(
        y=alt.Y("minus:Q", title=title), y2="plus:Q"
    )
    likely = bounds.mark_rect(opacity=0.14).encode(
        y="low:Q", y2="high:Q", color=alt.value({"expr": "accent"})
    )
    mean = bounds.mark_rule(strokeWidth=2).encode(
        y=alt.Y("estimate:Q", title=title), color=alt.value({"expr": "accent"})
    )
    zero = alt.Chart(alt.NamedData("bounds")).mark_rule().encode(y=alt.datum(0))
    x = alt.X("seed:Q", title="Seed", axis=_whole()).scale(nice=False, padding=14, zero=False)
    stems = (
        seeds.transform_calculate(zero="0")
        .mark_rule(strokeWidth=1, opacity=0.6)
        .encode(x=x, y="zero:Q", y2="contrast:Q")
    )
    points = (
        seeds.mark_circle(size=70, opacity=1)
        .encode(
            x=x,
            y="contrast:Q",
            color=alt.value({"expr": "accent"}),
            tooltip=[
                alt.Tooltip("seed:Q", title="Seed"),
                alt.Tooltip("variant:Q", title="Variant"),
                alt.Tooltip("baseline:Q", title="Baseline"),
                alt.Tooltip("contrast:Q", title="Variant − baseline"),
            ],
        )
        .add_params(zoom())
    )
    known = [layer for layer, there in ((smallest, margin), (likely, interval)) if there]
    return page_spec(alt.layer(*known, zero, mean, stems, points))


@cache
def seconds() -> Spec:
    """Seconds of each trial of `seconds`, one line for each arm."""
    import altair as alt

    chart = (
        alt.Chart(alt.NamedData("seconds"))
        .transform_filter("indexof(hidden, 'arm:' + datum.arm) < 0")
        .mark_point(filled=True, size=60, opacity=0.75)
        .encode(
            x=alt.X("seconds:Q", title="Training time per trial (s)").scale(zero=False, padding=12),
            y=alt.Y("arm:N", title=None, sort=None, axis=alt.Axis(labelLimit=110, grid=True)),
            color=_side(),
            shape=_shape(),
            tooltip=[
                alt.Tooltip("arm:N", title="Arm"),
                alt.Tooltip("seed:Q", title="Seed"),
                alt.Tooltip("seconds:Q", title="Seconds"),
            ],
        )
        .add_params(zoom(["x"]))
    )
    return page_spec(chart)


@cache
def models(across: Literal["seconds", "parameters"], accuracy: str, errors: tuple[float, ...]) -> Spec:
    """Accuracy of each arm of `models` against what it costs; the frontier joined and named.

    The axis is logarithmic in the error and labelled in accuracy, at `errors`: from 98 to 99 % is as far as from 96 to 98.
    """
    import altair as alt

    titles = {"seconds": "Training time per trial (s, logarithmic)", "parameters": "Parameters (logarithmic)"}
    base = alt.Chart(alt.NamedData("models")).encode(
        x=alt.X(
            f"{across}:Q",
            title=titles[across],
            axis=alt.Axis(grid=False, labelOverlap=True, labelBound=True, format="~s", tickCount=5),
        ).scale(type="log", padding=42, nice=False),
    )

    def error(field: str) -> alt.Y:
        return alt.Y(
            field,
            title=f"{accuracy} accuracy (%, error logarithmic)",
            axis=alt.Axis(labelExpr="format(100 - datum.value, '~r')", values=list(errors)),
        ).scale(type="log", reverse=True, padding=14, nice=False)

    y = error("error:Q")
    spread = base.mark_rule(opacity=0.5).encode(y=error("low:Q"), y2="high:Q")
    frontier = (
        base.transform_filter("datum.best")
        .mark_line(interpolate="step-after", strokeDash=[4, 3], opacity=0.8)
        .encode(y=y, color=alt.value({"expr": "accent"}))
    )
    points = (
        base.mark_point(filled=True, size=80, opacity=0.9)
        .encode(
            y=y,
            shape=alt.Shape("best:N", legend=None).scale(domain=[True, False], range=["circle", "square"]),
            color=alt.condition("datum.best", alt.value({"expr": "accent"}), alt.value({"expr": "muted"})),
            tooltip=[
                alt.Tooltip("arm:N", title="Arm"),
                alt.Tooltip("title:N", title="Title"),
                alt.Tooltip("mean:Q", title="Accuracy (%)"),
                alt.Tooltip("trials:Q", title="Trials"),
                alt.Tooltip("seconds:Q", title="Seconds per trial"),
                alt.Tooltip("parameters:Q", title="Parameters", format=","),
            ],
        )
        .add_params(zoom())
    )
    text = base.encode(y=y)
    named = alt.condition("datum.best", alt.value({"expr": "accent"}), alt.value({"expr": "soft"}))
    names = (
        text.mark_text(align="left", dx=7, dy=-8, limit=130).encode(text="label:N", color=named),
        text.mark_text(align="right", dx=-7, dy=-8, limit=130).encode(text="label_left:N", color=named),
    )
    return page_spec(alt.layer(frontier, spread, points, *names))


@cache
def levels(path: str, values: tuple[float, ...], up: str, *, fitted: bool, margin: bool) -> Spec:
    """Values of `levels` over an ordered setting: each seed thin, means thick, the margin around the last."""
    import altair as alt

    x = alt.X(
        "level:Q",
        title=f"{path} (logarithmic)",
        axis=alt.Axis(values=list(values), grid=False, format="~g", labelOverlap=True),
    ).scale(type="log", base=2, padding=16, nice=False)
    base = alt.Chart(alt.NamedData("levels")).encode(x=x)
    y = alt.Y("value:Q", title=up).scale(zero=False)
    seeds = base.mark_line(strokeWidth=0.8, opacity=0.4).encode(y=y, detail="seed:N")
    mean = base.mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=50)).encode(
        y="mean(value):Q", color=alt.value({"expr": "accent"})
    )
    band = (
        alt.Chart(alt.NamedData("bounds"))
        .mark_rect(opacity=0.16, color="gray")
        .encode(y=alt.Y("minus:Q", title=up), y2="plus:Q")
    )
    fit = (
        alt.Chart(alt.NamedData("fit"))
        .mark_line(strokeDash=[4, 3], opacity=0.7)
        .encode(x=x, y=alt.Y("value:Q", title=up).scale(zero=False))
    )
    hover = (
        base.mark_circle(opacity=0, size=120)
        .encode(
            y=y,
            tooltip=[
                alt.Tooltip("arm:N", title="Arm"),
                alt.Tooltip("seed:Q", title="Seed"),
                alt.Tooltip("value:Q", title=up),
            ],
        )
        .add_params(zoom())
    )
    return page_spec(alt.layer(*([band] if margin else []), seeds, *([fit] if fitted else []), mean, hover))


def _whole() -> alt.Axis:
    """Epochs and seeds are whole numbers: with two of them Vega would write the half between as one of them."""
    import altair as alt

    return alt.Axis(tickMinStep=1, labelExpr="datum.value % 1 ? '' : datum.label", grid=False)


def _side() -> alt.Color:
    import altair as alt

    return alt.Color("side:N", legend=None).scale(domain=SIDES)


def _shape() -> alt.Shape:
    import altair as alt

    return alt.Shape("side:N", legend=None).scale(domain=SIDES, range=["circle", "square"])


def zoom(encodings: list[Literal["x", "y"]] | None = None) -> alt.Parameter:
    """Shift and the wheel zoom, a mouse drags: without the key the wheel scrolls the page."""
    import altair as alt

    return alt.selection_interval(
        name="zoom",
        bind="scales",
        encodings=encodings or ["x", "y"],
        zoom="wheel![event.shiftKey]",
        translate="[pointerdown[event.pointerType == 'mouse'], window:pointerup] > window:pointermove!",
        clear="dblclick",
    )


def page_spec(chart: Any) -> Spec:
    """The chart as wide and as high as its place in the page, with the parameters the page sets.

    Whether Vega-Lite's schema allows it is asked by the tests, not anew for every page.
    """
    spec = chart.properties(width="container", height="container").to_dict(validate=False)
    for own in ("$schema", "config", "datasets"):
        spec.pop(own, None)
    params = [
        {"name": "hidden", "value": []},
        {"name": "accent", "value": ""},
        {"name": "muted", "value": ""},
        {"name": "soft", "value": ""},
        {"name": "second", "value": ""},
    ]
    return {**spec, "params": [*params, *spec.get("params", [])]}
