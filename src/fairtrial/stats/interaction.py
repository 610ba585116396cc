"""Whether a whole is more or less than the sum of its parts: one contrast over several arms, seed by seed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError

Floats = NDArray[np.float64]


def interaction_contrasts(values: ArrayLike) -> Floats:
    """(whole - none) - sum over parts of (part - none), one for each seed, in the metric's unit.

    `values` has shape (seeds, 2 + parts): the arm with every part, the arm with none, then the arms with one
    part each, all on the same seeds. Zero where effects add up, above zero where the whole is more.

    >>> interaction_contrasts([[0.97, 0.90, 0.93, 0.95]]).round(6).tolist()
    [-0.01]
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 4:
        raise FairtrialError(
            f"expected values by seed, of two parts or more, got an array of shape {table.shape}"
        )
    return table @ weights(table.shape[1] - 2)


def weights(parts: int) -> Floats:
    """What each arm counts in the contrast: whole, none, then each part.

    >>> weights(3).tolist()
    [1.0, 2.0, -1.0, -1.0, -1.0]
    """
    return np.array([1.0, parts - 1.0, *[-1.0] * parts])


def interaction_floor(floor: float, *, parts: int) -> float:
    """The least spread to believe, from that of a contrast of two arms (`resolution_floor`)."""
    return floor / math.sqrt(2) * float(np.linalg.norm(weights(parts)))
