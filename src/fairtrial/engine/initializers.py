"""Keras's initialisers, drawn with NumPy in Keras's layout so that Keras can start from the same weights."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairtrial.study.layers import Initializer

_SCALE_AND_MODE: dict[str, tuple[float, Literal["fan_in", "fan_avg"]]] = {
    "glorot": (1.0, "fan_avg"),
    "he": (2.0, "fan_in"),
    "lecun": (1.0, "fan_in"),
}

# The standard deviation of a standard normal cut off at two: dividing by it restores the variance.
_TRUNCATED_DEVIATION = 0.87962566103423978


def draw(
    initializer: Initializer, shape: tuple[int, ...], *, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Weights of a kernel of `shape`: (in, out) for dense, (height, width, in, out) for conv.

    `*_uniform` is uniform between plus and minus sqrt(3 variance); `*_normal` is normal, redrawn
    beyond two of its standard deviations, with its variance restored.
    """
    deviation = math.sqrt(variance(initializer, shape))
    if initializer.endswith("_uniform"):
        limit = math.sqrt(3.0) * deviation
        return generator.uniform(-limit, limit, shape).astype(np.float32)
    values = generator.standard_normal(shape)
    while (beyond := np.abs(values) > 2.0).any():
        values[beyond] = generator.standard_normal(int(beyond.sum()))
    return (values * (deviation / _TRUNCATED_DEVIATION)).astype(np.float32)


def variance(initializer: Initializer, shape: tuple[int, ...]) -> float:
    """The variance that `initializer` gives the weights of a kernel of `shape`.

    >>> variance("he_uniform", (200, 50)), variance("glorot_normal", (3, 3, 32, 64))
    (0.01, 0.0023148148148148147)
    """
    scale, mode = _SCALE_AND_MODE[initializer.split("_")[0]]
    fan_in, fan_out = fans(shape)
    return scale / (fan_in if mode == "fan_in" else (fan_in + fan_out) / 2)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Weights that reach one output, and weights that leave one input.

    >>> fans((784, 50)), fans((3, 3, 32, 64))
    ((784, 50), (288, 576))
    """
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]
