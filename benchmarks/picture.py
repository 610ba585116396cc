"""The ratios of all rows as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from benchmarks.comparing import AT_LEAST, Compared
from benchmarks.contenders import KERAS, PEERS, TITLES
from fairtrial.report.drawing import Figure
from fairtrial.report.figures import BLUE, GREY, VERMILION, finish

GREEN = "#009E73"
WIDTH = 520

CAPTION = (
    "Seconds of each peer's whole fit over our seconds per trial with all cores busy, by row, logarithmic. "
    "Right of the line at 1 we are faster; the bar is what is asked of the ratio to tf.keras."
)


def figure(found: Sequence[Compared]) -> Figure:
    return Figure(name="performance", caption=CAPTION, draw=lambda: chart(found))


def chart(found: Sequence[Compared]) -> Any:
    points = [
        {"row": one.name, "peer": TITLES[peer], "ratio": ratio}
        for one in found
        for peer in PEERS
        if (ratio := one.ratio(peer)) is not None
    ]
    asked = [{"row": one.name, "asked": AT_LEAST[one.name]} for one in found if one.ratio(KERAS) is not None]
    y = alt.Y("row:N", sort=[one.name for one in found], title=None)
    title = "times as long as one of our trials, logarithmic"
    size = {"width": WIDTH, "height": alt.Step(24)}
    ratios = (
        alt.Chart(alt.InlineData(values=points), **size)
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X("ratio:Q", title=title).scale(type="log", nice=False, padding=24),
            y=y,
            color=alt.Color("peer:N", title=None).scale(
                domain=[TITLES[peer] for peer in PEERS], range=[VERMILION, BLUE, GREEN]
            ),
            shape=alt.Shape("peer:N", title=None).scale(
                domain=[TITLES[peer] for peer in PEERS], range=["circle", "square", "triangle-up"]
            ),
        )
    )
    wanted = (
        alt.Chart(alt.InlineData(values=asked), **size)
        .mark_tick(color="black", thickness=2, size=16)
        .encode(x=alt.X("asked:Q", title=title), y=y)
    )
    equal = (
        alt.Chart(alt.InlineData(values=[{"equal": 1}]))
        .mark_rule(color=GREY, strokeDash=[4, 3])
        .encode(x=alt.X("equal:Q", title=title))
    )
    return finish(alt.layer(equal, wanted, ratios))
