"""Arms that differ in one numeric setting alone, in its order, and their values seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.contrast import Over, value
from fairtrial.analysis.judgement import repeated_weights
from fairtrial.analysis.values import ArmTrials
from fairtrial.study.factors import Difference, differences
from fairtrial.study.schema import Arm, Metric, On

Floats = NDArray[np.float64]
Unsound = Callable[[ArmTrials], bool]
"""Whether one of an arm's runs diverged or failed."""


def ordered_difference(one: Arm, other: Arm) -> Difference | None:
    """The one setting in which the two arms differ, if it is a number in both."""
    apart = differences(one, other)
    if len(apart) != 1 or not (is_number(apart[0].variant) and is_number(apart[0].baseline)):
        return None
    return apart[0]


def levels_of(path: str, pivot: Arm, arms: Iterable[Arm]) -> dict[float, Arm]:
    """The arms that differ from `pivot` in the number at `path` alone, by that number, in the order given.

    The pivot itself is not among them. Of several arms with one number the first counts.
    """
    found: dict[float, Arm] = {}
    for other in arms:
        apart = differences(other, pivot)
        if len(apart) == 1 and apart[0].path == path and is_number(apart[0].variant):
            found.setdefault(float(apart[0].variant), other)
    return found


def is_number(setting: object) -> TypeGuard[int | float]:
    return isinstance(setting, int | float) and not isinstance(setting, bool)


def values_by_seed(
    arms: Sequence[ArmTrials], *, metric: Metric, on: On | None, over: Over | None, horizon: int
) -> Floats:
    """Values of shape (seeds, arms), on seeds 1, 2, … to the horizon or the first that any arm lacks.

    NaN where a trial diverged.
    """
    by_seed = [arm.by_seed for arm in arms]
    rows: list[list[float]] = []
    while len(rows) < horizon and all(len(rows) + 1 in trials for trials in by_seed):
        row = [value(trials[len(rows) + 1], metric=metric, on=on, over=over) for trials in by_seed]
        rows.append([np.nan if one is None else one for one in row])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(arms))


def lacking(compared: Sequence[ArmTrials], count: int, *, least: int, unsound: Unsound) -> str:
    """Why the first `count` seeds of these arms settle nothing, or empty if they may."""
    for arm in compared:
        if unsound(arm):
            return f"runs of {arm.arm.name} diverged or failed"
    if count < least:
        short = [arm.arm.name for arm in compared if len(arm.trials) < least]
        return f"it takes at least {least} seeds of {', '.join(short) or 'each arm, in order'}"
    if any(repeated_weights(arm, seeds=tuple(range(1, count + 1))) for arm in compared):
        return "seeds with identical weights settle nothing"
    return ""


def by_level(levels: Mapping[float, ArmTrials]) -> tuple[tuple[float, ...], tuple[ArmTrials, ...]]:
    """The levels above zero, rising, and their arms: from zero there is no doubling."""
    rising = tuple(sorted(level for level in levels if level > 0))
    return rising, tuple(levels[level] for level in rising)
