"""Figures of a text that no output shows: it was written from another run than the one that the file keeps."""

from __future__ import annotations

import re

from fairtrial.audit.contradictions import quoted, written
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments, Statement
from fairtrial.audit.finding import Finding

_FEWEST = 3
"""One or two may be slips of the pen, or of a run not kept."""


def not_shown(document: Document, experiments: Experiments) -> tuple[Finding, ...]:
    """One finding for all figures that stand in no output, if they are three or more and a third of those given."""
    given = [
        (statement, value, written(value, statement.text))
        for asked in experiments.asked
        for statement in asked.statements
        for value in (statement.before, statement.after)
        if value is not None
    ]
    outputs = _numbers(document)
    strange = [one for one in given if not _shown(*one, experiments, outputs)]
    if not outputs or len(strange) < _FEWEST or 3 * len(strange) < len(given):
        return ()
    examples = ", ".join(dict.fromkeys(f"{value:.{digits}f}" for _, value, digits in strange[:4]))
    first = strange[0][0]
    return (
        Finding(
            kind="not-shown",
            place=first.place,
            said=quoted(first.text),
            sentence=f"Of {len(given)} figures in the text the output shows {len(strange)} for no model ({examples}, ...): text and output are "
            "of different runs.",
            matters="How far two runs of one program differ is as much as many of the changes that the text explains.",
            advice="Run the file from top to bottom and write the text from that run; or say over how many seeds each figure is a mean.",
            sure="certain",
            serious=False,
        ),
    )


def _shown(
    statement: Statement, value: float, digits: int, experiments: Experiments, outputs: frozenset[float]
) -> bool:
    """Whether some model has the figure; where none has any of its kind, whether it is printed at all."""
    figures = {
        figure.value
        for model in experiments.models
        for figure in model.figures
        if figure.metric == statement.metric and statement.on in (None, figure.on)
    }
    printed = figures or {*outputs, *(number / 100 for number in outputs)}
    return value in {round(number, digits) for number in printed}


def _numbers(document: Document) -> frozenset[float]:
    return frozenset(
        float(number)
        for cell in document.cells
        if cell.kind == "output"
        for number in re.findall(
            r"(?<![\w.])\d{0,12}\.\d{1,12}(?![\w.])|(?<![\w.])\d{1,9}(?![\w.])", cell.source
        )
    )
