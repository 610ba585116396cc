"""A statement that needs no bell curve: on how many seeds the variant came out ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.stats.intervals import all_equal, finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """Seeds on which the variant was higher, lower, or the same."""

    higher: int
    lower: int
    same: int
    evidence: float
    """An e-value against "higher and lower are equally likely": 20 or more at any look, whenever one
    stops, has probability at most 1 in 20 where that is so."""
    skewed: bool
    """Whether the contrasts are so lopsided that an interval for their mean deserves doubt."""


def signs(contrasts: ArrayLike) -> Signs:
    """Counts of signs, with an e-value that is valid at every look for any distribution.

    The e-value mixes all chances of "higher" equally: 2^n k! (n-k)! / (n+1)! for k of n untied
    seeds; 8 of 8 is the first unanimous count to reach 20. Skewed means a sample skewness beyond two of
    its standard errors under normality, sqrt(6 (n-2) / ((n+1) (n+3))).

    >>> found = signs([0.1, 0.3, 0.2, 0.1, 0.4, 0.2, 0.3, 0.2])
    >>> found.higher, found.lower, round(found.evidence, 2)
    (8, 0, 28.44)
    """
    values = finite(contrasts)
    higher, lower = int(np.count_nonzero(values > 0)), int(np.count_nonzero(values < 0))
    untied = higher + lower
    log_evidence = (
        untied * math.log(2) + math.lgamma(higher + 1) + math.lgamma(lower + 1) - math.lgamma(untied + 2)
    )
    return Signs(
        higher=higher,
        lower=lower,
        same=values.size - untied,
        evidence=math.exp(min(log_evidence, 700.0)),
        skewed=_skewed(values),
    )


def _skewed(values: NDArray[np.float64]) -> bool:
    n = values.size
    if n < 4 or all_equal(values):
        return False
    centred = values - values.mean()
    skewness = float(np.sum(centred * centred * centred)) / n / (float(np.sum(centred * centred)) / n) ** 1.5
    return abs(skewness) > 2 * math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
