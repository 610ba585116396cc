"""The smallest difference that matters, as people write it: `0.1pp`, `2%`, or a plain number."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from fairtrial.comparison.values import Runs
from fairtrial.errors import FairtrialError
from fairtrial.study.tree import shortened

DEFAULT = 0.001
"""0.1 percentage points of an accuracy between 0 and 1."""
_WRITTEN = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?)\s*(pp|%|)")
_FIRST = 3
_FAR = 20
"""Two groups of runs in one unit are hardly ever this many times apart."""


def read(written: str) -> float | str:
    """What was written; as a number where it has no unit. Raises FairtrialError for what is no amount."""
    amount, unit = _parsed(written)
    return written if unit else amount


def percent_scale(written: float | str, *, variant: Runs, baseline: Runs) -> float | None:
    """By how much to multiply the numbers to show them in percent; None where they are shown as they are.

    They are shown in percent where the margin is in percentage points.
    """
    if not isinstance(written, str) or not written.strip().endswith("pp"):
        return None
    return _percent(written, np.concatenate([variant.in_order, baseline.in_order]))


def margin_of(written: float | str, *, variant: Runs, baseline: Runs) -> float:
    """The margin in the unit of the numbers.

    A plain number is in that unit already; `pp` is hundredths of numbers between 0 and 1, and ones of
    percentages; `%` is a share of the baseline's mean over its first three finished seeds, so that later
    seeds do not move it.
    """
    amount, unit = _parsed(written)
    if unit == "pp":
        scale = _percent(written, np.concatenate([variant.in_order, baseline.in_order]))
        # Of percentages the amount as it was written: 0.7 / 100 * 100 is not 0.7 in binary.
        return amount if scale > 1 else float(Decimal(repr(amount)) * 100)
    if unit == "%":
        values = baseline.in_order
        first = values[np.isfinite(values)][:_FIRST]
        mean = abs(float(first.mean())) if first.size else 0.0
        if not mean > 0:
            raise FairtrialError(
                f"margin {written}: it is a share of the baseline's mean over its first {_FIRST} seeds, and "
                f"{baseline.name} has none that differs from 0; give the margin as a plain number"
            )
        return amount * mean
    return amount


def unsuited(written: float | str, *, variant: Runs, baseline: Runs) -> bool:
    """Whether the margin is the one meant for accuracies while the numbers are none."""
    if isinstance(written, str) or written != DEFAULT:
        return False
    return _outside(np.concatenate([variant.in_order, baseline.in_order])) is not None


def two_units(variant: Runs, baseline: Runs) -> str:
    """What looks like shares on one side and percentages on the other; empty where nothing does.

    Losses of two very different arms may look so too, so that it is said and nothing is refused.
    """
    low, high = sorted((variant, baseline), key=lambda group: np.nanmax(group.in_order, initial=-np.inf))
    most, least = (
        float(np.nanmax(low.in_order, initial=-np.inf)),
        float(np.nanmin(high.in_order, initial=np.inf)),
    )
    if not (0 < most <= 1 < least <= 100 and least > _FAR * most):
        return ""
    return f"{low.name} has numbers up to {most:.4g}, {high.name} from {least:.4g} on"


def _percent(written: float | str, values: NDArray[np.float64]) -> float:
    """100 for shares between 0 and 1, 1 for percentages above 1; what is neither is refused."""
    finite = values[np.isfinite(values)]
    if _outside(finite) is None:
        return 100.0
    if np.all((finite > 1) & (finite <= 100)):
        return 1.0
    raise FairtrialError(
        f"margin {written}: percentage points are for numbers that are all shares between 0 and 1, or all percentages "
        f"above 1, but these run from {finite.min():g} to {finite.max():g}; give the margin as a plain number in "
        f"the numbers' own unit"
    )


def _parsed(written: float | str) -> tuple[float, str]:
    found = _WRITTEN.fullmatch(written.strip()) if isinstance(written, str) else None
    if found is not None:
        amount, unit = Decimal(found[1]), found[2]
        # Decimal, because 0.7 * 0.01 is not 0.007 in binary.
        amount = float(amount / 100 if unit else amount)
    elif isinstance(written, str):
        amount, unit = math.nan, ""
    else:
        amount, unit = float(written), ""
    if not 0 < amount < math.inf:
        raise FairtrialError(
            f"margin {shortened(str(written))}: the smallest difference that matters is an amount above 0 such as 0.1pp, "
            f"2% or 0.001"
        )
    return amount, unit


def _outside(values: NDArray[np.float64]) -> float | None:
    """A finite value that is no share, if there is one."""
    found = values[np.isfinite(values) & ((values < 0) | (values > 1))]
    return float(found[0]) if found.size else None
