"""An exported file opened again: what it says of itself, and what it says of images.

Nothing in a file is run but an ONNX graph, by onnxruntime in a process of its own: weights of the other formats are
read as numbers and put into the network the file describes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.engine.exporting.running import MEMBERS, run_apart
from fairtrial.errors import FairtrialError
from fairtrial.models.archives import LARGEST_JSON, entries, entry, parsed
from fairtrial.models.card import Card, card_from
from fairtrial.models.protobuf import metadata

if TYPE_CHECKING:
    from fairtrial.engine.exporting.members import Model, Weights

LARGEST_WEIGHTS = 2**31
_FLOAT32 = 7
"""torch's number for the type."""

CARD = "fairtrial.json"
"""The file within an archive that says what it is."""

READABLE = (".onnx", ".keras", ".safetensors", ".pt2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`predict` takes images (n, height, width, channels) in [0, 1] and gives probabilities (n, classes).

    `members` gives those of each network of an ensemble, (n, classes, members); None where there is one network, or
    where the file does not tell them apart.
    """

    card: Card
    predict: Callable[[NDArray[np.float32]], NDArray[np.floating]]
    members: Callable[[NDArray[np.float32]], NDArray[np.floating]] | None = None


def open_file(path: Path) -> Opened:
    """Raises FairtrialError for a file that is none of ours, damaged or larger than memory allows."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise FairtrialError(
            f"{path}: it is a folder; give the model's file itself{_models_in(path)}, or STUDY:ARM"
        )
    if suffix in (".pt", ".ts"):
        raise FairtrialError(
            f"{path}: TorchScript is a program of its own, which is not run here; export the arm as onnx, safetensors, keras "
            "or torch.export, or give STUDY:ARM"
        )
    if not path.is_file():
        raise FairtrialError(
            f"{path}: there is no such file; `fairtrial export STUDY ARM --format onnx` makes one, or give STUDY:ARM"
        )
    if suffix not in READABLE:
        raise FairtrialError(
            f"{path}: it is no model, going by its name; the end of a model's name says its format: {', '.join(READABLE)}"
        )
    if suffix == ".onnx":
        return _graph(path)
    try:
        card, weights = _READERS[suffix](path)
        model = _model(card, weights)
        opened = of_weights(card, model)
        # A network that does not take its own weights says so now, of one image of nothing.
        said = opened.predict(np.zeros((1, *card.input_shape), np.float32))
    except OSError as error:
        raise FairtrialError(f"{path}: {error.strerror or error}") from None
    except (MemoryError, RuntimeError):
        raise FairtrialError(f"{path}: its network needs more memory than there is") from None
    except (ValueError, KeyError) as error:
        raise FairtrialError(
            f"{path}: its weights are not those of its network ({str(error)[:200]})"
        ) from None
    if not np.isfinite(said).all():
        raise FairtrialError(f"{path}: its weights are damaged: what they give is no number")
    return opened


def _models_in(folder: Path) -> str:
    try:
        found = sorted(one.name for one in folder.iterdir() if one.suffix.lower() in READABLE)
    except OSError:
        found = []
    return f" ({', '.join(found[:5])}{', …' if len(found) > 5 else ''})" if found else ""


def _graph(path: Path) -> Opened:
    """An ONNX file; what each member of an ensemble says is found out by the package that reads graphs, if it is there."""
    card = card_from(metadata(path).get("fairtrial"), str(path))
    if find_spec("onnxruntime") is None:
        raise FairtrialError(f'{path}: running it needs onnxruntime: pip install "fairtrial[onnx]"')
    what = f"{path}: it could not be run"
    return Opened(
        card=card,
        predict=lambda images: _checked(run_apart("onnx", path, images, what=what), card, path),
        members=(lambda images: run_apart(MEMBERS, path, images, what=what))
        if len(card.seeds) > 1 and find_spec("onnx") is not None
        else None,
    )


def _model(card: Card, weights: Mapping[str, NDArray[np.float32]]) -> Model:
    from fairtrial.engine.exporting.members import Model

    return Model(
        name="model",
        network=card.layers,
        input_shape=card.input_shape,
        members=weights_in(weights, card.members),
    )


