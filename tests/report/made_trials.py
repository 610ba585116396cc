"""Trials with curves, predictions and weights as training would leave them, made at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from fairtrial.data import catalog
from fairtrial.engine.precision import resolve
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.store import Claim, Store
from fairtrial.study import studyfile
from fairtrial.study.layers import Conv, Dense
from fairtrial.study.schema import Arm, Study
from fairtrial.study.shapes import arm_facts, pair
from fairtrial.trial import EpochRecord, Outcome, Predictions, Trial

PROVENANCE = {
    "machine": "here",
    "processor": "A processor",
    "torch": "2.0",
    "python": "3.11",
    "fairtrial": "0.1.0",
    "engine": "1",
}


STUDY = """
schema: fairtrial/1
name: small
title: Does a small network do?
base:
  network: {mlp: {width: 50, depth: 2}}
  optimizer: {name: adam, learning_rate: 0.001}
  batch_size: 100
  epochs: 4
arms:
  narrow:
    published: {train_accuracy: 0.97, test_accuracy: 0.96, train_seconds: 7.5}
  wide: {network.mlp.width: 200}
  wider: {network.mlp.width: 1000, }
  conv:
    title: A convolution
    note: It has a note.
    network:
      layers: [{conv: {name: first, filters: 8, kernel: 3}}, {pool: 2}, flatten, {dense: {units: 20}}]
questions:
  - id: Q1
    ask: Does the width matter?
    variant: wide
    baseline: narrow
    factors: [network.mlp.width]
    metrics: [accuracy, loss, time]
    on: [validation, test]
    claims:
      - {metric: accuracy, says: increase, from: 0.9, to: 0.95, own_tables: {says: decrease}}
      - {metric: accuracy, says: decrease}
      - {metric: accuracy, says: plateau, text: more brings nothing}
  - {id: Q2, ask: And a convolution?, variant: conv, baseline: wide, factors: [network]}
  - {id: Q3, ask: And more?, variant: wider, baseline: wide, goal: not_worse}
"""
ERRORS = {"narrow": 0.035, "wide": 0.025, "wider": 0.0248, "conv": 0.012}


def from_text(text: str, folder: Path) -> Study:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return studyfile.load(path)


HOSTILE = (
    "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\"'`{{7*7}}${alert(1)}\u2028&amp;"
)


def hostile_study(folder: Path) -> Study:
    """Every text of a study is an attack."""
    study = from_text(STUDY, folder)
    arms = {
        f"{HOSTILE}{number}": replace(
            arm, name=f"{HOSTILE}{number}", title=f"title {HOSTILE}", note=f"note {HOSTILE}"
        )
        for number, arm in enumerate(study.arms.values())
    }
    names = dict(zip(study.arms, arms, strict=True))
    questions = tuple(
        question.model_copy(
            update={
                "variant": names[question.variant],
                "baseline": names[question.baseline],
                "ask": f"ask {HOSTILE}",
                "note": f"note {HOSTILE}",
                "claims": tuple(
                    claim.model_copy(update={"text": f"text {HOSTILE}"}) for claim in question.claims
                ),
            }
        )
        for question in study.questions
    )
    return replace(study, name=HOSTILE, title=f"study {HOSTILE}", arms=arms, questions=questions)


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
                layer = first_layer(arm, rng) if weights else {}
                if layer:
                    outcome = replace(outcome, weights_sha256=fingerprint(layer))
                    path = store.weights_path(trial.key)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    save_file(layer, path)
                store.record(claim, outcome, trial=trial, weights=weights)


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


def first_layer(arm: Arm, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The kernel of the first layer that has one, all that these networks have of weights."""
    for layer in arm.network:
        if isinstance(layer, Dense):
            kernel = rng.normal(0, 0.05, (784, layer.units))
            break
        if isinstance(layer, Conv):
            kernel = rng.normal(0, 0.2, (*pair(layer.kernel), 1, layer.filters))
            break
    else:
        return {}
    return {f"{layer.name}/kernel": kernel.astype(np.float32)}
