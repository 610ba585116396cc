"""A model for whoever has torch and not fairtrial: as an exported program, or as TorchScript."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fairtrial.engine.exporting.members import Classifier, Model, classifier
from fairtrial.engine.network import Network, keras_weights, network_of
from fairtrial.study import layers
from fairtrial.study.shapes import Shape

CARD = "fairtrial.json"
"""The file within such a file that says what it is."""


def write_program(model: Model, path: Path, *, card: str) -> None:
    """For `torch.export.load`: takes float32 images (n, channels, height, width) in [0, 1], gives probabilities."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.export").setLevel(logging.ERROR)
        program = torch.export.export(
            classifier(model),
            (_example(model),),
            dynamic_shapes=({0: torch.export.Dim("n")},),
            strict=False,
        )
        # What it was traced with would be kept as a pickle.
        program.example_inputs = None
        with path.open("wb") as file:
            torch.export.save(program, file, extra_files={CARD: card})


def write_script(model: Model, path: Path, *, card: str) -> None:
    """For `torch.jit.load`, with the same input and output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(classifier(model), _example(model))
        torch.jit.save(torch.jit.freeze(traced), str(path), _extra_files={CARD: card})  # pyright: ignore[reportArgumentType]


def _example(model: Model) -> torch.Tensor:
    height, width, channels = model.input_shape
    return torch.zeros(2, channels, height, width)


def named_as_keras(
    tensors: Mapping[str, NDArray[np.float32]],
    network: layers.Network,
    input_shape: Shape,
    members: Sequence[str],
) -> dict[str, NDArray[np.float32]]:
    """The tensors of an exported program by our names. Raises RuntimeError where they are of another network."""
    own = Classifier([network_of(network, input_shape=input_shape, seed=0) for _ in members])
    own.load_state_dict({name: torch.tensor(one) for name, one in tensors.items()})
    found: dict[str, NDArray[np.float32]] = {}
    for name, member in zip(members, own.members, strict=True):
        assert isinstance(member, Network)
        prefix = "" if len(members) == 1 else f"{name}/"
        found |= {f"{prefix}{weight}": one for weight, one in keras_weights(member).items()}
    return found
