"""How sure each verdict of a study has to be, so that one promise holds for all of them."""

from __future__ import annotations

from fairtrial.stats.families import Family, shares
from fairtrial.study.check import verdicts_by_place
from fairtrial.study.schema import Metric, On, Study

LARGEST = 0.25
"""No verdict is allowed a larger error, however low the study's confidence: below it everything is worked out."""


def alphas(study: Study) -> dict[Family, float]:
    """The allowed error of each verdict, by family, counted over the whole study as declared.

    Whatever part of the study is run or shown, the shares stay the same.
    """
    declared = {Family(place): count for place, count in verdicts_by_place(study).items()}
    if study.confirms:
        alone = round(1 - study.confidence, 12) / max(sum(declared.values()), 1)
        return dict.fromkeys(Family, min(alone, LARGEST))
    return {
        family: min(share, LARGEST) for family, share in shares(declared, confidence=study.confidence).items()
    }


def family(metric: Metric, on: On | None) -> Family:
    """What a verdict is about.

    >>> family("loss", "test").value
    'test'
    """
    return Family.TIME if metric == "time" or on is None else Family(on)
