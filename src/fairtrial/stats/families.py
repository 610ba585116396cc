"""How the allowed error is shared, so that one promise holds for the whole report.

"At 95 %, every verdict in this report is true with probability at least .95." Alpha = 1 - confidence
is split once: 75 % to verdicts on validation metrics, 15 % on the test set, 10 % on time; within a
family every declared verdict gets the same share (Bonferroni, which needs nothing about shared
baselines, shared seeds, or the rule that chose the next seed).

A family without verdicts leaves its share unused. Handing it on would be valid when the plan is made,
but then adding the first time question to a grown study would change the shares of validation
verdicts already given, and two studies that differ in a time question would judge the same outcomes
differently. The price: at 75 % of alpha critical values grow by 3 to 6 % from the tenth seed on, 10 % at the fifth.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fairtrial.errors import FairtrialError


class Family(StrEnum):
    """What a verdict is about: accuracy or loss on validation or test images, or time."""

    VALIDATION = "validation"
    TEST = "test"
    TIME = "time"


WEIGHTS: Mapping[Family, float] = {Family.VALIDATION: 0.75, Family.TEST: 0.15, Family.TIME: 0.10}


def shares(declared: Mapping[Family, int], *, confidence: float) -> dict[Family, float]:
    """Alpha of each verdict, by family, for the families that have any.

    `declared` counts *all* verdicts the study declares, whatever part of it is run or shown: each
    question on each metric, each claimed level and each claimed plateau. Questions added after
    outcomes were seen are counted apart, by a call of their own, and carry a promise of their own.

    >>> shares({Family.VALIDATION: 15, Family.TIME: 10}, confidence=0.95)
    {<Family.VALIDATION: 'validation'>: 0.0025, <Family.TIME: 'time'>: 0.0005}
    """
    if not 0 < confidence < 1:
        raise FairtrialError(f"confidence must lie between 0 and 1, got {confidence}")
    if any(count < 0 for count in declared.values()):
        raise FairtrialError(f"a family cannot have fewer than no verdicts, got {dict(declared)}")
    # Rounded far below what matters, so that 1 - 0.95 gives the alpha anybody would write down.
    alpha = round(1 - confidence, 12)
    return {
        family: round(alpha * WEIGHTS[family] / declared[family], 15)
        for family in Family
        if declared.get(family, 0) > 0
    }
