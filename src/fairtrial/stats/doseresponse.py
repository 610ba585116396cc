"""Questions over an ordered factor: the slope per doubling, where gains stop, a curve for the eye.

All levels are run on the same seeds; `values` always has shape (seeds, levels), levels increasing.
Nothing here says anything beyond the levels that were run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import (
    Interval,
    all_equal_so_far,
    repeated_interval,
    spread,
    spread_about,
    student_interval,
)
from fairtrial.stats.levels import FIRST, HORIZON, nominal_level
from fairtrial.stats.numerics import isotonic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """From which level on no level differs from the largest by as much as the margin."""

    levels: tuple[float, ...]
    start: float | None
    """"Every level from `start` up is within the margin of the largest"; None: not even the
    second-largest is shown to be."""
    gaps: tuple[Interval, ...]
    """Largest level minus each other level, in order, at the statement's alpha."""
    margin: float
    n: int


def slope_contrasts(values: ArrayLike, levels: Sequence[float]) -> Floats:
    """The least-squares slope per doubling of the level, one for each seed.

    In the metric's unit per doubling: contrasts like any other, to be looked at with
    `slope_margin`. A slope speaks of the average; it does not say that every step rises.

    >>> slope_contrasts([[97.0, 97.6, 98.0, 98.2, 98.25]], [50, 100, 200, 400, 800]).round(6).tolist()
    [0.31]
    """
    table, doublings = _table(values, levels)
    centred = doublings - doublings.mean()
    return table @ (centred / np.sum(centred**2))


def slope_margin(margin: float, levels: Sequence[float]) -> float:
    """The margin per doubling that adds up to `margin` from the first to the last level."""
    _, doublings = _table(np.zeros((1, len(levels))), levels)
    return margin / float(doublings[-1] - doublings[0])


def steps(
    values: ArrayLike, levels: Sequence[float], *, nominal: float, floor: float = 0.0
) -> tuple[Interval, ...]:
    """Intervals of each level minus the one before it: the evidence for or against "it rises all the way"."""
    table, _ = _table(values, levels)
    return tuple(repeated_interval(step, nominal=nominal, floor=floor) for step in np.diff(table, axis=1).T)


def plateau(
    values: ArrayLike,
    levels: Sequence[float],
    *,
    margin: float,
    alpha: float,
    first: int = FIRST,
    horizon: int = HORIZON,
    floor: float = 0.0,
) -> Plateau:
    """From where on every level is within `margin` of the largest.

    Fixed-sequence testing (Maurer, Hothorn & Lehmacher 1995): levels are tried from the second-largest
    downwards, each at the full `alpha`, stopping at the first that is not shown to be equivalent.
    For the statement to be false, the first level in that order that truly differs must be
    declared equivalent, which happens with probability at most alpha: no price for the number of levels.
    A level counts as shown once any look from `first` on has shown it, so the statement never falls back.
    """
    differences, sign, reached = _reached(
        values, levels, margin=margin, alpha=alpha, first=first, horizon=horizon, floor=floor
    )
    return _statement(differences, levels, reached, n=len(differences), margin=margin, sign=sign, floor=floor)


def plateaus(
    values: ArrayLike,
    levels: Sequence[float],
    *,
    margin: float,
    alpha: float,
    first: int = FIRST,
    horizon: int = HORIZON,
    floor: float = 0.0,
) -> Iterator[Plateau]:
    """The same after each look in seed order, from `first` seeds to all there are; each level is looked at once."""
    differences, sign, reached = _reached(
        values, levels, margin=margin, alpha=alpha, first=first, horizon=horizon, floor=floor
    )
    for n in range(first, len(differences) + 1):
        yield _statement(differences, levels, reached, n=n, margin=margin, sign=sign, floor=floor)


def _reached(
    values: ArrayLike,
    levels: Sequence[float],
    *,
    margin: float,
    alpha: float,
    first: int,
    horizon: int,
    floor: float,
) -> tuple[Floats, float, list[tuple[float, int]]]:
    """Contrasts with the largest level, their per-look level, and how far down the statement comes, at how many seeds."""
    table, _ = _table(values, levels)
    if table.shape[0] > horizon:
        raise FairtrialError(f"{table.shape[0]} seeds, but the guarantee ends at {horizon}")
    sign = nominal_level(alpha, first=first, horizon=horizon)
    equivalence = nominal_level(2 * alpha, first=first, horizon=horizon)
    differences = table[:, -1:] - table[:, :-1]
    reached: list[tuple[float, int]] = []
    for level, contrasts in zip(reversed(levels[:-1]), differences.T[::-1], strict=True):
        shown_at = _first_within(contrasts, margin=margin, nominal=equivalence, first=first, floor=floor)
        if shown_at is None:
            break
        # No sooner than the level above it.
        reached.append((level, max(shown_at, reached[-1][1]) if reached else shown_at))
    return differences, sign, reached


def _statement(
    differences: Floats,
    levels: Sequence[float],
    reached: Sequence[tuple[float, int]],
    *,
    n: int,
    margin: float,
    sign: float,
    floor: float,
) -> Plateau:
    return Plateau(
        levels=tuple(levels),
        start=next((level for level, at in reversed(reached) if at <= n), None),
        gaps=tuple(
            repeated_interval(contrasts, nominal=sign, floor=floor) for contrasts in differences[:n].T
        ),
        margin=margin,
        n=n,
    )


def isotonic_curve(values: ArrayLike, levels: Sequence[float], *, rising: bool = True) -> Floats:
    """The monotone curve closest to the levels' means, weighted by how well each is known: for the eye only."""
    table, _ = _table(values, levels)
    # A level of no measured spread would weigh infinitely; it weighs as much as the surest other.
    variances = np.array([spread(column) ** 2 for column in table.T])
    least = float(variances[variances > 0].min(initial=np.inf))
    weights = 1 / np.where(variances > 0, variances, least) if np.isfinite(least) else None
    return isotonic(table.mean(axis=0), weights=weights, rising=rising)


def _first_within(
    contrasts: Floats, *, margin: float, nominal: float, first: int, floor: float
) -> int | None:
    """The number of seeds whose look was the first to show that the contrast is smaller than the margin."""
    values = np.ascontiguousarray(contrasts)
    equal = all_equal_so_far(values)
    for n in range(max(first, 2), values.size + 1):
        if equal[n - 1]:
            continue
        # `repeated_interval`, of values that are known to be finite and not all equal: a quarter of the time.
        seen = values[:n]
        mean = float(np.add.reduce(seen)) / n
        error = spread_about(mean, seen, floor=floor) / math.sqrt(n)
        if student_interval(mean, error, freedom=n - 1, nominal=nominal).within(margin):
            return n
    return None


def _table(values: ArrayLike, levels: Sequence[float]) -> tuple[Floats, Floats]:
    """The values as (seeds, levels) and the levels in doublings."""
    table = np.asarray(values, dtype=np.float64)
    places = np.asarray(levels, dtype=np.float64)
    if places.size < 2 or np.any(places <= 0) or np.any(np.diff(places) <= 0):
        raise FairtrialError(f"expected at least two levels above zero, increasing, got {list(levels)}")
    if table.ndim != 2 or table.shape[1] != places.size or not table.shape[0]:
        raise FairtrialError(f"expected one row per seed of {places.size} levels, got shape {table.shape}")
    if not np.all(np.isfinite(table)):
        raise FairtrialError("a level has no value on some seed: a curve needs every level on every seed")
    return table, np.log2(places)
