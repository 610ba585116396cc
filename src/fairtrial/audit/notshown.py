"""Figures of a text that no output shows: it was written from another run than the one that the file keeps."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

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
    if not given:
        return ()
    printed = _printed(document, experiments)
    strange = [one for one in given if not printed.has(*one)]
    if not printed.numbers or not strange:
        return ()
    if len(strange) < _FEWEST or 3 * len(strange) < len(given):
        known = {(finding.place, finding.said) for finding in told}
        slips = _slips([one for one in strange if not printed.anywhere(*one[1:])], experiments)
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


@dataclass(frozen=True)
class _Printed:
    """All that a file prints: the figures of its models by kind, and the bare numbers of its output."""

    figures: Mapping[tuple[str, str | None], frozenset[float]]
    numbers: frozenset[float]

    def has(self, statement: Statement, value: float, digits: int) -> bool:
        """Whether some model has the figure; where none has any of its kind, whether it is printed at all."""
        figures = self.figures.get((statement.metric, statement.on))
        return _among(value, digits, figures) if figures else self.anywhere(value, digits)

    def anywhere(self, value: float, digits: int) -> bool:
        """Whether the number is printed, as a share or in percent."""
        return _among(value, digits, self.numbers) or _among(round(100 * value, 9), digits - 2, self.numbers)


@lru_cache(maxsize=64)
def _rounded(numbers: frozenset[float], digits: int) -> frozenset[float]:
    return frozenset(round(number, digits) for number in numbers)


def _among(value: float, digits: int, numbers: frozenset[float]) -> bool:
    return value in _rounded(numbers, max(0, digits))


def _printed(document: Document, experiments: Experiments) -> _Printed:
    figures: defaultdict[tuple[str, str | None], set[float]] = defaultdict(set)
    for model in experiments.models:
        for figure in model.figures:
            figures[figure.metric, figure.on].add(figure.value)
            figures[figure.metric, None].add(figure.value)
    return _Printed({kind: frozenset(values) for kind, values in figures.items()}, _numbers(document))


def _numbers(document: Document) -> frozenset[float]:
    return frozenset(
        float(number)
        for cell in document.cells
        if cell.kind == "output"
        for number in re.findall(
            r"(?<![\w.])\d{0,12}\.\d{1,12}(?![\w.])|(?<![\w.])\d{1,9}(?![\w.])", cell.source
        )
    )
