"""Models that a file shows in print alone: a layer table, the lines about its training before it, figures after it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Figure, LayerSeen, ModelSeen, TrainingSeen
from fairtrial.audit.figures import figures_in
from fairtrial.audit.layertable import Row, network_of, row_in
from fairtrial.audit.lines import Line, Order, lines_of, order_of
from fairtrial.audit.settings import activation_stated, numbers_stated, optimizer_stated, with_stated

_NAMED = re.compile(r"^\W*Model:\s*[\"'](?P<name>[^\"']{1,80})[\"']\s*$")
_HEADER = re.compile(r"^\W*Layer\s*\(type\)")
_TOTAL = re.compile(
    r"^\W*(?:(?P<all>Total)|Trainable|Non-trainable|Optimizer) params:\s*(?P<count>\d[\d,]{0,20})",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[\W_]*$|^[│|\s]*\(?[\w./-]{0,30}\)?[│|\s]*$|^None$")
_TITLE = re.compile(
    r"^\W*(?:Model|Network|Architecture)(?:\s*\d{1,2})?\s*[:\-–]\s*(?P<title>[^\"'].*)$", re.IGNORECASE
)
_TRAINS = re.compile(r"\bSequential\s*\(|\bModel\s*\(|\.(?:compile|fit)\s*\(")
_LINES_BEFORE = 14


@dataclass(frozen=True)
class _Table:
    name: str | None
    first: int
    last: int
    """Its lines among all lines."""
    rows: tuple[Row, ...]
    parameters: int | None


def models_printed(document: Document) -> tuple[ModelSeen, ...]:
    """The models whose layer tables a file shows, each with what was printed of its training.

    A setting that a title or a line before the table states is taken; nothing else is.
    """
    lines = lines_of(document)
    tables = tuple(_tables(lines))
    if not tables:
        return ()
    figures = _ordered_figures(document)
    training = [
        n for n, cell in enumerate(document.cells) if cell.kind == "code" and _TRAINS.search(cell.source)
    ]
    ends = [table.first for table in tables[1:]] + [len(lines)]
    models: list[ModelSeen] = []
    before = 0
    for table, end in zip(tables, ends, strict=True):
        shown = _figures_after(lines[table.last].order, lines[table.last + 1 : end], figures, training)
        model = _model(table, lines, start=before, figures=shown)
        models.append(replace(model, name=_unique(model.name, models)))
        last = max((order_of(document, figure.place) for figure in shown), default=lines[table.last].order)
        before = next((n for n in range(table.last, end) if lines[n].order > last), end)
    return tuple(models)


def _tables(lines: tuple[Line, ...]) -> Iterator[_Table]:
    index = 0
    while index < len(lines):
        named, header = _NAMED.match(lines[index].text), _HEADER.match(lines[index].text)
        if named is None and header is None:
            index += 1
            continue
        first, rows, parameters = index, list[Row](), None
        index += 1
        while index < len(lines):
            line = lines[index]
            following = lines[index + 1].text if index + 1 < len(lines) else ""
            if (row := row_in(line.text, line.place, following)) is not None:
                rows.append(row)
            elif (total := _TOTAL.match(line.text)) is not None:
                parameters = int(total["count"].replace(",", "")) if total["all"] else parameters
            elif not (_RULE.match(line.text) or (_HEADER.match(line.text) and not rows)):
                break
            index += 1
        if rows:
            yield _Table(named["name"] if named else None, first, index - 1, tuple(rows), parameters)


def _ordered_figures(document: Document) -> tuple[tuple[Order, Figure], ...]:
    found = [
        ((index, figure.place.line - cell.place(1, document.kind).line), figure)
        for index, cell in enumerate(document.cells)
        for figure in figures_in(cell, document.kind)
    ]
    return tuple(sorted(found, key=lambda pair: pair[0]))


def _figures_after(
    shown_at: Order, lines: tuple[Line, ...], figures: tuple[tuple[Order, Figure], ...], training: list[int]
) -> tuple[Figure, ...]:
    """Figures until somebody speaks of something else: text after them, the next title, code that builds a model."""
    if not lines:
        return ()
    start = bisect_left(figures, lines[0].order, key=lambda pair: pair[0])
    later = bisect_left(training, shown_at[0] + 1)
    following = training[later] if later < len(training) else None
    end = bisect_left(figures, (lines[-1].order[0], lines[-1].order[1] + 1), key=lambda pair: pair[0])
    with_figure = {order for order, _ in figures[start:end]}
    found: list[Figure] = []
    for line in lines:
        if (
            (following is not None and line.order[0] > following)
            or (found and _speaks(line, with_figure))
            or _TITLE.match(line.text)
        ):
            break
        while start < len(figures) and figures[start][0] <= line.order:
            found.append(figures[start][1])
            start += 1
    return tuple(found)


def _speaks(line: Line, with_figure: set[Order]) -> bool:
    """Whether a line is text rather than print: it ends the figures above it."""
    if line.order in with_figure or _states_settings(line):
        return False
    return line.level > 0 or line.number is not None or line.kind == "prose"


def _states_settings(line: Line) -> bool:
    return len(line.text) <= 160 and bool(numbers_stated(line.text) or optimizer_stated(line.text))


def _model(table: _Table, lines: tuple[Line, ...], *, start: int, figures: tuple[Figure, ...]) -> ModelSeen:
    network = network_of(table.rows)
    title, training = _introduced(lines[max(start, table.first - _LINES_BEFORE) : table.first])
    for line in lines[table.last + 1 : table.last + 1 + _LINES_BEFORE]:
        if line.kind == "prose" or line.level or _NAMED.match(line.text) or _TITLE.match(line.text):
            break
        training = with_stated(training, line.text)
    name = table.name or "model"
    return ModelSeen(
        name=name,
        title=title or name,
        library="keras",
        layers=_activated(network.layers, activation_stated(title)),
        training=training,
        place=lines[table.first].place,
        figures=figures,
        input_shape=network.input_shape,
        classes=network.classes,
        printed_parameters=table.parameters,
        printed_name=table.name,
    )


def _introduced(lines: tuple[Line, ...]) -> tuple[str, TrainingSeen]:
    """The title of a model and what the lines before its table say of its training, the nearest first."""
    title, heading, training = "", "", TrainingSeen()
    for line in reversed(lines):
        if (found := _TITLE.match(line.text)) is not None and not title:
            title = found["title"].strip().removeprefix("(").removesuffix(")").strip()
            training = with_stated(training, title, spoken=True)
        elif line.level and not heading:
            heading = line.text
            if not title:
                training = with_stated(training, heading, spoken=True)
            break
        elif line.kind == "output" or _states_settings(line):
            training = with_stated(training, line.text)
    return title or heading, training


def _activated(layers: tuple[LayerSeen, ...], activation: str | None) -> tuple[LayerSeen, ...]:
    """The hidden layers with the activation that the title names; a table shows none."""
    if activation is None:
        return layers
    return tuple(
        replace(layer, settings={**layer.settings, "activation": activation})
        if layer.kind in ("dense", "conv")
        else layer
        for layer in layers
    )


def _unique(name: str, models: list[ModelSeen]) -> str:
    taken = {model.name for model in models}
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name} ({number})", number + 1
    return unique
