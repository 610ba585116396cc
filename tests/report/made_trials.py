"""Trials with curves, predictions and weights as training would leave them, made at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from fairtrial.data import catalog
from fairtrial.engine.precision import resolve
from fairtrial.store import Claim, Store
from fairtrial.study.layers import Conv, Dense
from fairtrial.study.schema import Arm, Study
from fairtrial.study.shapes import arm_facts
from fairtrial.trial import EpochRecord, Outcome, Predictions, Trial

PROVENANCE = {
    "machine": "here",
    "processor": "A processor",
    "torch": "2.0",
    "python": "3.11",
    "fairtrial": "0.1.0",
    "engine": "1",
}


def fill(
    study: Study,
    path: Path,
    *,
    seeds: int,
    errors: Mapping[str, float],
    spread: float = 0.0006,
    weights: bool = True,
    predictions: bool = True,
) -> None:
    """A store at `path` with `seeds` trials of every arm named in `errors`, at about that error rate."""
    labels = catalog.load("mnist").test_labels
    with Store.open(path) as store:
        for name, error in errors.items():
            arm = study.arms[name]
            for seed in range(1, seeds + 1):
                trial = Trial(arm=arm, seed=seed, precision=resolve(arm.settings.precision))
                rng = np.random.default_rng([seed, int(trial.arm_key[:8], 16)])
                claim = store.claim(trial)
                if not isinstance(claim, Claim):
                    continue
                outcome = finished(trial, error + rng.normal(0, spread), labels if predictions else None, rng)
                store.record(claim, outcome, trial=trial, weights=weights)
                if weights:
                    save_first_layer(arm, store.weights_path(trial.key), rng)


def finished(trial: Trial, error: float, labels: np.ndarray | None, rng: np.random.Generator) -> Outcome:
    """A trial whose curves fall towards `error`, and whose predictions are wrong that often."""
    settings = trial.arm.settings
    leak = 0.6 if settings.data.split == "reshuffled" else 1.0
    history: list[EpochRecord] = []
    for epoch in range(1, settings.epochs + 1):
        above = math.exp(-epoch / (settings.epochs / 4)) * 0.06 + rng.normal(0, 0.0004)
        wrong = float(np.clip(error * leak + above, 0, 1))
        train = float(np.clip(error * 0.6 + above * 1.4, 0, 1))
        history.append(
            EpochRecord(
                epoch=epoch,
                train_accuracy=1 - train,
                train_loss=3.4 * train,
                validation_accuracy=1 - wrong,
                validation_loss=3.6 * wrong,
                train_seconds=1.0,
                validation_seconds=0.1,
            )
        )
    last = history[-1]
    seconds = (0.5 + sum(facts.multiply_adds for facts in arm_facts(trial.arm)) / 4e5) * float(
        rng.uniform(0.97, 1.05)
    )
    metrics = {
        "train_accuracy": last.train_accuracy,
        "train_loss": last.train_loss,
        "validation_accuracy": last.validation_accuracy,
        "validation_loss": last.validation_loss,
        "test_accuracy": 1 - error,
        "test_loss": 3.5 * error,
        "validation_accuracy_last_epoch": last.validation_accuracy,
        "validation_loss_last_epoch": last.validation_loss,
        "test_accuracy_last_epoch": 1 - error,
        "test_loss_last_epoch": 3.5 * error,
        "validation_seen": 0.0 if leak == 1.0 else 0.983,
    }
    return Outcome(
        key=trial.key,
        state="finished",
        epochs=settings.epochs,
        metrics=metrics,
        seconds={
            "setup": 0.1, "train": seconds, "validation": 0.1, "last_epoch": 0.2, "test": 0.1, "fit": seconds + 0.1,
        },
        history=tuple(history),
        provenance=PROVENANCE,
        weights_sha256=hashlib.sha256(trial.key.encode()).hexdigest(),
        predictions=None if labels is None else predicted(labels, error, rng),
    )  # fmt: skip


def predicted(labels: np.ndarray, error: float, rng: np.random.Generator) -> Predictions:
    """Right but for a share of `error`; the same few images are hard for everybody."""
    hard = np.random.default_rng(7).permutation(len(labels))
    wrong = hard[: round(error * len(labels) * 0.7)]
    wrong = np.concatenate([wrong, rng.integers(0, len(labels), round(error * len(labels) * 0.3))])
    classes = labels.copy()
    classes[wrong] = (labels[wrong] + 4) % 10
    probabilities = np.full(len(labels), 0.99, dtype=np.float32)
    probabilities[wrong] = rng.uniform(0.4, 0.999, len(wrong))
    return Predictions(
        classes=classes,
        probabilities=probabilities,
        right=np.where(classes == labels, 5, 0).astype(np.uint8),
        evaluations=5,
    )


def save_first_layer(arm: Arm, path: Path, rng: np.random.Generator) -> None:
    """The kernel of the first layer that has one, as a worker writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for layer in arm.network:
        if isinstance(layer, Dense):
            kernel = rng.normal(0, 0.05, (784, layer.units))
            break
        if isinstance(layer, Conv):
            kernel = rng.normal(0, 0.2, (layer.kernel, layer.kernel, 1, layer.filters))
            break
    else:
        return
    save_file({f"{layer.name}/kernel": kernel.astype(np.float32)}, path)
