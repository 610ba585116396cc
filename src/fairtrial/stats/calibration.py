"""Whole studies simulated through the very code that judges real ones, to see whether the promise holds.

Contrasts are drawn normal with a known mean, so that every verdict sentence can be called true or false.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.stats.looks import Look, look, replay
from fairtrial.stats.verdict import Verdict

Floats = NDArray[np.float64]
Stopping = Callable[[Floats], Look]
"""From all contrasts a question could ever have to the look at which asking ended."""

_MATTERS = (Verdict.INCREASE_MATTERS, Verdict.DECREASE_MATTERS)
_WITHIN = (Verdict.INCREASE_SMALL, Verdict.DECREASE_SMALL, Verdict.NO_DIFFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What came of many studies that differ in nothing but chance."""

    studies: int
    questions: int
    effect: float
    sd: float
    false: float
    """Share of studies in which any verdict sentence was untrue."""
    seeds: float
    """Mean number of seeds a question used."""
    undecided: float
    """Share of questions that ended undecided."""

    @property
    def error(self) -> float:
        """Standard error of `false`, no less than that of one false study."""
        share = max(self.false, 1 / self.studies)
        return math.sqrt(share * (1 - share) / self.studies)

    def exceeds(self, nominal: float) -> bool:
        """Whether `false` is above `nominal` by more than four standard errors of a share `nominal`."""
        return self.false > nominal + 4 * math.sqrt(nominal * (1 - nominal) / self.studies)


def is_false(verdict: Verdict, *, effect: float, margin: float) -> bool:
    """Whether the verdict says anything untrue where the mean contrast is `effect`.

    >>> is_false(Verdict.INCREASE_SMALL, effect=0.1, margin=0.1)
    True
    >>> is_false(Verdict.INCREASE_UNSIZED, effect=0.1, margin=0.1)
    False
    """
    if verdict.direction and not effect * verdict.direction > 0:
        return True
    if verdict in _MATTERS:
        return abs(effect) < margin
    if verdict in _WITHIN:
        return abs(effect) >= margin
    return verdict is Verdict.NOT_WORSE and effect <= -margin


def fair(*, margin: float, alpha: float, horizon: int) -> Stopping:
    """Look after every seed; stop at the first verdict or at the horizon. What fairtrial does."""

    def stopping(contrasts: Floats) -> Look:
        return _first_settled(
            contrasts, lambda seen: look(seen, margin=margin, alpha=alpha, horizon=horizon), horizon=horizon
        )

    return stopping


def sharpened(*, margin: float, alpha: float, horizon: int) -> Stopping:
    """Train on to the horizon whatever was said, and let verdicts sharpen."""

    def stopping(contrasts: Floats) -> Look:
        return replay(contrasts[:horizon], margin=margin, alpha=alpha, horizon=horizon)[-1]

    return stopping


def peeking(*, margin: float, alpha: float, horizon: int) -> Stopping:
    """Look after every seed, each look as if it were the only one ever taken. What people do."""

    def stopping(contrasts: Floats) -> Look:
        return _first_settled(
            contrasts,
            lambda seen: look(seen, margin=margin, alpha=alpha, first=seen.size, horizon=seen.size),
            horizon=horizon,
        )

    return stopping


def calibrate(
    stopping: Stopping,
    *,
    studies: int,
    effect: float,
    sd: float,
    margin: float,
    horizon: int,
    questions: int = 1,
    rng: np.random.Generator,
) -> Calibration:
    """Simulate `studies` studies of `questions` questions that share a baseline.

    Every question's contrasts have mean `effect` and spread `sd`; sharing the baseline makes those of
    two questions correlate by a half. `stopping` is told a question's own share of alpha beforehand.
    """
    false = seeds = undecided = 0
    for _ in range(studies):
        runs = rng.normal(0.0, sd / math.sqrt(2), size=(questions + 1, horizon))
        ended = [stopping(effect + variant - runs[0]) for variant in runs[1:]]
        false += any(is_false(seen.standing, effect=effect, margin=margin) for seen in ended)
        seeds += sum(seen.n for seen in ended)
        undecided += sum(not seen.standing.settled for seen in ended)
    return Calibration(
        studies=studies,
        questions=questions,
        effect=effect,
        sd=sd,
        false=false / studies,
        seeds=seeds / studies / questions,
        undecided=undecided / studies / questions,
    )


def _first_settled(contrasts: Floats, judged: Callable[[Floats], Look], *, horizon: int) -> Look:
    for n in range(3, horizon):
        seen = judged(contrasts[:n])
        if seen.verdict.settled:
            return seen
    return judged(contrasts[:horizon])
