"""`export`: a trained network as a file of another program, checked by that program on the test images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fairtrial
from fairtrial.data import catalog
from fairtrial.engine.exporting import keras_file, onnx_file, tensor_file, torch_files
from fairtrial.engine.exporting.batches import in_unit
from fairtrial.engine.exporting.members import Model, probabilities
from fairtrial.engine.exporting.running import run_apart
from fairtrial.errors import FairtrialError
from fairtrial.images.facts import MNIST, DatasetFacts, Source
from fairtrial.images.published import CATALOGUE
from fairtrial.models.card import FORMAT, Card, Prepare, dumped
from fairtrial.models.choosing import Chosen
from fairtrial.models.naming import FORMATS, file_name
from fairtrial.models.reading import weights_in
from fairtrial.study.schema import Study
from fairtrial.study.shapes import parameters
from fairtrial.trial import ENGINE_VERSION

TOLERANCE = 1e-5
"""The largest difference of a probability that two ways of adding up float32 are allowed."""

ROUNDING = 4.0
"""Where float32 itself is further from float64 than that, this many times as far."""

_CENTRED = ("mnist", "qmnist")
_LIGHT_ON_DARK = ("mnist", "qmnist", "emnist", "fashion_mnist", "kmnist", "usps")


class CheckFailed(FairtrialError):
    """A file whose predictions are not ours: it is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was written and checked. Accuracies in [0, 1]; `stored_accuracy` is the mean over an ensemble's members."""

    path: Path
    format: str
    size: int
    card: Card
    how: str
    retrained: tuple[int, ...]
    images: int
    difference: float
    allowed: float
    test_accuracy: float
    stored_accuracy: float
    checked_by: str


