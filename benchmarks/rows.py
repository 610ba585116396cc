"""The rows that are measured: the models the course's notebook ran, and the work that each of them is."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairtrial.study import studyfile
from fairtrial.study.algorithm import algorithm
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import arm_facts

STUDY = "course"

ADAM_BYTES = 7 * 4
"""A step of dense Adam reads weight, both moments and gradient of each parameter and writes the first three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one epoch is at least, its validation included.

    `flops` are two for each multiply-add: a forward pass, the gradients of the weights, and the gradients
    of every layer's input but the first's, which nobody needs. `bytes` are what has to pass
    between memory and processor if nothing stays in its caches from one step to the next: dense Adam, and the images
    as bytes. What layers write for the backward pass may stay in the caches and is not counted.
    """

    flops: float
    bytes: float
    steps: int


def rows() -> dict[str, Arm]:
    """The arms that the notebook ran: those with a place for the figures it published."""
    arms = studyfile.load(STUDY).arms
    return {name: arm for name, arm in arms.items() if arm.published is not None}


def work(arm: Arm) -> Work:
    data = arm.settings.data
    facts = arm_facts(arm)
    forward = sum(layer.multiply_adds for layer in facts)
    first = next(layer.multiply_adds for layer in facts if layer.multiply_adds)
    pixels = math.prod(data.facts.input_shape)
    return Work(
        flops=2.0 * (3 * forward - first) * data.train_count + 2.0 * forward * data.validation,
        bytes=float(
            ADAM_BYTES * sum(layer.trainable for layer in facts) * arm.steps_per_epoch
            + pixels * (data.train_count + data.validation)
        ),
        steps=arm.steps_per_epoch,
    )


def our_precision(arm: Arm, resolved: str) -> str:
    """The number format our arithmetic is in: one image at a time there is no product to round."""
    return "float32" if algorithm(arm) == "online" else resolved


def description(arm: Arm) -> dict[str, Any]:
    """The row as plain values for a peer's program, which knows nothing of this package."""
    *hidden, output = arm.network
    settings = arm.settings
    return {
        "row": arm.name,
        "layers": [layer.model_dump(mode="json") for layer in hidden],
        "classes": output.model_dump()["units"],
        "learning_rate": settings.optimizer.learning_rate,
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        "train": settings.data.train_count,
        "validation": settings.data.validation,
        "buffer_size": settings.data.buffer_size,
    }


def describe(arm: Arm, folder: Path) -> Path:
    """The description as a file in `folder`."""
    path = folder / f"{arm.name}.json"
    path.write_text(json.dumps(description(arm), indent=1), encoding="utf-8")
    return path
