"""The charts of a search on the page: slices, parallel coordinates, and the two fronts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tradeoffs import shown_result
from fairtrial.report import search_drawings as drawings
from fairtrial.report import search_layers as layers
from fairtrial.report import specs
from fairtrial.report.charts import Chart, Columns, Part, Toggle
from fairtrial.report.search_axes import Axis
from fairtrial.report.search_layers import Across
from fairtrial.report.search_picture import Picture, columns

MANY_LINES = 60
IN_THE_TABLE = "All of them are in the table of proposals below."


def search_charts(shown: Picture) -> tuple[tuple[Chart, ...], tuple[Chart, ...]]:
    """What was tried, and what it costs; empty where nothing has come of any proposal yet."""
    if not shown.spots:
        return (), ()
    data = {
        "points": (Part(columns=columns(shown, shown.spots)),),
        "baseline": (Part(columns=columns(shown, shown.baseline)),),
    }
    tried = [_slice(shown, axis, data) for axis in shown.sliced]
    done = shown.count("finished")
    if len(shown.axes) > 1 and done:
        tried.append(_parallel(shown, data))
    fronts: tuple[Across, ...] = ("seconds", "parameters") if done else ()
    return tuple(tried), tuple(_front(shown, across, data) for across in fronts)


def marks_explained(shown: Picture) -> str:
    """What the marks of all its figures mean, as far as there are any."""
    return " ".join(_marks(shown))


def _marks(shown: Picture) -> Iterator[str]:
    if shown.count("finished"):
        yield "Dots are proposals trained to the end, one for each search seed; those of one proposal are joined."
    if shown.count("stopped"):
        yield "Crosses were stopped early and stand at the last score they came to: no results."
    if any(spot.height is None for spot in shown.spots):
        yield "Triangles at the bottom diverged, failed or were stopped before their first score."
    if shown.baseline:
        yield f"The dashed line is the mean of {shown.found.search.baseline}, the squares are its seeds."
    if shown.candidate is not None:
        yield "The ring is the candidate."
    if shown.left_out:
        yield f"{shown.left_out} further proposals are not drawn; JSON and CSV hold them."


def slice_caption(shown: Picture, axis: Axis) -> str:
    with_it = [point for point in shown.points if axis.name in point.values]
    lacking = len(shown.points) - len(with_it)
    without = (
        f"; {lacking} without this parameter {'is' if lacking == 1 else 'are'} not drawn" if lacking else ""
    )
    jittered = " Within an option the marks are spread out." if axis.options else ""
    return f"{count_of(len(with_it), 'proposal')}{without}.{jittered}"


def parallel_caption(shown: Picture) -> str:
    gaps = any(axis.name not in point.values for axis in shown.axes for point in shown.points)
    return " ".join(
        [
            "Each line is a proposal trained to the end, from parameter to parameter to its result, the mean over its seeds.",
            f"Strong: the best {shown.few}."
            + (" Thickest: the candidate." if shown.candidate is not None else ""),
            *(["A gap: the proposal has no such parameter."] if gaps else []),
        ]
    )


def front_caption(shown: Picture) -> str:
    found = shown.found
    baseline = f" The diamond is {found.search.baseline}." if shown.baseline else ""
    ring = " The ring is the candidate." if shown.candidate is not None else ""
    return (
        "Round marks joined by the dashed line: no other proposal reaches more for less, on the first search seed; "
        f"the numbers are the proposals'.{ring}{baseline}"
    )


def _best(shown: Picture) -> str:
    """The leader in words; empty where nothing has a result."""
    top = shown.points[0] if shown.points else None
    mean = None if top is None or top.state != "finished" else top.mean(top.seeds)
    if top is None or mean is None:
        return "None has a result yet."
    return f"The best mean is that of proposal {top.number}, {shown_result(shown.found.search, mean)}."


def _counted(shown: Picture) -> str:
    counts = {
        "trained to the end": shown.count("finished"),
        "stopped": shown.count("stopped"),
        "diverged or failed": shown.count("diverged", "failed"),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _slice(shown: Picture, axis: Axis, data: dict[str, tuple[Part, ...]]) -> Chart:
    metric = shown.found.search.metric
    label = (
        f"Validation {metric} of proposals by {axis.title}: {_counted(shown)}. {_best(shown)} {IN_THE_TABLE}"
    )
    return Chart(
        title=f"Validation {metric} by {axis.title}",
        label=label,
        caption=slice_caption(shown, axis),
        drawing=drawings.slice_drawing(shown, axis, label),
        spec=specs.page_spec(layers.slices(layers.on_page(), axis, shown.heights)),
        data=data,
        toggles=tuple(_toggles(shown)),
    )


def _toggles(shown: Picture) -> Iterator[Toggle]:
    if shown.count("finished"):
        yield Toggle(key="state:finished", label="trained to the end", role="state finished")
    if shown.count("stopped"):
        yield Toggle(key="state:stopped", label="stopped: no result", role="state stopped")
    if any(spot.height is None for spot in shown.spots):
        yield Toggle(key="state:none", label="no score", role="state none")
    if shown.baseline:
        name = shown.found.search.baseline
        yield Toggle(key="state:baseline", label=name, role="baseline train")


def _parallel(shown: Picture, data: dict[str, tuple[Part, ...]]) -> Chart:
    fields, places, labels = parallel_data(shown)
    names = ", ".join(axis.title for axis in shown.axes)
    label = (
        f"Parallel coordinates of {count_of(shown.count('finished'), 'proposal')} trained to the end, over {names}, and "
        f"the result. {_best(shown)} {IN_THE_TABLE}"
    )
    tiers = {"candidate": "candidate", "best": f"the best {shown.few}", "rest": "the rest"}
    return Chart(
        title=f"Every proposal from parameter to parameter to its {drawings.result_name(shown)}",
        label=label,
        caption=parallel_caption(shown),
        drawing=drawings.parallel_drawing(shown, label),
        spec=specs.page_spec(parallel_layers(layers.on_page(), shown, fields)),
        wide=drawings.is_wide(shown),
        data={
            "points": data["points"],
            "axes": (Part(columns=places),),
            "ticks": (Part(columns=labels),),
        },
        toggles=tuple(
            Toggle(key=f"tier:{tier}", label=name, role=f"tier {tier}")
            for tier, name in tiers.items()
            if tier in shown.tiers.values()
        ),
    )


def parallel_layers(paper: layers.Paper, shown: Picture, fields: list[str]) -> Any:
    return layers.parallel(
        paper, fields, slanted=drawings.is_wide(shown), many=shown.count("finished") > MANY_LINES
    )


def parallel_data(shown: Picture) -> tuple[list[str], Columns, Columns]:
    """The fields of the axes in their order, what the axes are called, and their labels."""
    fields = [*(f"q{axis.field}" for axis in shown.axes), "qr"]
    names = [*(axis.short for axis in shown.axes), drawings.result_name(shown)]
    ticks = [
        (field, round(share, 4), words)
        for field, some in zip(fields, drawings.axis_ticks(shown), strict=True)
        for share, words in some
    ]
    axes: Columns = {
        "axis": fields, "name": names, "low": [0] * len(fields), "high": [1] * len(fields),
    }  # fmt: skip
    labels: Columns = {
        "axis": [field for field, _, _ in ticks],
        "share": [share for _, share, _ in ticks],
        "text": [words for _, _, words in ticks],
    }
    return fields, axes, labels


def _front(shown: Picture, across: Across, data: dict[str, tuple[Part, ...]]) -> Chart:
    found = shown.found
    metric = found.search.metric
    what = "training time" if across == "seconds" else "parameters"
    joined = found.by_seconds if across == "seconds" else found.by_parameters
    named = ", ".join(
        f"{point.number} ({shown_result(found.search, result)})"
        for point in joined[:12]
        if (result := point.results[1]) is not None
    )
    label = f"Validation {metric} on the first search seed against {what}. On the front, cheapest first: {named}. {IN_THE_TABLE}"
    return Chart(
        title=f"{metric.capitalize()} against {what}",
        label=label,
        caption=front_caption(shown),
        drawing=drawings.front_drawing(shown, across, label),
        spec=specs.page_spec(layers.front(layers.on_page(), across, shown.results)),
        data=data,
    )
