"""What an interval lets one say, and how a verdict grows sharper but never turns round.

All sentences of one question together are wrong with probability at most alpha, although
equivalence uses an interval at twice alpha: if the true contrast is zero only a direction can be
wrong (both sides, alpha); if it lies inside the margin only the opposite direction or "matters" can
(alpha / 2 each); if it lies beyond the margin only "no difference that matters" can (one side of an
interval at 2 alpha).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from fairtrial.stats.intervals import Interval

Goal = Literal["change", "not_worse"]
Better = Literal["higher", "lower"]


class Verdict(StrEnum):
    """The answer to a question, in the words shown to users."""

    INCREASE_MATTERS = "increase that matters"
    INCREASE_SMALL = "increase, smaller than matters"
    INCREASE_UNSIZED = "increase, size not settled"
    DECREASE_MATTERS = "decrease that matters"
    DECREASE_SMALL = "decrease, smaller than matters"
    DECREASE_UNSIZED = "decrease, size not settled"
    NO_DIFFERENCE = "no difference that matters"
    NOT_WORSE = "not worse"
    UNDECIDED = "undecided"
    UNSTABLE = "unstable"

    @property
    def direction(self) -> int:
        """1 for an increase, -1 for a decrease, 0 for everything else."""
        return 1 if self in _INCREASES else -1 if self in _DECREASES else 0

    @property
    def settled(self) -> bool:
        """Whether the question needs no further seeds."""
        return self is not Verdict.UNDECIDED

    @property
    def can_sharpen(self) -> bool:
        """Whether further seeds might say more without taking anything back."""
        return self in (Verdict.UNDECIDED, Verdict.NO_DIFFERENCE, *_UNSIZED)


_INCREASES = (Verdict.INCREASE_MATTERS, Verdict.INCREASE_SMALL, Verdict.INCREASE_UNSIZED)
_DECREASES = (Verdict.DECREASE_MATTERS, Verdict.DECREASE_SMALL, Verdict.DECREASE_UNSIZED)
_UNSIZED = (Verdict.INCREASE_UNSIZED, Verdict.DECREASE_UNSIZED)
_SMALL = {1: Verdict.INCREASE_SMALL, -1: Verdict.DECREASE_SMALL}
_MIRROR: dict[Verdict, Verdict] = dict(
    zip((*_INCREASES, *_DECREASES), (*_DECREASES, *_INCREASES), strict=True)
)


def mirrored(verdict: Verdict) -> Verdict:
    """The verdict on the same question with variant and baseline (or better and worse) exchanged."""
    return _MIRROR.get(verdict, verdict)


def judge(
    sign: Interval, equivalence: Interval, *, margin: float, goal: Goal = "change", better: Better = "higher"
) -> Verdict:
    """What the two intervals of one look settle.

    `sign` is the mean contrast's interval at the question's alpha, `equivalence` that at twice alpha.
    `better` says which way is good; it matters to the goal `not_worse` alone.

    >>> judge(Interval(0.02, 0.09), Interval(0.03, 0.08), margin=0.1).value
    'increase, smaller than matters'
    """
    if goal == "not_worse":
        if better == "lower":
            return mirrored(_judge_not_worse(-sign, -equivalence, margin=margin))
        return _judge_not_worse(sign, equivalence, margin=margin)
    if sign.low >= margin:
        return Verdict.INCREASE_MATTERS
    if sign.high <= -margin:
        return Verdict.DECREASE_MATTERS
    if sign.low > 0:
        return Verdict.INCREASE_SMALL if equivalence.within(margin) else Verdict.INCREASE_UNSIZED
    if sign.high < 0:
        return Verdict.DECREASE_SMALL if equivalence.within(margin) else Verdict.DECREASE_UNSIZED
    if equivalence.within(margin):
        return Verdict.NO_DIFFERENCE
    return Verdict.UNDECIDED


def _judge_not_worse(sign: Interval, equivalence: Interval, *, margin: float) -> Verdict:
    """Where higher is better: settled by a lower bound above minus the margin, or by a decrease."""
    if sign.high <= -margin:
        return Verdict.DECREASE_MATTERS
    if equivalence.low > -margin:
        return Verdict.NOT_WORSE
    if sign.high < 0:
        return Verdict.DECREASE_UNSIZED
    return Verdict.UNDECIDED


def sharpen(standing: Verdict, new: Verdict) -> Verdict:
    """The verdict that stands after another look: never reversed, never weaker, perhaps sharper.

    What was said at an earlier look and what this one adds are both covered by the same
    simultaneous intervals, so together they may say more than either: an increase of unsettled
    size that now proves to lie within the margin is an increase smaller than matters. Where the new
    look contradicts the standing verdict (one of them is among the alpha that are wrong) the
    standing one stays. A run that diverged unsettles everything: its comparison of means is void.

    >>> sharpen(Verdict.INCREASE_UNSIZED, Verdict.NO_DIFFERENCE).value
    'increase, smaller than matters'
    >>> sharpen(Verdict.NO_DIFFERENCE, Verdict.UNDECIDED).value
    'no difference that matters'
    """
    if Verdict.UNSTABLE in (standing, new):
        return Verdict.UNSTABLE
    if standing is Verdict.UNDECIDED:
        return new
    if standing in _UNSIZED:
        if new in (Verdict.NO_DIFFERENCE, Verdict.NOT_WORSE):
            return _SMALL[standing.direction]
        return new if new.direction == standing.direction else standing
    if standing is Verdict.NO_DIFFERENCE and new in (*_UNSIZED, *_SMALL.values()):
        return _SMALL[new.direction]
    return standing
