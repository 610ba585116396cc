"""How the engine's own loops are compiled: once for a machine, with vectors as wide as it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# Sums may be reordered into vectors and divisions may become products; NaN and infinity keep their meaning.
FAST = {"contract", "reassoc", "nsz", "arcp"}
_OPTIONS = {"error_model": "numpy", "fastmath": FAST, "nogil": True}

compiled: Callable[[Callable[..., Any]], Any] = njit(**_OPTIONS)
"""Compiled as a part of what calls it. Both belong in one file: the kept code of another is not made anew."""


def kept(function: Callable[..., Any]) -> Any:
    """Compiled once for a machine, where there is a folder to keep it in; else once for each worker."""
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return njit(**_OPTIONS)(function)
