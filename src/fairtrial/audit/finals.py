"""Figures that a text repeats of a model at its end: `Final Model`, and below it `Validation Accuracy = 0.998`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fairtrial.audit.clauses import Quoted
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import ModelSeen
from fairtrial.audit.figures import figures_in
from fairtrial.audit.lines import Line
from fairtrial.audit.sentences import Said

_FINAL = re.compile(r"\b(?:final|best|chosen|winning)\b", re.IGNORECASE)


def finals_in(
    document: Document, lines: Sequence[Line], models: Sequence[ModelSeen]
) -> list[tuple[Line, Said]]:
    """Such figures as statements, where an export tells prose from output by its shape alone.

    In a notebook an output is an output, whatever stands above it.
    """
    if document.kind not in ("text", "html"):
        return []
    shown = {figure.place for model in models for figure in model.figures}
    by_place = {line.place: line for line in lines}
    found: list[tuple[Line, Said]] = []
    above: Line | None = None
    following = iter(lines)
    line = next(following, None)
    for index, cell in enumerate(document.cells):
        while line is not None and line.order[0] < index:
            above, line = line, next(following, None)
        if cell.kind != "output" or above is None or above.kind != "prose" or not _FINAL.search(above.text):
            continue
        for figure in figures_in(cell, document.kind):
            place = by_place.get(figure.place)
            if place is not None and figure.place not in shown and figure.epoch is None:
                value = Quoted(figure.value, figure.decimals)
                found.append((place, Said(figure.metric, figure.on, "level", None, value, place.text)))
    return found
