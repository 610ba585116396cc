"""Numbers from anywhere, two columns of them: one look at all rows.

Nothing is known of how these rows came about, so the look is judged as if it had followed every
earlier one: at the per-look level of a horizon. Only who fixed the number of seeds beforehand may
say so (`planned`), and gets the plain t interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import EVERYTHING, Interval, all_equal, finite, welch_interval
from fairtrial.stats.levels import FIRST, HORIZON, nominal_level
from fairtrial.stats.looks import Look, look
from fairtrial.stats.verdict import Better, Goal, Verdict, judge

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Two arms on the seeds both have, in seed order."""

    seeds: tuple[int, ...]
    variant: Floats
    baseline: Floats
    left_out: tuple[int, ...]
    """Seeds that one arm alone has."""

    @property
    def contrasts(self) -> Floats:
        return self.variant - self.baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What pairing by seed brought: the arms' correlation, and var(contrast) / (var A + var B)."""

    correlation: float
    variance_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """Two groups of runs that share no seeds, compared once."""

    n_variant: int
    n_baseline: int
    estimate: float
    sign: Interval
    equivalence: Interval
    margin: float
    alpha: float
    nominal: float
    verdict: Verdict


def pair(variant: Mapping[int, float], baseline: Mapping[int, float]) -> Paired:
    """Both arms' values on the seeds they share, in seed order; refused where they share none.

    >>> pair({1: 0.98, 2: 0.97, 3: 0.99}, {2: 0.96, 1: 0.97}).seeds
    (1, 2)
    """
    seeds = tuple(sorted(set(variant) & set(baseline)))
    if not seeds:
        raise FairtrialError(
            f"the two share no seed ({_listed(variant)} against {_listed(baseline)}): give both the same "
            f"seeds, or say that they are unpaired (--unpaired)"
        )
    return Paired(
        seeds=seeds,
        variant=np.array([variant[seed] for seed in seeds], dtype=np.float64),
        baseline=np.array([baseline[seed] for seed in seeds], dtype=np.float64),
        left_out=tuple(sorted(set(variant) ^ set(baseline))),
    )


def pairing(variant: ArrayLike, baseline: ArrayLike) -> Pairing | None:
    """How much the arms move together over seeds; None where an arm does not move, or below 3 seeds.

    >>> pairing([1.0, 2.0, 3.0], [1.1, 1.9, 3.2])  # doctest: +ELLIPSIS
    Pairing(correlation=0.99..., variance_ratio=0.010...)
    """
    a, b = finite(variant), finite(baseline)
    if a.size != b.size:
        raise FairtrialError(
            f"pairing needs as many values of one arm as of the other, got {a.size} and {b.size}"
        )
    if a.size < 3 or all_equal(a) or all_equal(b):
        return None
    spread_a, spread_b = float(a.var(ddof=1)), float(b.var(ddof=1))
    if not (spread_a and spread_b):
        return None  # numbers so far below any metric that their squares are zero do not move either
    apart = spread_a + spread_b
    return Pairing(
        correlation=float(np.corrcoef(a, b)[0, 1]), variance_ratio=float((a - b).var(ddof=1)) / apart
    )


def compare_paired(
    contrasts: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.05,
    horizon: int = HORIZON,
    planned: int | None = None,
    floor: float = 0.0,
    goal: Goal = "change",
    better: Better = "higher",
) -> Look:
    """One look at all contrasts; `planned` is the number of seeds fixed before the first of them.

    >>> compare_paired([0.02, 0.05, 0.03, 0.04, 0.03], margin=0.1, planned=5).verdict.value
    'increase, smaller than matters'
    """
    n = np.size(contrasts)
    if planned is not None and planned != n:
        raise FairtrialError(
            f"{planned} seeds were planned but {n} are here: a plan counts only if it was kept; "
            f"leave out --planned and the look is judged as one of many"
        )
    if planned is None and n > horizon:
        raise FairtrialError(
            f"{n} seeds, but the look is judged as one of at most {horizon}: say --horizon {n} or more, "
            f"or --planned {n} if that number was fixed beforehand"
        )
    first, last = (FIRST, horizon) if planned is None else (planned, planned)
    return look(
        contrasts,
        margin=margin,
        alpha=alpha,
        first=first,
        horizon=last,
        floor=floor,
        goal=goal,
        better=better,
    )


def compare_unpaired(
    variant: ArrayLike,
    baseline: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.05,
    horizon: int = HORIZON,
    planned: bool = False,
    floor: float = 0.0,
    goal: Goal = "change",
    better: Better = "higher",
) -> Unpaired:
    """Welch's comparison of runs without common seeds, judged once.

    Unless the numbers of runs were `planned`, at the per-look level of `horizon` runs a group: exact
    for paired contrasts, here approximate (a test simulates how well it holds).
    Fewer than three runs in a group, or groups that do not move, settle nothing.
    """
    a, b = finite(variant), finite(baseline)
    smaller, larger = sorted((a.size, b.size))
    if not planned and larger > horizon:
        raise FairtrialError(
            f"{larger} runs, but the look is judged as one of at most {horizon}: say --horizon {larger} or more"
        )
    if not smaller:
        raise FairtrialError("each group needs at least one run")
    nominal = alpha if planned else nominal_level(alpha, horizon=horizon)
    twice = 2 * alpha if planned else nominal_level(2 * alpha, horizon=horizon)
    enough = smaller >= (2 if planned else FIRST) and not (all_equal(a) and all_equal(b))
    sign = welch_interval(a, b, nominal=nominal, floor=floor) if enough else EVERYTHING
    equivalence = welch_interval(a, b, nominal=twice, floor=floor) if enough else EVERYTHING
    return Unpaired(
        n_variant=a.size,
        n_baseline=b.size,
        estimate=float(a.mean() - b.mean()),
        sign=sign,
        equivalence=equivalence,
        margin=margin,
        alpha=alpha,
        nominal=nominal,
        verdict=judge(sign, equivalence, margin=margin, goal=goal, better=better),
    )


def _listed(values: Mapping[int, float]) -> str:
    seeds = sorted(values)
    return f"seeds {seeds[0]} to {seeds[-1]}" if seeds else "no seeds"
