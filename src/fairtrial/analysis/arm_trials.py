"""An arm and what its trials measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fairtrial.study.schema import Arm
from fairtrial.trial import METRICS, StoredTrial

PHASES = ("setup", "train", "validation", "fit", "last_epoch", "test")


@dataclass(frozen=True, kw_only=True)
class ArmTrials:
    """An arm and its trials of this engine version, in seed order.

    `parameters` counts all weights; None where its network is the user's own and no trial has told yet.
    """

    arm: Arm
    parameters: int | None
    trials: tuple[StoredTrial, ...]

    @property
    def by_seed(self) -> Mapping[int, StoredTrial]:
        return self._by_seed

    @cached_property
    def _by_seed(self) -> Mapping[int, StoredTrial]:
        return {trial.seed: trial for trial in self.trials}

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.arm.name,
            "title": self.arm.title,
            "parameters": self.parameters,
            "trials": [trial_dict(trial) for trial in self.trials],
        }


def trial_dict(trial: StoredTrial) -> dict[str, Any]:
    """One trial as plain values. A metric that a diverged trial does not have is None."""
    outcome = trial.outcome
    return {
        "seed": trial.seed,
        "state": outcome.state,
        "key": trial.key,
        "epochs": outcome.epochs,
        "precision": trial.precision,
        **{name: outcome.metrics.get(name) for name in METRICS},
        **{f"{phase}_seconds": outcome.seconds.get(phase) for phase in PHASES},
        "reason": outcome.reason or None,
        "weights_sha256": outcome.weights_sha256 or None,
        "history": [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in record._asdict().items()
            }
            for record in outcome.history
        ],
    }
