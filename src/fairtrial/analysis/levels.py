"""The arms a dose-response figure is about: those that differ in a question's factor alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairtrial.analysis.ordered import is_number, levels_of, ordered_difference
from fairtrial.analysis.values import ArmTrials
from fairtrial.study.schema import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """The study's arms by the value of the one setting `path`, lowest first."""

    path: str
    arms: dict[float, ArmTrials]


def doses(question: Question, arms: Mapping[str, ArmTrials]) -> Doses | None:
    """All arms along the question's factor; None where its arms differ in more than one number above zero."""
    variant, baseline = arms[question.variant], arms[question.baseline]
    apart = ordered_difference(variant.arm, baseline.arm)
    if apart is None:
        return None
    if (
        not (is_number(apart.variant) and is_number(apart.baseline))
        or min(apart.variant, apart.baseline) <= 0
    ):
        return None
    found = {float(apart.variant): variant, float(apart.baseline): baseline}
    for level, arm in levels_of(apart.path, variant.arm, [one.arm for one in arms.values()]).items():
        if level > 0:
            found.setdefault(level, arms[arm.name])
    return Doses(path=apart.path, arms={level: found[level] for level in sorted(found)})
