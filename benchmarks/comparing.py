"""One row's figures held against each other, and what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.contenders import KERAS, OURS
from benchmarks.results import Results, RowResult
from benchmarks.roofline import Bound, Ceilings, bound
from benchmarks.scaling import Measurement, middle

AT_LEAST = {
    "width-50": 5.0,
    "width-200": 5.0,
    "width-1000": 2.5,
    "depth-3": 2.5,
    "depth-5": 2.5,
    "sigmoid": 2.5,
    "tanh": 2.5,
    "lr-0.0001": 2.5,
    "lr-0.02": 2.5,
    "combined": 2.5,
    "batch-10000": 1.8,
    "cnn-1": 2.0,
    "cnn-2": 2.5,
    "cnn-3": 2.5,
    "batch-1": 10.0,
}
"""What the ratio of tf.keras's whole fit to our seconds per trial with all cores busy has to reach."""

MEAN_AT_LEAST = 3.5
"""The same for the geometric mean of these ratios over all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A row: each contender's medians over its rounds."""

    name: str
    result: RowResult
    ceilings: Ceilings
    medians: Mapping[str, Measurement]

    @property
    def ours(self) -> Measurement:
        return self.medians[OURS]

    @property
    def rounds(self) -> int:
        return len(self.result.rounds[OURS])

    def ratio(self, peer: str) -> float | None:
        """The peer's whole fit over our seconds per trial; None if the peer was not measured."""
        there = self.medians.get(peer)
        return there.fit_seconds / self.ours.fit_seconds if there else None

    @property
    def short(self) -> bool:
        """Whether tf.keras was measured and the ratio to it is below what is asked."""
        ratio = self.ratio(KERAS)
        return ratio is not None and ratio < AT_LEAST[self.name]

    def bound(self, contender: str) -> Bound:
        """The least seconds of an epoch in the contender's number format."""
        precision = self.result.precision if contender == OURS else "float32"
        return bound(self.result.work, self.ceilings, precision=precision)

    def share(self, contender: str) -> float:
        """Of a steady epoch, the part that the bound says it must take."""
        return self.bound(contender).seconds / self.medians[contender].epoch_seconds

    def flops_a_second(self, contender: str) -> float:
        return self.result.work.flops / self.medians[contender].epoch_seconds


def compared(results: Results) -> list[Compared]:
    """The rows that were measured, in the order of what is asked of them."""
    found: list[Compared] = []
    for name in AT_LEAST:
        if (result := results.rows.get(name)) is None:
            continue
        ceilings = results.runs[result.run].ceilings
        if ceilings is None:
            raise ValueError(f"row {name}: the run of {result.run} has no ceilings")
        medians = {contender: middle(rounds) for contender, rounds in result.rounds.items()}
        found.append(Compared(name=name, result=result, ceilings=ceilings, medians=medians))
    return found


def geometric_mean(values: Iterable[float]) -> float:
    """
    >>> geometric_mean([2.0, 8.0])
    4.0
    """
    return math.exp(math.fsum(logs := [math.log(value) for value in values]) / len(logs))
