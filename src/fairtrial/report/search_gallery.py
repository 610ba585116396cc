"""The figures of a search by kind, drawn without a browser: its confirmation, what was tried, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from fairtrial.analysis.searched import Searched
from fairtrial.analysis.searched_text import NO_EVIDENCE
from fairtrial.report import figures as charts
from fairtrial.report import search_layers as layers
from fairtrial.report.drawing import Figure
from fairtrial.report.search_charts import (
    front_caption,
    marks_explained,
    parallel_caption,
    parallel_data,
    parallel_layers,
    slice_caption,
)
from fairtrial.report.search_picture import Picture, columns, picture

NO_CANDIDATE = "No candidate has been chosen yet"


def search_figures(found: Searched, judged: Mapping[str, Figure]) -> dict[str, Figure]:
    """Always the same kinds, however much has been trained; none is called like a question's.

    `judged` are the figures of the confirmation as a question, by kind; empty before there is one.
    """
    shown = picture(found)
    what = f"{found.search.id}, {NO_EVIDENCE}"
    listed = [
        *_confirmation(found, judged),
        Figure(
            name="slices",
            caption=f"{what}. {marks_explained(shown)} {' '.join(_parameters(shown))}".strip(),
            draw=lambda: _slices(shown),
        ),
        Figure(name="parallel", caption=f"{what}. {parallel_caption(shown)}", draw=lambda: _parallel(shown)),
        Figure(
            name="front",
            caption=f"{what}. {front_caption(shown)} Squares are the other proposals.",
            draw=lambda: _front(shown),
        ),
    ]
    return {one.name: one for one in listed}


def _parameters(shown: Picture) -> list[str]:
    return [f"By {axis.title}: {slice_caption(shown, axis)}" for axis in shown.sliced]


def _confirmation(found: Searched, judged: Mapping[str, Figure]) -> list[Figure]:
    kinds = {
        "intervals": "confirmation",
        "contrasts": "confirmation-contrasts",
        "learning": "confirmation-learning",
    }
    if not judged:
        caption = f"{found.search.id}: {found.sentence}"
        return [
            Figure(name=name, caption=caption, draw=lambda: charts.finish(charts.nothing(NO_CANDIDATE)))
            for name in kinds.values()
        ]
    return [
        Figure(name=name, caption=judged[kind].caption, draw=judged[kind].draw)
        for kind, name in kinds.items()
    ]


def _paper(tables: dict[str, dict[str, list[Any]]]) -> layers.Paper:
    """White paper with the data itself."""
    rows = {name: _rows(table) for name, table in tables.items()}
    return layers.Paper(
        source=lambda name: charts.inline(rows[name]),
        accent=charts.BLUE,
        second=charts.VERMILION,
        muted="#8A8A8A",
        soft=charts.GREY,
        live=False,
    )


def _rows(table: dict[str, list[Any]]) -> list[dict[str, Any]]:
    count = len(next(iter(table.values()), []))
    return [{name: values[row] for name, values in table.items()} for row in range(count)]


def _marks(shown: Picture, **more: Any) -> layers.Paper:
    tables = {
        name: columns(shown, some) for name, some in (("points", shown.spots), ("baseline", shown.baseline))
    }
    return _paper(tables | more)


def _sized(some: Sequence[Any], *, width: float = charts.WIDTH * 1.3, across: int = 2) -> Any:
    """Charts side by side; what one of them explains the others need not."""
    sized = [one.properties(width=width, height=charts.HEIGHT * 1.15) for one in some]
    return charts.finish(alt.concat(*sized, columns=across).resolve_scale(shape="independent"))


def _slices(shown: Picture) -> Any:
    if not shown.spots:
        return charts.finish(charts.nothing(charts.NOTHING))
    if not shown.sliced:
        return charts.finish(charts.nothing("Nothing in this space can take more than one value"))
    paper = _marks(shown)
    return _sized([layers.slices(paper, axis, shown.heights) for axis in shown.sliced])


def _parallel(shown: Picture) -> Any:
    if not shown.count("finished"):
        return charts.finish(charts.nothing(charts.NOTHING))
    if len(shown.axes) < 2:
        return charts.finish(charts.nothing("This search has one parameter: see its slice"))
    fields, axes, ticks = parallel_data(shown)
    paper = _marks(shown, axes=axes, ticks=ticks)
    return _sized([parallel_layers(paper, shown, fields)], width=110 * len(fields))


def _front(shown: Picture) -> Any:
    if not shown.count("finished"):
        return charts.finish(charts.nothing(charts.NOTHING))
    paper = _marks(shown)
    return _sized([layers.front(paper, across, shown.results) for across in layers.COSTS])
