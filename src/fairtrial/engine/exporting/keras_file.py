"""A model as a `.keras` file: written by Keras itself in a process of its own; its weights read back without Keras."""

from __future__ import annotations

import importlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fairtrial.engine.exporting.apart import apart
from fairtrial.engine.exporting.members import Model
from fairtrial.engine.exporting.torch_files import CARD
from fairtrial.study import layers
from fairtrial.study.keras_code import layer_arguments
from fairtrial.study.training import Optimizer

WEIGHTS = "model.weights.h5"
_ORDER = {
    "dense": ("kernel", "bias"),
    "conv": ("kernel", "bias"),
    "batch_norm": ("gamma", "beta", "moving_mean", "moving_variance"),
}


def write(model: Model, path: Path, *, card: str, optimizer: Optimizer | None) -> dict[str, Any]:
    """Takes float32 images (n, height, width, channels) in [0, 1], gives probabilities. Gives what Keras says of itself.

    Compiled with the optimiser where there is one, so that it can be evaluated and trained on.
    """
    with tempfile.TemporaryDirectory() as folder:
        tensors = Path(folder) / "weights.safetensors"
        save_file({name: np.ascontiguousarray(one) for name, one in model.flat_weights.items()}, tensors)
        asked = {
            "name": model.name,
            "out": str(path),
            "weights": str(tensors),
            "input_shape": list(model.input_shape),
            "compile": None if optimizer is None else _compiled(optimizer),
            "members": [
                {"name": member, "layers": _layers(model, "" if len(model.members) == 1 else f"{member}/")}
                for member in model.members
            ],
        }
        told = apart(
            "fairtrial.engine.exporting.keras_process",
            [],
            given=json.dumps(asked),
            what="Keras could not write the file",
        )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CARD, card)
    return json.loads(told.strip().splitlines()[-1])


def _compiled(optimizer: Optimizer) -> dict[str, Any]:
    return {"class": optimizer.keras_class, "arguments": optimizer.model_dump(exclude={"name"})}


def _layers(model: Model, prefix: str) -> list[list[Any]]:
    last = model.network[-1]
    found: list[list[Any]] = []
    for layer in model.network:
        arguments = layer_arguments(layer) | {"name": layer.name}
        if layer is last:
            arguments |= {"activation": "softmax"}
        names = [f"{prefix}{layer.name}/{one}" for one in weights_of(layer)]
        found.append([layer.keras_class, arguments, names])
    return found


def weights_of(layer: layers.AnyLayer) -> tuple[str, ...]:
    """Names of a layer's weights in Keras's order."""
    names = _ORDER.get(layer.kind, ())
    return names[:1] if isinstance(layer, layers.Dense | layers.Conv) and not layer.bias else names


def read_weights(
    content: bytes, network: layers.Network, members: list[str]
) -> dict[str, NDArray[np.float32]]:
    """All weights out of what stands in a `.keras` file as `model.weights.h5`. Raises OSError, saying why, if they do not.

    Keras numbers the layers of each class: `layers/dense/vars/0`, `layers/dense_1/vars/0`.
    """
    try:
        h5py: Any = importlib.import_module("h5py")
    except ImportError:
        raise OSError(2, 'reading a .keras file needs h5py: pip install "fairtrial[keras]"') from None
    found: dict[str, NDArray[np.float32]] = {}
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            for number, member in enumerate(members):
                inside = "" if len(members) == 1 else f"layers/sequential{f'_{number}' if number else ''}/"
                prefix = "" if len(members) == 1 else f"{member}/"
                counts: dict[str, int] = {}
                for layer in network:
                    word = _WORDS.get(layer.kind)
                    if word is None:
                        continue
                    place = f"{word}_{counts[word]}" if word in counts else word
                    counts[word] = counts.get(word, 0) + 1
                    for index, weight in enumerate(weights_of(layer)):
                        array = file[f"{inside}layers/{place}/vars/{index}"]
                        if array.dtype != np.float32 or array.size > len(content):
                            raise ValueError("a weight is none of float32")
                        found[f"{prefix}{layer.name}/{weight}"] = array[()]
    except (
        OSError, KeyError, IndexError, ValueError, OverflowError, RuntimeError, TypeError, AttributeError, MemoryError
    ) as error:  # fmt: skip
        raise OSError(22, f"its weights cannot be read ({str(error)[:100]})") from None
    return found


_WORDS = {"dense": "dense", "conv": "conv2d", "batch_norm": "batch_normalization"}
