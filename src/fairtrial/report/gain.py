"""What deciding on last-epoch means is worth, arm by arm: spread over seeds, and seeds saved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.values import ArmTrials
from fairtrial.study.schema import On
from fairtrial.trial import StoredTrial

FEWEST = 3
PLACES: tuple[On, ...] = ("validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Standard deviations of one arm's accuracy over its seeds: at the end of training, of the last-epoch mean."""

    end: float
    mean: float

    @property
    def ratio(self) -> float | None:
        """How many times the seeds the end value needs for the same interval; None without any spread."""
        return (self.end / self.mean) ** 2 if self.mean > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmGain:
    """The gain of one arm, on validation and test images."""

    name: str
    seeds: int
    on: Mapping[On, Gain]


def gains(arms: Mapping[str, ArmTrials]) -> tuple[ArmGain, ...]:
    """Every arm of at least three finished seeds; one that stands there under two names counts once."""
    found: dict[str, ArmGain] = {}
    for name, arm in arms.items():
        finished = [
            trial
            for trial in arm.trials
            if trial.outcome.state == "finished" and not arm.arm.is_command  # one may give one moment alone
        ]
        if len(finished) < FEWEST:
            continue
        gain: dict[On, Gain] = {on: _gain(finished, on) for on in PLACES}
        found.setdefault(finished[0].arm_key, ArmGain(name=name, seeds=len(finished), on=gain))
    return tuple(found.values())


def _gain(finished: Sequence[StoredTrial], on: On) -> Gain:
    end, mean = (
        np.std([trial.outcome.metrics[f"{on}_accuracy{over}"] for trial in finished], ddof=1)
        for over in ("", "_last_epoch")
    )
    return Gain(end=float(end), mean=float(mean))


def typical(found: Sequence[ArmGain], on: On) -> float | None:
    """The geometric mean of the arms' ratios, weighted by the degrees of freedom each rests on."""
    weighed = [
        (arm.seeds - 1, math.log(ratio))
        for arm in found
        if (ratio := arm.on[on].ratio) is not None and ratio > 0
    ]
    total = sum(weight for weight, _ in weighed)
    return math.exp(sum(weight * value for weight, value in weighed) / total) if total else None


def gain_table(found: Sequence[ArmGain]) -> Iterator[str]:
    """The gains as a table in Markdown, a line for each arm and one for all of them."""
    if not found:
        yield f"No arm has {FEWEST} seeds yet."
        return
    yield "| arm | seeds | validation: SD at the end, of the mean (pp) | seeds, end : mean | test: SD at the end, of the mean (pp) | seeds, end : mean |"
    yield "|---|---|---|---|---|---|"
    for arm in found:
        cells = [text for on in PLACES for text in (_spreads(arm, on), _times(arm.on[on].ratio))]
        yield f"| {escaped(arm.name)} | {arm.seeds} | {' | '.join(cells)} |"
    if len(found) > 1:
        cells = [text for on in PLACES for text in ("", _times(typical(found, on)))]
        yield f"| all, by degrees of freedom | {sum(arm.seeds for arm in found)} | {' | '.join(cells)} |"


def _spreads(arm: ArmGain, on: On) -> str:
    return f"{100 * arm.on[on].end:.3f}, {100 * arm.on[on].mean:.3f}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f} : 1"
