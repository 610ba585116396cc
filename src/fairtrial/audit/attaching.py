"""What stands around the code of a model: the author's title before it, the figures printed after it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace

from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Figure, ModelSeen
from fairtrial.audit.figures import figures_in
from fairtrial.audit.lines import Line, Order, lines_of, order_of
from fairtrial.audit.values import Net

LONGEST_TITLE = 120
LINES_OF_COMMENT = 12
LONGEST_LINE = 70
"""Characters of a line that may be a title though nothing marks it as one."""


def with_figures(document: Document, models: list[ModelSeen], nets: list[Net]) -> list[ModelSeen]:
    """Each model with the figures printed under the cells that train or judge it.

    Where a cell has to do with several, its figures are theirs in turn if each kind comes once for each model;
    otherwise nothing tells whose they are, and they are left out.
    """
    by_cell: dict[int, list[int]] = defaultdict(list)
    for index, net in enumerate(nets):
        cells = net.cells or [position for position in [_position(document, models[index])] if position >= 0]
        for position in dict.fromkeys(cells):
            by_cell[position].append(index)
    found: dict[int, list[Figure]] = defaultdict(list)
    for position, owners in sorted(by_cell.items()):
        figures = _printed_under(document, position)
        for owner, figure in _shared(figures, owners):
            found[owner].append(figure)
    return [replace(model, figures=tuple(found[index])) for index, model in enumerate(models)]


def with_titles(document: Document, models: list[ModelSeen]) -> list[ModelSeen]:
    """Each model with the words of the author nearest before it, or its name."""
    prose = tuple(cell if cell.kind == "prose" else replace(cell, source="") for cell in document.cells)
    lines = lines_of(replace(document, cells=prose))
    orders = [line.order for line in lines]
    return [
        replace(model, title=_title(document, model, lines, orders) or model.name)
        if not model.title
        else model
        for model in models
    ]


def _position(document: Document, model: ModelSeen) -> int:
    position = order_of(document, model.place)[0]
    return position if position < len(document.cells) else -1


def _printed_under(document: Document, position: int) -> list[Figure]:
    """The figures of the outputs that follow a cell before any other code or prose."""
    figures: list[Figure] = []
    for cell in document.cells[position + 1 :]:
        if cell.kind != "output":
            break
        figures.extend(figures_in(cell, document.kind))
    return figures


def _shared(figures: list[Figure], owners: list[int]) -> list[tuple[int, Figure]]:
    if len(owners) == 1:
        return [(owners[0], figure) for figure in figures]
    kinds: dict[object, list[Figure]] = defaultdict(list)
    for figure in figures:
        kinds[figure.metric, figure.on, figure.epoch].append(figure)
    return [
        (owner, figure)
        for alike in kinds.values()
        if len(alike) == len(owners)
        for owner, figure in zip(owners, alike, strict=True)
    ]


def _title(document: Document, model: ModelSeen, lines: tuple[Line, ...], orders: list[Order]) -> str:
    order = order_of(document, model.place)
    if order[0] < len(document.cells) and (comment := _comment(document, order)):
        return comment
    before = lines[: bisect_left(orders, order)]
    for line in reversed(before[-30:]):
        if line.level or (
            line is before[-1] and len(line.text) <= LONGEST_LINE and line.text[-1] not in ".!,;"
        ):
            return line.text[:LONGEST_TITLE]
    return ""


def _comment(document: Document, order: Order) -> str:
    """The nearest comment of a few words above the model in its cell."""
    source = document.cells[order[0]].source.split("\n")
    for line in reversed(source[max(0, order[1] - LINES_OF_COMMENT) : order[1]]):
        found = re.fullmatch(r"#+\s*(\w.{2,80})", line.strip())
        if found and not re.search(r"[=(].*[)\].]|\w\.\w+\(", line):
            return found[1].strip()
    return ""
