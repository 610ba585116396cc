"""The lottery of one run each: what a reader of single runs would have been told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import finite
from fairtrial.stats.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lottery:
    """All pairs of one variant run with one baseline run, whatever their seeds."""

    pairs: int
    opposite: int
    """Pairs that would have told the opposite of the verdict."""

    @property
    def share(self) -> float:
        return self.opposite / self.pairs


def lottery(variant: ArrayLike, baseline: ArrayLike, *, verdict: Verdict, margin: float) -> Lottery:
    """How many pairs of single runs would have told the opposite of `verdict`.

    For an increase, pairs in which the variant came out lower; for a decrease, higher; for "no
    difference that matters", pairs further apart than `margin` (for times, logs of seconds on all
    three). Ties never tell the opposite. Other verdicts have no opposite and are refused.

    >>> lottery([0.97, 0.98], [0.96, 0.975], verdict=Verdict.INCREASE_MATTERS, margin=0.001)
    Lottery(pairs=4, opposite=1)
    """
    differences = finite(variant)[:, None] - finite(baseline)[None, :]
    if not differences.size:
        raise FairtrialError("a lottery needs at least one run of each arm")
    if verdict.direction:
        told_opposite = differences * verdict.direction < 0
    elif verdict is Verdict.NO_DIFFERENCE:
        told_opposite = np.abs(differences) > margin
    else:
        raise FairtrialError(f"the verdict {verdict.value!r} has no opposite")
    return Lottery(pairs=differences.size, opposite=int(np.count_nonzero(told_opposite)))
