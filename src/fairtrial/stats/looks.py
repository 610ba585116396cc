"""Looks: what is known after n seeds, and what stands after all looks so far, in seed order.

Look only in seed order, never at "those that finished first": finishing order depends on the outcome.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import (
    EVERYTHING,
    Interval,
    all_equal,
    all_equal_so_far,
    spread_about,
    student_interval,
)
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
    terms = _terms(margin, alpha, first, horizon, floor, goal, better)
    trained = values[np.isfinite(values)]
    return _look(trained, terms, n=values.size, equal=trained.size > 0 and all_equal(trained), before=None)


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
    known: Sequence[Look] = (),
) -> tuple[Look, ...]:
    """All looks at `contrasts` in seed order, from `first` on, each with the verdict standing after it.

    Empty below `first` contrasts. The arguments are those of `look`; `known` are the looks at the first of
    these contrasts on the same terms, taken before, which are not taken again. The same contrasts always give
    the same looks, so stored verdicts can be checked against stored outcomes.

    >>> [seen.standing.value for seen in replay([0.5, 0.6, 0.5, 0.6], margin=0.1, alpha=0.05)]
    ['increase, size not settled', 'increase that matters']
    """
    values = _checked(contrasts, margin=margin, alpha=alpha, horizon=horizon)
    terms = _terms(margin, alpha, first, horizon, floor, goal, better)
    finite = np.isfinite(values)
    trained = values[finite]
    counts: list[int] = np.cumsum(finite).tolist()
    equal = all_equal_so_far(trained)
    looks = list(known)
    for n in range(looks[-1].n + 1 if looks else first, values.size + 1):
        count = counts[n - 1]
        looks.append(
            _look(
                trained[:count],
                terms,
                n=n,
                equal=count > 0 and equal[count - 1],
                before=looks[-1] if looks else None,
            )
        )
    return tuple(looks)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What all looks at one question share; `nominal` and `twice` are the per-look levels."""

    margin: float
    alpha: float
    first: int
    horizon: int
    floor: float
    goal: Goal
    better: Better
    nominal: float
    twice: float


def _terms(
    margin: float, alpha: float, first: int, horizon: int, floor: float, goal: Goal, better: Better
) -> _Terms:
    nominal = nominal_level(alpha, first=first, horizon=horizon)
    twice = nominal_level(2 * alpha, first=first, horizon=horizon)
    return _Terms(margin, alpha, first, horizon, floor, goal, better, nominal, twice)


def _look(trained: NDArray[np.float64], terms: _Terms, *, n: int, equal: bool, before: Look | None) -> Look:
    """The look at `n` seeds; the contrasts of those that have one are `trained`. `before` is the look before it."""
    count = trained.size
    estimate = float(np.add.reduce(trained)) / count if count else math.nan
    sd = math.nan
    if count > 1:
        sd = terms.floor if equal else spread_about(estimate, trained, floor=terms.floor)
    sign = equivalence = EVERYTHING
    # Equal contrasts mean seeds that are not wired or a metric too coarse, never certainty.
    if count >= terms.first and not equal:
        error = sd / math.sqrt(count)
        sign = student_interval(estimate, error, freedom=count - 1, nominal=terms.nominal)
        equivalence = student_interval(estimate, error, freedom=count - 1, nominal=terms.twice)
    if count < n:
        verdict = Verdict.UNSTABLE
    else:
        verdict = judge(sign, equivalence, margin=terms.margin, goal=terms.goal, better=terms.better)
    standing, settled_at = verdict, n if verdict.settled else None
    if before is not None:
        standing = sharpen(before.standing, verdict)
        settled_at = before.settled_at if standing is before.standing else n
    return Look(
        n=n,
        failed=n - count,
        estimate=estimate,
        sd=sd,
        sign=sign,
        equivalence=equivalence,
        margin=terms.margin,
        alpha=terms.alpha,
        horizon=terms.horizon,
        nominal=terms.nominal,
        verdict=verdict,
        standing=standing,
        settled_at=settled_at,
    )


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
