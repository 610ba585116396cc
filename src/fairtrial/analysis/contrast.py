"""Variant and baseline side by side: the same metric on the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from fairtrial.study.schema import Margins, Metric, On
from fairtrial.trial import StoredTrial

Over = Literal["last_epoch", "end"]


class Trained(Protocol):
    """What a contrast needs of an arm: its trials, by seed."""

    @property
    def by_seed(self) -> Mapping[int, StoredTrial]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One metric of two arms on the seeds both have finished, in seed order; for time, on the pairs timed.

    `variant` and `baseline` hold one value per seed in the metric's unit (seconds for time);
    `differences` is variant minus baseline, for time the logarithm of their ratio. `looked_at` are
    the seeds 1, 2, … without a gap whose contrast is known: both arms have an outcome for it, or one diverged.
    """

    metric: Metric
    seeds: tuple[int, ...]
    variant: NDArray[np.float64]
    baseline: NDArray[np.float64]
    looked_at: tuple[int, ...]
    beyond: tuple[int, ...] = ()
    """Seeds without a gap beyond the horizon, where the guarantee ends: not looked at."""

    @property
    def differences(self) -> NDArray[np.float64]:
        if self.metric == "time":
            return np.log(self.variant) - np.log(self.baseline)
        return self.variant - self.baseline

    @property
    def contrasts(self) -> NDArray[np.float64]:
        """One difference for each seed looked at, in seed order; NaN where a trial has no value."""
        known = dict(zip(self.seeds, self.differences.tolist(), strict=True))
        return np.array([known.get(seed, math.nan) for seed in self.looked_at], dtype=np.float64)

    @property
    def estimate(self) -> float | None:
        """Mean contrast as shown: a difference, or for time the ratio of geometric means."""
        if not self.seeds:
            return None
        mean = float(self.differences.mean())
        return math.exp(mean) if self.metric == "time" else mean

    @property
    def pairing_correlation(self) -> float | None:
        """Correlation of the two arms over seeds; None below three seeds or without any spread."""
        if len(self.seeds) < 3 or not (np.ptp(self.variant) > 0 and np.ptp(self.baseline) > 0):
            return None
        return float(np.corrcoef(self.variant, self.baseline)[0, 1])


def contrast(
    variant: Trained,
    baseline: Trained,
    *,
    metric: Metric,
    on: On | None,
    over: Over | None,
    horizon: int,
) -> Contrast:
    """The metric of both arms on seeds 1, 2, … to the horizon or the first one that either arm lacks.

    A gap ends it because what lies beyond is not a random choice of seeds: those that finished
    first are those that train fast. A seed on which one arm diverged is looked at and has no value, whatever
    the other arm came to, so that it makes no difference whether that one was trained yet.
    """
    variants, baselines = variant.by_seed, baseline.by_seed
    looked_at: list[int] = []
    beyond: list[int] = []
    pairs: list[tuple[int, float, float]] = []
    while _known(seed := len(looked_at) + len(beyond) + 1, variants, baselines):
        if seed > horizon:
            beyond.append(seed)
            continue
        looked_at.append(seed)
        values = [
            value(arm[seed], metric=metric, on=on, over=over) if seed in arm else None
            for arm in (variants, baselines)
        ]
        if values[0] is not None and values[1] is not None:
            pairs.append((seed, values[0], values[1]))
    return Contrast(
        metric=metric,
        seeds=tuple(seed for seed, _, _ in pairs),
        variant=np.array([of_variant for _, of_variant, _ in pairs], dtype=np.float64),
        baseline=np.array([of_baseline for _, _, of_baseline in pairs], dtype=np.float64),
        looked_at=tuple(looked_at),
        beyond=tuple(beyond),
    )


def _known(seed: int, *arms: Mapping[int, StoredTrial]) -> bool:
    """Whether the contrast on this seed can be told: it cannot once one of the two has diverged."""
    return all(seed in arm for arm in arms) or any(
        seed in arm and arm[seed].outcome.state == "diverged" for arm in arms
    )


def value(trial: StoredTrial, *, metric: Metric, on: On | None, over: Over | None) -> float | None:
    """What one trial measured, None if it diverged or measured no such thing. Never a time: trials run side by side (see `timing`)."""
    if trial.outcome.state != "finished":
        return None
    return trial.outcome.metrics.get(f"{on}_{metric}" + ("_last_epoch" if over == "last_epoch" else ""))


def margin(margins: Margins, contrast: Contrast) -> float | None:
    """The smallest contrast that matters, in the unit the answer shows."""
    match contrast.metric:
        case "accuracy":
            return margin_of(margins.accuracy, contrast)
        case "time":
            return margin_of(margins.time, contrast)
        case "loss":
            return margin_of(margins.loss, contrast)


def margin_of(stated: float, contrast: Contrast) -> float | None:
    """A margin as a study states it, in the unit the answer shows.

    For loss it is a share of the baseline's mean over its first three seeds, then frozen: None until
    there are three.
    """
    if contrast.metric != "loss":
        return stated
    return stated * float(contrast.baseline[:3].mean()) if len(contrast.seeds) >= 3 else None
