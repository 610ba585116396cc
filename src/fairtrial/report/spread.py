"""Mean and spread over seeds, with the count that makes them worth something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairtrial.analysis.clocks import seconds_of
from fairtrial.trial import StoredTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """`sd` is the standard deviation over seeds (n - 1 in the denominator), None for one seed."""

    mean: float
    sd: float | None
    n: int

    def around(self, digits: int = 4, scale: float = 1.0) -> str:
        """Without the count, where that stands once for a whole table.

        >>> Spread(mean=0.97812, sd=0.00113, n=5).around(2, 100), Spread(mean=12.0, sd=None, n=1).around(1)
        ('97.81 ± 0.11', '12.0')
        """
        around = "" if self.sd is None else f" ± {scale * self.sd:.{digits}f}"
        return f"{scale * self.mean:.{digits}f}{around}"

    def text(self, digits: int = 4) -> str:
        """
        >>> Spread(mean=0.97812, sd=0.00113, n=5).text(), Spread(mean=0.5, sd=None, n=1).text(2)
        ('0.9781 ± 0.0011 (n = 5)', '0.50 (n = 1)')
        """
        return f"{self.around(digits)} (n = {self.n})"


def spread(values: Sequence[float]) -> Spread | None:
    """None where nothing was measured."""
    if not values:
        return None
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(mean=float(np.mean(values)), sd=sd, n=len(values))


def metric_spread(trials: Sequence[StoredTrial], metric: str) -> Spread | None:
    """A metric of the trials that finished and measured it, by its name in METRICS."""
    return spread(
        [
            trial.outcome.metrics[metric]
            for trial in trials
            if trial.outcome.state == "finished" and metric in trial.outcome.metrics
        ]
    )


def seconds_spread(trials: Sequence[StoredTrial], phase: str, *, clock: str | None = None) -> Spread | None:
    """Seconds of one phase of the trials that finished on one machine, `clock` or that of `clock_of`."""
    return spread(seconds_of(trials, phase, clock=clock))
