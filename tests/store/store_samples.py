"""Trials and outcomes to store, drawn from the seed, without training anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from fairtrial.store.outcomes import PHASES
from fairtrial.study.schema import Arm, ArmSettings, Mlp, NetworkSettings
from fairtrial.trial import METRICS, EpochRecord, Outcome, Predictions, StoredTrial, Trial

PROVENANCE = {"fairtrial": "0.1.0", "torch": "2.13.0", "processor": "a processor — of some kind"}


def trial_of(seed: int, *, width: int = 50) -> Trial:
    arm = Arm(name=f"width-{width}", settings=ArmSettings(network=NetworkSettings(mlp=Mlp(width=width))))
    return Trial(arm=arm, seed=seed, precision="float32")


def predictions_of(seed: int, *, images: int = 100) -> Predictions:
    rng = np.random.default_rng(seed)
    return Predictions(
        classes=rng.integers(0, 10, images, dtype=np.uint8),
        probabilities=rng.random(images).astype(np.float32),
        right=rng.integers(0, 6, images, dtype=np.uint8),
        evaluations=5,
    )


def history_of(seed: int, epochs: int) -> tuple[EpochRecord, ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        EpochRecord(
            epoch=epoch,
            train_accuracy=rng.random(),
            train_loss=rng.random(),
            validation_accuracy=rng.random(),
            validation_loss=rng.random(),
            train_seconds=rng.random(),
            validation_seconds=rng.random(),
        )
        for epoch in range(1, epochs + 1)
    )


def finished(trial: Trial, *, epochs: int = 5, images: int = 100) -> Outcome:
    rng = np.random.default_rng(trial.seed)
    return Outcome(
        key=trial.key,
        state="finished",
        epochs=epochs,
        metrics={name: rng.random() for name in METRICS},
        seconds={phase: rng.random() for phase in PHASES},
        history=history_of(trial.seed, epochs),
        provenance=PROVENANCE,
        weights_sha256=f"{trial.seed:064x}",
        predictions=predictions_of(trial.seed, images=images),
    )


def diverged(trial: Trial) -> Outcome:
    return Outcome(
        key=trial.key,
        state="diverged",
        epochs=1,
        metrics={},
        seconds={"train": 0.5},
        history=history_of(trial.seed, 1),
        provenance=PROVENANCE,
        reason="training loss became nan in epoch 2",
    )


def plain(stored: StoredTrial) -> dict[str, Any]:
    """As JSON has it: an epoch's record by its names."""
    body = asdict(stored)
    body["outcome"]["history"] = [record._asdict() for record in stored.outcome.history]
    return body
