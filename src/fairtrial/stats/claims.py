"""What somebody said the answer was, held against what was found."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from fairtrial.errors import FairtrialError
from fairtrial.stats.doseresponse import Plateau
from fairtrial.stats.intervals import Interval
from fairtrial.stats.verdict import Verdict

DirectionClaim = Literal["increase", "decrease", "no change"]


class ClaimVerdict(StrEnum):
    """Whether a claim stands."""

    HOLDS = "holds"
    CONTRADICTED = "contradicted"
    NOT_SETTLED = "not settled"


def judge_direction(says: DirectionClaim, verdict: Verdict) -> ClaimVerdict:
    """A direction, or its absence, against the question's verdict.

    A direction holds if the verdict has it, and is contradicted by the opposite one or by "no
    difference that matters"; "no change" the other way round. A claimed "from 0.970 to 0.988" is
    judged by its direction alone.

    >>> judge_direction("increase", Verdict.INCREASE_SMALL).value
    'holds'
    """
    found = verdict.direction
    if not found and verdict is not Verdict.NO_DIFFERENCE:
        return ClaimVerdict.NOT_SETTLED
    claimed = {"increase": 1, "decrease": -1, "no change": 0}[says]
    return ClaimVerdict.HOLDS if found == claimed else ClaimVerdict.CONTRADICTED


def judge_level(level: float, interval: Interval, *, margin: float) -> ClaimVerdict:
    """A claimed level of one arm against the interval of that arm's own mean, in the same unit.

    Contradicted if the interval excludes it; holds if the interval includes it and lies within
    `margin` of it; otherwise nothing finer than the interval is known.

    >>> judge_level(0.998, Interval(0.981, 0.985), margin=0.001).value
    'contradicted'
    """
    if interval.excludes(level):
        return ClaimVerdict.CONTRADICTED
    shifted = Interval(interval.low - level, interval.high - level)
    return ClaimVerdict.HOLDS if shifted.within(margin) else ClaimVerdict.NOT_SETTLED


def judge_plateau(level: float, found: Plateau) -> ClaimVerdict:
    """A claim that from `level` on nothing more is gained, against the plateau statement.

    Holds if the statement reaches down to `level`; contradicted if the largest level is shown to differ
    from `level` by the margin or more. The largest level itself claims nothing.
    """
    if level not in found.levels[:-1]:
        raise FairtrialError(f"the plateau is claimed from {level:g}, which is none of {found.levels[:-1]}")
    if found.start is not None and found.start <= level:
        return ClaimVerdict.HOLDS
    gap = found.gaps[found.levels.index(level)]
    if gap.low >= found.margin or gap.high <= -found.margin:
        return ClaimVerdict.CONTRADICTED
    return ClaimVerdict.NOT_SETTLED