def export(
    study: Study,
    chosen: Chosen,
    *,
    format: str,
    out: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write the model to `out`, or a file in the current folder called after arm and seed, and run it.

    Raises CheckFailed, and leaves no file, where what it says of the test images is not what our network says.
    """
    model, card = model_of(study, chosen, layout=FORMATS[format].layout)
    path = (
        out
        if out is not None
        else Path(file_name(chosen.arm.name, [one.seed for one in chosen.trials], format))
    )
    data = catalog.load(chosen.arm.settings.data.facts)
    images = in_unit(data.test_images)
    part = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part{FORMATS[format].suffix}")
    try:
        if format == "onnx":
            onnx_file.onnx_library()  # before anything is said to be written
        if not path.parent.is_dir():
            raise FairtrialError(f"{path}: the folder {path.parent} does not exist")
        on_step(f"writing {path}")
        told = _write(format, model, part, card, chosen)
        on_step(f"running it on {len(images)} test images")
        found, checked_by = _run(format, model, part, card, images, told)
        difference, allowed = _compared(model, images, found)
        if not difference <= allowed:  # what is not a number passes nothing
            raise CheckFailed(
                f"{path}: the file does not predict what fairtrial predicts: a probability differs by {difference:.3g}, "
                f"{allowed:.3g} is allowed; it was deleted"
            )
        size = part.stat().st_size
        part.replace(path)
    except OSError as error:
        raise FairtrialError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    right = found.argmax(1) == data.test_labels
    return Exported(
        path=path,
        format=format,
        size=size,
        card=card,
        how=chosen.how,
        retrained=chosen.retrained,
        images=len(images),
        difference=difference,
        allowed=allowed,
        test_accuracy=float(right.mean()),
        stored_accuracy=card.test_accuracy,
        checked_by=checked_by,
    )


def model_of(study: Study, chosen: Chosen, *, layout: str) -> tuple[Model, Card]:
    """The chosen trials as one model, with what is to be said of it."""
    arm, trials = chosen.arm, chosen.trials
    facts = arm.settings.data.facts
    names = [f"seed-{trial.seed}" for trial in trials]
    metrics = [trial.outcome.metrics for trial in trials]
    card = Card(
        format=FORMAT,
        study=study.name,
        arm=arm.name,
        seeds=tuple(trial.seed for trial in trials),
        keys=tuple(trial.key for trial in trials),
        engine_version=ENGINE_VERSION,
        fairtrial=fairtrial.__version__,
        precision=trials[0].precision,
        dataset=facts.name,
        data_fingerprint=facts.fingerprint,
        input_shape=tuple(facts.input_shape),
        layout="NHWC" if layout == "NHWC" else "NCHW",
        scale="float32 in [0, 1]: bytes divided by 255",
        output="probabilities of the classes",
        classes=facts.class_names or tuple(map(str, range(facts.classes))),
        prepare=_preparation(facts),
        light_on_dark=_published(facts).startswith(_LIGHT_ON_DARK),
        background=None if facts.source is None else facts.source.background,
        parameters=parameters(arm) * len(trials),
        validation_accuracy=float(np.mean([one["validation_accuracy"] for one in metrics])),
        test_accuracy=float(np.mean([one["test_accuracy"] for one in metrics])),
        network=dumped(arm.network),
    )
    model = Model(
        name=plain_name(arm.name),
        network=arm.network,
        input_shape=card.input_shape,
        members=dict(zip(names, chosen.weights, strict=True)),
    )
    return model, card


def plain_name(name: str) -> str:
    """As Keras and ONNX take it."""
    return (
        "".join(one if one.isascii() and (one.isalnum() or one in "_-") else "_" for one in name) or "model"
    )


def _published(facts: DatasetFacts) -> str:
    """The name in the catalogue of images taken as they come; empty for those of one's own, whatever these are called."""
    if facts.fingerprint == MNIST.fingerprint:
        return MNIST.name
    source = facts.source
    if source is None or source.dataset not in CATALOGUE or source != Source(dataset=source.dataset):
        return ""
    return source.dataset


def _preparation(facts: DatasetFacts) -> Prepare:
    name = _published(facts)
    if name.startswith("emnist"):
        return "emnist"
    return "mnist" if name in _CENTRED else "resize"


def _write(format: str, model: Model, path: Path, card: Card, chosen: Chosen) -> str:
    """Gives what is worth saying of who wrote it."""
    text = card.text()
    match format:
        case "onnx":
            about = f"{card.study}, arm {card.arm}, seeds {card.seeds}; input {card.layout} {card.scale}; {card.output}"
            onnx_file.write(model, path, card=text, about=about)
        case "keras":
            optimizer = chosen.arm.settings.optimizer
            told = keras_file.write(
                model,
                path,
                card=text,
                optimizer=optimizer if isinstance(optimizer.learning_rate, float) else None,
            )
            return f"Keras {told['keras']} on {told['backend']}"
        case "safetensors":
            tensor_file.write(model, path, card=text)
        case "torch.export":
            torch_files.write_program(model, path, card=text)
        case _:
            torch_files.write_script(model, path, card=text)
    return ""


def _run(
    format: str, model: Model, path: Path, card: Card, images: NDArray[np.float32], told: str
) -> tuple[NDArray[np.floating], str]:
    """What the file says of the images, and who says so."""
    what = f"{path.name}: the file could not be run"
    if format == "safetensors":
        again = Model(
            name=model.name,
            network=card.layers,
            input_shape=card.input_shape,
            members=weights_in(tensor_file.read(path)[1], card.members),
        )
        return probabilities(again, images), "fairtrial, from the file alone"
    reader = {
        "onnx": "onnxruntime",
        "keras": told,
        "torch.export": "torch.export.load",
        "torchscript": "torch.jit.load",
    }
    try:
        return run_apart(format, path, images, what=what), reader[format]
    except FairtrialError as error:
        raise CheckFailed(str(error)) from None


def _compared(model: Model, images: NDArray[np.float32], found: NDArray[np.floating]) -> tuple[float, float]:
    own = probabilities(model, images)
    if own.shape != found.shape:
        return float("nan"), TOLERANCE
    difference = float(np.abs(own - found).max())
    if difference <= TOLERANCE:
        return difference, TOLERANCE
    exact = probabilities(model, images, double=True)
    return difference, max(TOLERANCE, ROUNDING * float(np.abs(own - exact).max()))
