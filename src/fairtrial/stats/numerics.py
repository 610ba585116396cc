"""The five functions of scipy that the statistics rest on, with types (scipy ships none).

`scipy.stats` itself is not used: it takes a second to import, and its t distribution is these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

_special = cast(Any, special)


def student_quantile(probability: float, freedom: float) -> float:
    """The value below which Student's t of `freedom` degrees of freedom falls with `probability`."""
    return float(_special.stdtrit(freedom, probability))


def student_cdf(value: float, freedom: float) -> float:
    return float(_special.stdtr(freedom, value))


def normal_quantile(probability: float) -> float:
    return float(_special.ndtri(probability))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a continuous function changes sign between `low` and `high` (Brent's method)."""
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    return float(cast(Any, optimize).brentq(function, low, high, xtol=1e-11, rtol=1e-12))


def isotonic(
    values: NDArray[np.float64], *, weights: NDArray[np.float64] | None, rising: bool
) -> NDArray[np.float64]:
    """The monotone sequence with the least weighted squared distance to `values`."""
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    fitted = cast(Any, optimize).isotonic_regression(values, weights=weights, increasing=rising)
    return np.asarray(fitted.x, dtype=np.float64)
