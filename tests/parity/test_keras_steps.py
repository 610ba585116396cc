"""Three optimiser steps of tf.keras, reproduced from the same weights and batches.

golden.npz is made by scripts/golden-vectors in an environment that holds tensorflow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fairtrial.engine.network import Network, build, keras_weights, load_keras_weights
from fairtrial.engine.optimizers import optimizer
from fairtrial.images import idx
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.training import rate_at

GOLDEN = Path(__file__).parent / "golden.npz"
ABOUT: dict[str, Any] = json.loads(str(np.load(GOLDEN)["about"]))
CASES: dict[str, dict[str, Any]] = ABOUT["cases"]

OF_A_TENSOR = 1e-5
"""How far a weight tensor may be from Keras's after three steps, as a share of its norm."""

OF_AN_UPDATE = 5e-5
"""How far what the steps changed may be from what Keras's changed, as a share of its norm."""


def arm_of(case: dict[str, Any]) -> Arm:
    settings = ArmSettings.model_validate(
        {"network": {"layers": case["layers"]}, "optimizer": case["optimizer"]}
    )
    return Arm(name="golden", settings=settings)


def draw(start: dict[str, Any]) -> NDArray[np.float32]:
    rng = np.random.default_rng(start["seed"])
    return rng.uniform(start["low"], start["high"], start["shape"]).astype(np.float32)


def sample(size: int, kept: int) -> NDArray[np.int64]:
    """Which entries of a tensor of `size` the golden file kept, in row-major order."""
    if size == kept:
        return np.arange(size)
    return np.sort(np.random.default_rng(size).choice(size, kept, replace=False))


def golden(key: str) -> NDArray[np.float32]:
    with np.load(GOLDEN) as file:
        return file[key]


@cache
def images(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The first images of MNIST in [0, 1], channels_last, and their labels."""
    count = 300 if part == "train" else ABOUT["held_out"]
    with resources.as_file(resources.files("fairtrial.data") / "mnist") as folder:
        pixels = idx.read_array(folder / f"{part}-images-idx3-ubyte.gz", dimensions=3)[:count]
        labels = idx.read_array(folder / f"{part}-labels-idx1-ubyte.gz", dimensions=1)[:count]
    scaled = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
    return scaled.unsqueeze(3).permute(0, 3, 1, 2), torch.from_numpy(labels.astype(np.int64))


def trained(case: dict[str, Any]) -> tuple[Network, list[float]]:
    """Our network after the case's steps, and the loss of each."""
    arm = arm_of(case)
    settings = arm.settings.optimizer
    network = build(arm, seed=1)
    load_keras_weights(network, {name: draw(weight["start"]) for name, weight in case["weights"].items()})
    update = optimizer(settings, network.parameters())
    pixels, labels = images("train")
    losses: list[float] = []
    for step in range(ABOUT["steps"]):
        batch = slice(step * case["batch"], (step + 1) * case["batch"])
        loss = functional.cross_entropy(network(pixels[batch]), labels[batch])
        loss.backward()
        update.step(rate_at(settings.learning_rate, step=step, steps_per_epoch=1, epochs=ABOUT["steps"]))
        update.zero_grad()
        losses.append(loss.item())
    return network, losses


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One weight tensor after the steps, ours beside Keras's; norms and their differences."""

    name: str
    difference: float
    norm: float
    update_norm: float
    of_norms: float
    of_update_norms: float
    own_rounding: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.difference / self.norm:.1e} of the tensor, "
            f"{self.difference / self.update_norm:.1e} of the update "
            f"(Keras's own float64: {self.own_rounding / self.update_norm:.1e})"
        )


def compared(name: str, network: Network) -> list[Compared]:
    """Each weight tensor of case `name`, in Keras's order."""
    ours = keras_weights(network)
    weights = CASES[name]["weights"]
    assert list(ours) == list(weights), "names and order are Keras's"
    tensors: list[Compared] = []
    for key, weight in weights.items():
        final = ours[key].astype(np.float64).ravel()
        first = draw(weight["start"]).astype(np.float64).ravel()
        kept = golden(f"{name}/{key}")
        chosen = sample(final.size, kept.size)
        # The kept entries stand for the whole tensor, in proportion to their number.
        difference = float(np.linalg.norm(final[chosen] - kept)) * (final.size / kept.size) ** 0.5
        tensors.append(
            Compared(
                name=key,
                difference=difference,
                norm=weight["norm"],
                update_norm=weight["update_norm"],
                of_norms=abs(float(np.linalg.norm(final)) - weight["norm"]),
                of_update_norms=abs(float(np.linalg.norm(final - first)) - weight["update_norm"]),
                own_rounding=weight["own_rounding"],
            )
        )
    return tensors


@pytest.mark.parametrize("name", CASES)
def test_three_steps_end_where_those_of_keras_end(name: str) -> None:
    """What a user measures here must be what their Keras program does, to float32's rounding.

    A setting read differently, such as where epsilon is added, is off by 1e-3 of the update or more.
    """
    network, losses = trained(CASES[name])
    assert losses == pytest.approx(CASES[name]["losses"], rel=1e-5)
    with torch.no_grad():
        logits = network.eval()(images("t10k")[0]).numpy()
    expected = golden(f"{name}/logits")
    assert np.linalg.norm(logits - expected) <= 1e-5 * np.linalg.norm(expected)
    for tensor in compared(name, network):
        print(tensor)
        assert tensor.difference <= OF_A_TENSOR * tensor.norm, str(tensor)
        assert tensor.of_norms <= OF_A_TENSOR * tensor.norm, str(tensor)
        assert tensor.difference <= OF_AN_UPDATE * tensor.update_norm, str(tensor)
        assert tensor.of_update_norms <= OF_AN_UPDATE * tensor.update_norm, str(tensor)


@pytest.mark.parametrize("name", ["adam-fast", "adam-cosine", "adamw-strong", "adamw-without-decay"])
def test_adam_is_freed_from_bias_with_the_rounding_of_keras(name: str) -> None:
    """In float32, 1 - 0.999 is off by 1e-5 of itself: a fast Adam's biases would end too far off."""
    network, _ = trained(CASES[name])
    for tensor in compared(name, network):
        # Keras's own float32 is 3.4e-6 from its float64 here; computed in float64, the rate is off by 6.7e-6.
        assert tensor.difference <= 4.5e-6 * tensor.update_norm, str(tensor)