def of_weights(card: Card, model: Model) -> Opened:
    """A model whose weights are at hand."""
    from fairtrial.engine.exporting.members import probabilities

    def members(images: NDArray[np.float32]) -> NDArray[np.floating]:
        alone = [replace(model, members={name: one}) for name, one in model.members.items()]
        return np.stack([probabilities(one, images) for one in alone], axis=-1)

    return Opened(
        card=card,
        predict=lambda images: probabilities(model, images),
        members=members if len(model.members) > 1 else None,
    )


def weights_in(tensors: Mapping[str, NDArray[np.float32]], members: list[str]) -> dict[str, Weights]:
    """Each member's weights out of those of a file. Raises KeyError for a member that has none."""
    if len(members) == 1:
        return {members[0]: tensors}
    found = {
        member: {
            name.removeprefix(f"{member}/"): one
            for name, one in tensors.items()
            if name.startswith(f"{member}/")
        }
        for member in members
    }
    if not all(found.values()):
        raise KeyError("a member of the ensemble has no weights")
    return cast("dict[str, Weights]", found)


def _checked(said: NDArray[np.float32], card: Card, path: Path) -> NDArray[np.float32]:
    if said.ndim != 2 or said.shape[1] != len(card.classes) or not np.isfinite(said).all():
        raise FairtrialError(f"{path}: what it gives are no probabilities of {len(card.classes)} classes")
    return said


def _safetensors(path: Path) -> tuple[Card, dict[str, NDArray[np.float32]]]:
    from fairtrial.engine.exporting import tensor_file

    def room(text: str) -> int:
        return 4 * card_from(text, str(path)).parameters + 2**24

    text, tensors = tensor_file.read(path, room=room)
    return card_from(text, str(path)), tensors


def _keras(path: Path) -> tuple[Card, dict[str, NDArray[np.float32]]]:
    from fairtrial.engine.exporting import keras_file

    card = card_from(entry(path, CARD, largest=LARGEST_JSON), str(path))
    content = entry(path, keras_file.WEIGHTS, largest=min(LARGEST_WEIGHTS, 64 * card.parameters + 2**24))
    if content is None:
        raise FairtrialError(f"{path}: it holds no weights")
    return card, keras_file.read_weights(content, card.layers, card.members)


def _program(path: Path) -> tuple[Card, dict[str, NDArray[np.float32]]]:
    """Numbers alone out of what `torch.export.save` wrote; to load it as torch does would trust it."""
    from fairtrial.engine.exporting.torch_files import named_as_keras

    tensors: dict[str, NDArray[np.float32]] = {}
    with entries(path) as content_of:
        card = card_from(content_of(CARD, LARGEST_JSON), str(path))
        listed = content_of("model_weights_config.json", LARGEST_JSON) or b"{}"
        about = parsed(listed, f"{path}: its list of weights")
        try:
            left = card.parameters
            for name, one in cast("dict[str, Any]", about["config"]).items():
                tensors[name] = _tensor(content_of, one, most=left)
                left -= tensors[name].size
            return card, named_as_keras(tensors, card.layers, card.input_shape, card.members)
        except (
            KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RuntimeError, MemoryError
        ) as error:  # fmt: skip
            reason = " ".join(str(error).split())[:100]
            raise FairtrialError(f"{path}: its weights cannot be read ({reason})") from None


def _tensor(
    content_of: Callable[[str, int], bytes | None], about: dict[str, Any], *, most: int
) -> NDArray[np.float32]:
    """One weight, of no more numbers than `most`."""
    meta = about["tensor_meta"]
    sizes, strides = ([int(one["as_int"]) for one in meta[which]] for which in ("sizes", "strides"))
    if about["use_pickle"] or meta["dtype"] != _FLOAT32 or not all(0 < size < 2**31 for size in sizes):
        raise ValueError("a weight is none of float32")
    if math.prod(sizes) > most:
        raise ValueError("there are more weights than its network has")
    content = content_of(f"data/weights/{about['path_name']}", 4 * math.prod(sizes))
    if content is None or len(content) != 4 * math.prod(sizes):
        raise ValueError("a weight has another number of bytes than it should")
    # Packed in whatever order of axes: the one whose steps are longest comes first.
    order = sorted(range(len(sizes)), key=lambda axis: (-strides[axis], axis))
    packed = np.frombuffer(content, np.float32).reshape([sizes[axis] for axis in order])
    return packed.transpose(np.argsort(order)) if sizes else packed


_READERS: dict[str, Callable[[Path], tuple[Card, dict[str, NDArray[np.float32]]]]] = {
    ".safetensors": _safetensors,
    ".keras": _keras,
    ".pt2": _program,
}
