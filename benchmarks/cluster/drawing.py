"""How far studies scale, as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from benchmarks.results import Point
from fairtrial.report.drawing import Figure
from fairtrial.report.figures import BLUE, GREY, VERMILION, finish

GREEN = "#009E73"
COLOURS = (VERMILION, BLUE, GREEN, "#CC79A7")
SIDE = 220

CAPTION = (
    "Speed-up over one worker by the number of workers, both logarithmic, simulated: the course, and studies of many times its size; "
    "colours say how many further seeds of an open question are trained before it is known that they are needed. Full "
    "lines have the driver's measured costs, dashed ones a driver that costs nothing; the thin line is in proportion."
)


def figure(swept: Sequence[Point]) -> Figure:
    return Figure(name="scale", caption=CAPTION, draw=lambda: chart(swept))


def chart(swept: Sequence[Point]) -> Any:
    depths = sorted({int(point["ahead"]) for point in swept})
    sizes = sorted({int(point["copies"]) for point in swept})
    names = {depth: f"{depth} ahead" if depth else "none ahead" for depth in depths}
    most = max(point["workers"] for point in swept)
    panels = [_panel([one for one in swept if one["copies"] == size], size, names, most) for size in sizes]
    return finish(alt.hconcat(*panels))


def _panel(swept: Sequence[Point], size: int, names: dict[int, str], most: float) -> Any:
    rows = [
        {
            "workers": point["workers"],
            "speedup": point["speedup"],
            "ahead": names[int(point["ahead"])],
            "driver": "as measured" if point["driver"] else "free",
        }
        for point in swept
    ]
    top = max(row["speedup"] for row in rows)
    x = alt.X("workers:Q", title="workers").scale(type="log", domain=[1, most])
    y = alt.Y("speedup:Q", title="times as fast").scale(
        type="log", domain=[1, 10 ** math.ceil(math.log10(top))]
    )
    equal = [{"workers": 1, "speedup": 1}, {"workers": min(top, most), "speedup": min(top, most)}]
    title = "the course" if size == 1 else f"{size} of its size"
    line = alt.Chart(alt.InlineData(values=equal)).mark_line(color=GREY, strokeWidth=1).encode(x=x, y=y)
    curves = (
        alt.Chart(alt.InlineData(values=rows), title=title, width=SIDE, height=SIDE)
        .mark_line(point=alt.OverlayMarkDef(size=14))
        .encode(
            x=x,
            y=y,
            color=alt.Color("ahead:N", title=None).scale(
                domain=list(names.values()), range=list(COLOURS[: len(names)])
            ),
            strokeDash=alt.StrokeDash("driver:N", title="driver").scale(
                domain=["as measured", "free"], range=[[1, 0], [4, 3]]
            ),
        )
    )
    return alt.layer(line, curves)
