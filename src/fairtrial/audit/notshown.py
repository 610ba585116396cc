"""Figures of a text that no output shows: it was written from another run than the one that the file keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairtrial.audit.contradictions import named, quoted, written
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments, Statement
from fairtrial.audit.figures import final_figures
from fairtrial.audit.finding import Finding

_FEWEST = 3
"""One or two may be slips of the pen, or of a run not kept."""


def not_shown(
    document: Document, experiments: Experiments, told: tuple[Finding, ...] = ()
) -> tuple[Finding, ...]:
    """Figures of the text that stand in no output.

    From three on, a third of all, they are one finding: the text is of another run. Fewer are findings of their own, and
    contradictions, where the output shows the figure of the very model that the text speaks of; `told` are sentences
    that are known to contradict the output already.
    """
    given = [
        (statement, value, written(value, statement.text))
        for asked in experiments.asked
        for statement in asked.statements
        for value in (statement.before, statement.after)
        if value is not None
    ]
    outputs = _numbers(document)
    strange = [one for one in given if not _shown(*one, experiments, outputs)]
    if not outputs or not strange:
        return ()
    if len(strange) < _FEWEST or 3 * len(strange) < len(given):
        known = {(finding.place, finding.said) for finding in told}
        slips = _slips(strange, experiments)
        return tuple(slip for slip in slips if (slip.place, slip.said) not in known)
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


def _slips(strange: list[tuple[Statement, float, int]], experiments: Experiments) -> Iterator[Finding]:
    """One finding for each statement with figures that are not those printed of its models."""
    models = {model.name: model for model in experiments.models}
    for statement in dict.fromkeys(one for one, _, _ in strange):
        wrong: list[str] = []
        for value, name in ((statement.before, statement.baseline), (statement.after, statement.variant)):
            digits = next(
                (places for one, given, places in strange if one is statement and given == value), None
            )
            model = models.get(name or "")
            if (
                value is None
                or digits is None
                or model is None
                or (statement.on is None and statement.metric != "time")
            ):
                continue
            printed = final_figures(model, statement.metric, statement.on)
            if printed:
                wrong.append(
                    f"{value:.{digits}f} where the output shows {printed[0].value:.{printed[0].decimals}f} for {model.name}"
                )
        if wrong:
            yield Finding(
                kind="contradicted",
                place=statement.place,
                said=quoted(statement.text),
                sentence=f"The text gives {' and '.join(wrong)}, as {named(statement)}.",
                matters="A figure that nothing beside it shows cannot be checked.",
                advice="Write the figures from the output of the same run; or say which run they are of.",
                sure="likely",
                serious=False,
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
