"""What came of timing two arms in turn: the one sample that a question about time is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


def machine_called(host: str) -> str:
    """The short name by which a machine is known, in pairs and outcomes: it does not give its host name away."""
    return hashlib.sha256(host.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimes:
    """What one arm took in its turns, scaled from what was timed to its whole training.

    `train_seconds` is training alone, `fit_seconds` with one validation after each epoch, both by the
    wall clock; `process_seconds` is the processor time that `train_seconds` cost.
    """

    arm_key: str
    arm_name: str
    train_seconds: float
    fit_seconds: float
    process_seconds: float
    timed_steps: int
    timed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTimes:
    """Two arms timed in the order first, second, second, first, alone on the machine as far as we are concerned."""

    seed: int
    """Counts the pairs of these two arms; it drew their initial weights."""
    first: ArmTimes
    second: ArmTimes
    machine: str
    processor: str
    device: str
    load_average: float | None
    """The system's average over the last minute, when the pair began; None where it keeps none."""
    other_load: float | None
    """Processor cores that anything but this pair kept busy meanwhile; None where nothing tells."""
    seconds: float
    """What the pair took in all, warm-up included."""
    provenance: dict[str, str]
