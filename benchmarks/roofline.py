"""What a machine can do at most, and how near to it a figure comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.rows import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """The machine with all its cores: measured, each by whatever got most out of it.

    `flops` by library within number format, in floating-point operations a second of a large matrix product;
    `bandwidth` in bytes a second, read and written.
    """

    flops: Mapping[str, Mapping[str, float]]
    bandwidth: float

    def peak(self, precision: str) -> float:
        """The most any library reached in this number format."""
        return max(self.flops[precision].values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The least seconds that work can take, and what keeps it from taking less."""

    seconds: float
    by: Literal["arithmetic", "memory"]


def bound(work: Work, ceilings: Ceilings, *, precision: str) -> Bound:
    """max(flops / peak, bytes / bandwidth).

    A program that leaves work out can beat it, and so can one whose weights stay in the caches where memory
    is what bounds.
    """
    arithmetic, memory = work.flops / ceilings.peak(precision), work.bytes / ceilings.bandwidth
    if arithmetic >= memory:
        return Bound(seconds=arithmetic, by="arithmetic")
    return Bound(seconds=memory, by="memory")
