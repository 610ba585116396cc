"""Anybody's numbers, held against each other: a file or two, or arrays, to one verdict with its sentence."""

from __future__ import annotations

from fairtrial.comparison.judging import compare
from fairtrial.comparison.values import Comparison

__all__ = ["Comparison", "compare"]
