"""The charts: plain functions from rows (`figure_rows.py`) to Altair charts.

Colours are told apart by the colour-blind (Okabe and Ito 2008) and never alone: dashes, shapes or
places say the same. Every axis has its unit. Data never becomes part of an expression.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from fairtrial.report.figure_rows import Row, drawable

BLUE, VERMILION, GREY, PALE = "#0072B2", "#D55E00", "#595959", "#E5E5E5"
WIDTH, HEIGHT = 260, 200
FONTS = "Arial, Helvetica, Liberation Sans, DejaVu Sans Condensed, sans-serif"
IMAGES = ("train", "validation", "test", "training time")
DASHES = ([4, 3], [1, 0], [1, 0], [1, 0])
SHAPES = ("triangle-up", "circle", "square", "diamond")
NOTHING = "Nothing has finished training yet"


def inline(rows: Sequence[Row]) -> Any:
    """The rows as one text, which Altair hands on whole; lists it would copy for every layer."""
    clean = [
        {name: drawable(one) if isinstance(one, str) else one for name, one in row.items()} for row in rows
    ]
    return alt.InlineData(values=json.dumps(clean), format=alt.DataFormat(type="json"))


def finish(chart: Any, *, labels: Sequence[str] = ()) -> Any:
    """What all charts share: white paper, quiet grid, labels that are cut only when very long.

    The renderer measures text in the first of FONTS; whoever has none of them sees it wider. Hence room
    between words, and on the left a fifth of the longest of `labels`.
    """
    room = 8 + round(0.2 * 6 * min(max(map(len, labels), default=0), 70))
    return (
        chart.configure(
            background="white", padding={"left": room, "top": 8, "right": 14, "bottom": 8}, font=FONTS
        )
        .configure_view(stroke="#BDBDBD")
        .configure_axis(
            gridColor="#EEEEEE", labelLimit=420, labelSeparation=8, titleFontWeight="normal", titlePadding=10
        )
        .configure_legend(labelLimit=260, titleFontWeight="normal", orient="bottom", columns=4)
        .configure_title(fontWeight="normal", fontSize=13, anchor="start", limit=560)
    )


def nothing(text: str) -> Any:
    """A figure that has nothing to show yet, and says so."""
    return (
        alt.Chart(inline([{"text": text}]), width=WIDTH * 2, height=40)
        .mark_text(color=GREY, fontSize=13)
        .encode(text="text:N")
    )


def intervals(rows: Sequence[Row], *, unit: str, title: str = "", reach: float | None = None) -> Any:
    """Each answer's interval against zero and, in grey, what is smaller than the margin.

    With `reach` the axis ends there on either side, and so do bars that would go on; it is even inside the
    margin and opens out beyond it, so that one large change does not hide all small ones.
    """
    base = alt.Chart(inline(rows), width=WIDTH, height=alt.Step(24), title=title)
    y = alt.Y("label:N", sort=None, title=None)
    scale, ticks = alt.Scale(zero=True), alt.Axis()
    if reach is not None:
        smallest = min((row["upper"] for row in rows if row["upper"]), default=reach / 100)
        scale = alt.Scale(type="symlog", constant=smallest, domain=[-reach, reach], nice=False)
        ticks = alt.Axis(values=opening(smallest, reach), format=",~r")
    axis = alt.X("estimate:Q", title=f"variant minus baseline, {unit}", scale=scale, axis=ticks)
    margin = base.mark_bar(color=PALE, height=22, clip=True).encode(x="lower:Q", x2="upper:Q", y=y)
    zero = (
        alt.Chart(inline([{"zero": 0}]))
        .mark_rule(color=GREY, strokeDash=[3, 3])
        .encode(x=alt.X("zero:Q", title=f"variant minus baseline, {unit}"))
    )
    bars = base.mark_rule(strokeWidth=3, color=BLUE, clip=True).encode(x="low:Q", x2="high:Q", y=y)
    estimate = base.mark_point(filled=True, size=60, color="black", opacity=1).encode(
        x=axis,
        y=y,
        tooltip=[
            alt.Tooltip("label:N", title="answer"),
            alt.Tooltip("estimate:Q", title=f"estimate, {unit}", format=".3f"),
            alt.Tooltip("low:Q", title="from", format=".3f"),
            alt.Tooltip("high:Q", title="to", format=".3f"),
        ],
    )
    return alt.layer(margin, zero, bars, estimate)


def opening(smallest: float, reach: float) -> list[float]:
    """Zero and powers of ten on either side of it, from the first beyond `smallest` to `reach`.

    >>> opening(0.1, 20)
    [-10.0, -1.0, 0.0, 1.0, 10.0]
    """
    first = math.floor(math.log10(smallest)) + 1
    powers = [10.0**power for power in range(first, math.floor(math.log10(max(reach, smallest))) + 1)]
    return [*(-one for one in reversed(powers)), 0.0, *powers]


def contrasts(rows: Sequence[Row], *, interval: Row, unit: str, title: str, sample: str = "seed") -> Any:
    """One point per seed; the line is their mean, the band its interval, grey what is within the margin."""
    size: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "title": title}
    # In two lines, since one is longer than the axis.
    y = ["variant minus baseline,", unit]
    around = alt.Chart(inline([interval]), **size)
    margin = around.mark_rect(color=PALE).encode(y=alt.Y("lower:Q", title=y), y2="upper:Q")
    reach = around.mark_rect(color=BLUE, opacity=0.18).encode(y="low:Q", y2="high:Q")
    mean = around.mark_rule(color=BLUE, strokeWidth=2).encode(y="estimate:Q")
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(color=GREY, strokeDash=[3, 3]).encode(y="zero:Q")
    points = (
        alt.Chart(inline(rows), **size)
        .mark_point(filled=True, size=55, color="black", opacity=1)
        .encode(
            x=alt.X("seed:O", title=sample, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("contrast:Q", title=y),
            tooltip=[
                alt.Tooltip("seed:O", title=sample),
                alt.Tooltip("contrast:Q", title=" ".join(y), format=".3f"),
            ],
        )
    )
    return alt.layer(margin, reach, zero, mean, points)


def learning(
    rows: Sequence[Row], means: Sequence[Row], *, metric: str, unit: str, arms: Sequence[str], legend: bool
) -> Any:
    """Thick: the mean over seeds, after each epoch; the band reaches from the least to the largest seed; thin: each seed."""
    colour = alt.Color(
        "arm:N",
        title="arm",
        scale=alt.Scale(domain=list(arms), range=[VERMILION, BLUE]),
        legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1) if legend else None,
    )
    dash = alt.StrokeDash(
        "images:N",
        title="images",
        scale=alt.Scale(domain=list(IMAGES[:2]), range=list(DASHES[:2])),
        legend=alt.Legend(symbolType="stroke", symbolStrokeColor="black", symbolStrokeWidth=2)
        if legend
        else None,
    )
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(zero=False))
    scale = alt.Scale(zero=False)
    size: dict[str, Any] = {"width": WIDTH, "height": HEIGHT}
    seeds = (
        alt.Chart(inline(rows), **size)
        .mark_line(opacity=0.4, strokeWidth=0.8)
        .encode(
            x=x,
            y=alt.Y(f"{metric}:Q", title=unit, scale=scale),
            color=colour,
            strokeDash=dash,
            detail="line:N",
        )
    )
    band = (
        alt.Chart(inline(means), **size)
        .mark_area(opacity=0.12)
        .encode(
            x=x, y=alt.Y("least:Q", title=unit, scale=scale), y2="largest:Q", color=colour, detail="line:N"
        )
    )
    mean = (
        alt.Chart(inline(means), **size)
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=22, filled=True))
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=unit, scale=scale),
            color=colour,
            strokeDash=dash,
            detail="line:N",
            tooltip=[
                "arm:N",
                "images:N",
                "epoch:Q",
                alt.Tooltip("mean:Q", title=unit, format=".4g"),
                "seeds:Q",
            ],
        )
    )
    return alt.layer(band, seeds, mean)


def all_learning(means: Sequence[Row], *, unit: str) -> Any:
    """One small chart for each arm: mean over seeds and the band from least to largest."""
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(zero=False))
    scale = alt.Scale(zero=False)
    dash = alt.StrokeDash(
        "images:N", title="images", scale=alt.Scale(domain=list(IMAGES[:2]), range=list(DASHES[:2]))
    )
    colour = alt.Color(
        "images:N", title="images", scale=alt.Scale(domain=list(IMAGES[:2]), range=[VERMILION, BLUE])
    )
    base = alt.Chart(width=170, height=110)
    band = base.mark_area(fillOpacity=0.2).encode(
        x=x, y=alt.Y("least:Q", title=unit, scale=scale), y2="largest:Q", color=colour
    )
    mean = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=16, filled=True)).encode(
        x=x, y=alt.Y("mean:Q", title=unit, scale=scale), color=colour, strokeDash=dash
    )
    facet = alt.Facet("arm:N", title=None, sort=None, header=alt.Header(labelLimit=170))
    return (
        alt.layer(band, mean, data=inline(means))
        .facet(facet, columns=3)
        .resolve_scale(y="independent", x="independent")
    )


def dose_response(rows: Sequence[Row], *, factor: str, unit: str) -> Any:
    """Each seed a point, the line through the means of the levels, on a logarithmic axis."""
    images = [one for one in IMAGES if any(row["images"] == one for row in rows)]
    colours = {"validation": BLUE, "test": VERMILION, "training time": GREY}
    base = alt.Chart(inline(rows), width=WIDTH * 1.5, height=HEIGHT)
    levels = sorted({row["level"] for row in rows})
    x = alt.X(
        "level:Q",
        title=f"{factor} (logarithmic)",
        scale=alt.Scale(type="log", nice=False, padding=14),
        axis=alt.Axis(values=levels, labelOverlap="greedy", format="~r"),
    )
    colour = alt.Color(
        "images:N", title="images", scale=alt.Scale(domain=images, range=[colours[one] for one in images])
    )
    shape = alt.Shape(
        "images:N",
        title="images",
        scale=alt.Scale(domain=images, range=[SHAPES[IMAGES.index(one)] for one in images]),
    )
    scale = alt.Scale(zero=False)
    line = base.mark_line(strokeWidth=2).encode(
        x=x, y=alt.Y("mean(value):Q", title=unit, scale=scale), color=colour
    )
    points = base.mark_point(size=38, opacity=0.8, filled=True).encode(
        x=x,
        y=alt.Y("value:Q", title=unit, scale=scale),
        color=colour,
        shape=shape,
        tooltip=["level:Q", "seed:O", "images:N", alt.Tooltip("value:Q", title=unit, format=".4g")],
    )
    return alt.layer(line, points)


def frontier(rows: Sequence[Row], *, field: str, title: str) -> Any:
    """Accuracy against what it costs; the bar reaches from the least to the largest seed.

    The axis is logarithmic in the error and labelled in accuracy: from 98 to 99 % is as far as from 96 to 98.
    """
    base = (
        alt.Chart(inline(rows), width=WIDTH * 1.3, height=HEIGHT * 1.3)
        .transform_calculate(error="max(100 - datum.accuracy, 0.01)")
        .transform_calculate(most="max(100 - datum.least, 0.01)", fewest="max(100 - datum.largest, 0.01)")
    )
    x = alt.X(f"{field}:Q", title=title, scale=alt.Scale(type="log", padding=20), axis=alt.Axis(format="~s"))
    scale = alt.Scale(type="log", reverse=True, padding=14, nice=False)
    up = "validation accuracy, percent (error logarithmic)"
    errors = alt.Axis(
        values=[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50], labelExpr="format(100 - datum.value, '~r')"
    )
    y = alt.Y("error:Q", title=up, scale=scale, axis=errors)
    bars = base.mark_rule(color=BLUE).encode(
        x=x, y=alt.Y("most:Q", title=up, scale=scale, axis=errors), y2="fewest:Q"
    )
    points = base.mark_point(filled=True, size=50, color=BLUE, opacity=1).encode(
        x=x,
        y=y,
        tooltip=[
            "arm:N",
            alt.Tooltip(f"{field}:Q", title=title, format=".4~g"),
            alt.Tooltip("accuracy:Q", title="validation accuracy, percent"),
        ],
    )
    names = base.mark_text(align="left", dx=6, dy=-5, fontSize=10, limit=120).encode(x=x, y=y, text="name:N")
    return alt.layer(bars, points, names)
