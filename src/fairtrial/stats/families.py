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

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
    outcomes were seen are counted apart: see `later`.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What the verdicts added at one time, after outcomes were seen, are given.

    `alpha` is the share of each of them. `inside` tells whether they are covered by the promise of the
    whole report; if not, they carry one of their own, at confidence `confidence` for all of them together.
    """

    alpha: float
    inside: bool
    confidence: float


def later(used: Collection[Family], *, number: int, count: int, confidence: float) -> Later:
    """The shares of `count` verdicts that were added together, the `number`-th time (from 1) any were.

    Shares given out stay as they are, so additions can only be paid from what the first plan left
    unspent: the weights of the families not in `used`. The first addition takes half of it, the second
    half of the rest, and so on: however many there are, all verdicts together keep the one promise. Where
    nothing was left, they carry a promise of their own, at half of alpha, a quarter, and so on, so that
    everything ever said is right with at least 1 - 2 alpha.

    >>> later([Family.VALIDATION, Family.TIME], number=1, count=3, confidence=0.95)
    Later(alpha=0.00125, inside=True, confidence=0.99625)
    >>> later(list(Family), number=2, count=1, confidence=0.95)
    Later(alpha=0.0125, inside=False, confidence=0.9875)
    """
    if number < 1 or count < 1:
        raise FairtrialError(f"an addition has a number and verdicts, got number {number}, {count} verdicts")
    alpha = round(1 - confidence, 12)
    unspent = round(alpha * sum(weight for family, weight in WEIGHTS.items() if family not in used), 15)
    given = (unspent or alpha) / 2**number
    return Later(alpha=round(given / count, 15), inside=unspent > 0, confidence=round(1 - given, 12))
