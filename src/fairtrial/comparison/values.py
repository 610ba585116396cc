"""Runs as they came, and what comparing two groups of them found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.stats.verdict import Verdict

LARGEST = 1e100
"""Squares of anything larger are no longer numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """One number per run of one group; NaN for a run that failed or diverged."""

    name: str
    values: tuple[float, ...]
    seeds: tuple[int, ...] | None
    """The seed of each value, each seed once; None where runs have none."""

    @property
    def by_seed(self) -> Mapping[int, float]:
        return dict(zip(self.seeds or (), self.values, strict=self.seeds is not None))

    @property
    def in_order(self) -> NDArray[np.float64]:
        """The values in seed order, or as they came where there are no seeds."""
        if self.seeds is None:
            return np.array(self.values, dtype=np.float64)
        return np.array([value for _, value in sorted(self.by_seed.items())], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Variant minus baseline in the numbers' own unit, with what it takes to believe it.

    `low` and `high` are the interval of the mean difference at this comparison's share of the
    allowed error; None where nothing bounds it, or where a failed run voids it. `estimate` and the
    means are None where no run of a group finished.
    """

    metric: str
    variant: str
    baseline: str
    verdict: Verdict
    variant_mean: float | None
    baseline_mean: float | None
    estimate: float | None
    low: float | None
    high: float | None
    margin: float
    confidence: float
    """Of all comparisons made together; this one's error is (1 - confidence) / comparisons."""
    comparisons: int
    paired: bool
    n: int
    """Seeds both have; where runs are unpaired, runs of both groups together."""
    n_variant: int
    n_baseline: int
    """Runs given of either group, failed and left-out ones included."""
    pairing_correlation: float | None
    method: str
    caveats: tuple[str, ...]
    sentence: str

    @property
    def seeds(self) -> int | None:
        """Seeds both have; None where runs are unpaired."""
        return self.n if self.paired else None

    @property
    def settled(self) -> bool:
        """Whether the verdict answers the question; `undecided` and `unstable` do not."""
        return self.verdict not in (Verdict.UNDECIDED, Verdict.UNSTABLE)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as `fairtrial compare --json` prints it."""
        return {
            "metric": self.metric,
            "variant": self.variant,
            "baseline": self.baseline,
            "verdict": self.verdict.value,
            "variant_mean": self.variant_mean,
            "baseline_mean": self.baseline_mean,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "margin": self.margin,
            "confidence": self.confidence,
            "comparisons": self.comparisons,
            "paired": self.paired,
            "n": self.n,
            "seeds": self.seeds,
            "n_variant": self.n_variant,
            "n_baseline": self.n_baseline,
            "pairing_correlation": self.pairing_correlation,
            "method": self.method,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in self.caveats)
        return f"<p>{escape(self.sentence)}</p>" + (f"<ul>{caveats}</ul>" if caveats else "")


def known(value: float) -> float | None:
    """None for what is infinite or not a number, as JSON has neither."""
    return float(value) if math.isfinite(value) else None
