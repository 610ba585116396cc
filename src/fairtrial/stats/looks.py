"""Looks: what is known after n seeds, and what stands after all looks so far, in seed order.

Look only in seed order, never at "those that finished first": finishing order depends on the outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import EVERYTHING, Interval, all_equal, spread, student_interval
from fairtrial.stats.levels import FIRST, HORIZON, nominal_level
from fairtrial.stats.verdict import Better, Goal, Verdict, judge, sharpen


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of one question after its first `n` seeds, in the contrasts' unit."""

    n: int
    """Seeds looked at, failed ones included."""
    failed: int
    """Seeds on which an arm diverged or failed; estimate and intervals are over the others."""
    estimate: float
    """Mean contrast; NaN where no seed has one."""
    sd: float
    """Standard deviation of the contrasts, no less than the floor; NaN below two of them."""
    sign: Interval
    """At the question's alpha: a direction is claimed if it excludes zero. This is the one to print."""
    equivalence: Interval
    """At twice that alpha: equivalence is claimed if it lies within the margin."""
    margin: float
    alpha: float
    """The share of the allowed error that all looks of this question have together."""
    horizon: int
    nominal: float
    """The per-look level p* of `sign`."""
    verdict: Verdict
    """What this look settles by itself."""
    standing: Verdict
    """What stands after this and all earlier looks; the verdict itself where there was one look."""
    settled_at: int | None
    """Seeds at which the standing verdict was reached; None while undecided."""

    @property
    def bound(self) -> float:
        """ "Any difference is smaller than this": true at every look at once, whatever the verdict."""
        return self.sign.bound

    @property
    def not_lower_by_margin(self) -> bool:
        """Whether "the variant is not lower by more than the margin" is settled."""
        return self.sign.low > -self.margin

    @property
    def not_higher_by_margin(self) -> bool:
        """Whether "the variant is not higher by more than the margin" is settled."""
        return self.sign.high < self.margin


def look(
    contrasts: ArrayLike,
    *,
    margin: float,
    alpha: float,
    first: int = FIRST,
    horizon: int = HORIZON,
    floor: float = 0.0,
    goal: Goal = "change",
    better: Better = "higher",
) -> Look:
    """What `contrasts`, one per seed, settle at this one look.

    `alpha` is the question's whole share of the allowed error (`families.shares`), for all looks from
    `first` to `horizon`; the guarantee ends there, and more contrasts than that are refused. NaN
    stands for a seed on which an arm diverged or failed: one makes the verdict unstable. Equal
    contrasts, and fewer than `first`, settle nothing and have an infinite interval. One look planned beforehand at n seeds:
    `first` and `horizon` both n.

    >>> seen = look([0.9, 1.1, 1.0, 0.95], margin=0.1, alpha=0.05, horizon=30)
    >>> seen.verdict.value, round(seen.sign.low, 4), round(seen.sign.high, 4)
    ('increase that matters', 0.6936, 1.2814)
    """
    values = _checked(contrasts, margin=margin, alpha=alpha, horizon=horizon)
    nominal = nominal_level(alpha, first=first, horizon=horizon)
    trained = values[np.isfinite(values)]
    twice = nominal_level(2 * alpha, first=first, horizon=horizon)
    estimate = float(trained.sum()) / trained.size if trained.size else math.nan
    sd = spread(trained, floor=floor) if trained.size > 1 else math.nan
    if trained.size < first or all_equal(trained):
        # Equal contrasts mean seeds that are not wired or a metric too coarse, never certainty.
        sign = equivalence = EVERYTHING
    else:
        error = sd / math.sqrt(trained.size)
        sign = student_interval(estimate, error, freedom=trained.size - 1, nominal=nominal)
        equivalence = student_interval(estimate, error, freedom=trained.size - 1, nominal=twice)
    if trained.size < values.size:
        verdict = Verdict.UNSTABLE
    else:
        verdict = judge(sign, equivalence, margin=margin, goal=goal, better=better)
    return Look(
        n=values.size,
        failed=values.size - trained.size,
        estimate=estimate,
        sd=sd,
        sign=sign,
        equivalence=equivalence,
        margin=margin,
        alpha=alpha,
        horizon=horizon,
        nominal=nominal,
        verdict=verdict,
        standing=verdict,
        settled_at=values.size if verdict.settled else None,
    )


def replay(
    contrasts: ArrayLike,
    *,
    margin: float,
    alpha: float,
    first: int = FIRST,
    horizon: int = HORIZON,
    floor: float = 0.0,
    goal: Goal = "change",
    better: Better = "higher",
) -> tuple[Look, ...]:
    """All looks at `contrasts` in seed order, from `first` on, each with the verdict standing after it.

    Empty below `first` contrasts. The arguments are those of `look`. The same contrasts always give
    the same looks, so stored verdicts can be checked against stored outcomes.

    >>> [seen.standing.value for seen in replay([0.5, 0.6, 0.5, 0.6], margin=0.1, alpha=0.05)]
    ['increase, size not settled', 'increase that matters']
    """
    values = _checked(contrasts, margin=margin, alpha=alpha, horizon=horizon)
    standing, settled_at = Verdict.UNDECIDED, None
    looks: list[Look] = []
    for n in range(first, values.size + 1):
        seen = look(
            values[:n],
            margin=margin,
            alpha=alpha,
            first=first,
            horizon=horizon,
            floor=floor,
            goal=goal,
            better=better,
        )
        sharper = sharpen(standing, seen.verdict)
        if sharper is not standing:
            standing, settled_at = sharper, n
        looks.append(replace(seen, standing=standing, settled_at=settled_at))
    return tuple(looks)


def _checked(contrasts: ArrayLike, *, margin: float, alpha: float, horizon: int) -> NDArray[np.float64]:
    values = np.asarray(contrasts, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise FairtrialError(f"expected one contrast per seed, got an array of shape {values.shape}")
    if values.size > horizon:
        raise FairtrialError(
            f"{values.size} seeds, but the guarantee ends at {horizon}, fixed beforehand: look at the first "
            f"{horizon}, or declare a larger horizon before the next study"
        )
    if not margin > 0:
        raise FairtrialError(f"the margin must be above 0, got {margin}")
    if not alpha < 0.5:
        raise FairtrialError(f"alpha must be below 0.5, got {alpha}")
    return values
