"""A Keras model as an arm: its layers and how it was compiled. Its weights stay where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from fairtrial.errors import FairtrialError
from fairtrial.models.importing.ending import check_loss, note_metrics, without_ending
from fairtrial.models.importing.functions import precision_of
from fairtrial.models.importing.layers import Hidden, hidden_of
from fairtrial.models.importing.line import Line, line_of
from fairtrial.models.importing.names import names_of
from fairtrial.models.importing.opening import Given
from fairtrial.models.importing.told import Told, said
from fairtrial.models.importing.training import Length, training_of
from fairtrial.study.schema import Arm, ArmSettings, Study
from fairtrial.study.shapes import Shape, layer_facts, parameters
from fairtrial.study.spelling import spelled

WEIGHTS = "Its weights are not taken: an arm is trained anew, from the seeds of its trials."


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An arm made of a Keras model, in a study of its own or added to one; `notes` are what should be known of it.

    `text` is the study file, or where the arm was added to one, the lines that were added.
    """

    source: str
    study: Study
    arm: str
    notes: tuple[str, ...]
    parameters: int
    text: str = field(repr=False)
    written: Path | None = None
    added: bool = False


def body_of(given: Given, start: Arm) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What an arm writes of itself to be this model, starting from `start`, and notes.

    Raises StudyError with everything that cannot be taken, each by its place in the model and with a reason.
    """
    told = Told(source=given.source)
    line = line_of(given.document, told)
    if line is None or told.mistakes:
        raise told.error()
    compiled = given.document.get("compile_config")
    body = _settings(
        line, cast("dict[str, Any]", compiled) if isinstance(compiled, dict) else {}, start, told
    )
    if told.mistakes:
        raise told.error()
    return body, tuple(told.notes)


def check_count(given: Given, arm: Arm) -> None:
    """Raises FairtrialError where Keras, which built the model, counts other weights than there are in the arm."""
    if given.parameters is not None and given.parameters != parameters(arm):
        raise FairtrialError(
            f"{given.source}: Keras counts {given.parameters} parameters and the arm would have {parameters(arm)}; this is a fault "
            "of fairtrial: please report the model"
        )


def _settings(line: Line, compiled: Mapping[str, Any], start: Arm, told: Told) -> dict[str, Any]:
    facts = start.settings.data.facts
    _check_input(line, start, told)
    inner, probabilities = without_ending(line.layers, told, classes=facts.classes)
    hidden = hidden_of(line, inner, told, input_shape=facts.input_shape)
    if probabilities is not None and not told.mistakes:
        _check_flat(line, hidden, facts.input_shape, told)
    own: dict[str, Any] = {}
    batch = _batch(line, start, told)
    if batch != start.settings.batch_size:
        own["batch_size"] = batch
    precision = precision_of(line.layers, told)
    if precision is not None:
        own["precision"] = precision
    elif start.settings.precision == "auto":
        told.note(
            "precision: auto multiplies in bfloat16 where the processor can; Keras did so in float32, as precision: float32 does"
        )
    training = None
    if compiled.get("optimizer") is not None:
        training = training_of(compiled, told, length=_length(start, batch))
        if training is not None and training.epochs is not None and training.epochs != start.settings.epochs:
            own["epochs"] = training.epochs
    else:
        told.note(
            "the model was not compiled: the arm is trained with adam as Keras has it by itself, at 0.001"
        )
    _check_compiled(compiled, told, probabilities=probabilities)
    if told.mistakes:
        return {}
    layers = [
        ({"name": name} if name is not None else {}) | one.fields
        for name, one in zip(names_of(hidden, told), hidden, strict=True)
    ]
    optimizer = training.optimizer if training is not None else {"name": "adam", "learning_rate": 0.001}
    return spelled(ArmSettings.model_validate({"network": {"layers": layers}, "optimizer": optimizer, **own}))


def _check_compiled(compiled: Mapping[str, Any], told: Told, *, probabilities: bool | None) -> None:
    if compiled.get("loss") is not None:
        if probabilities is not None:
            check_loss(compiled["loss"], told, probabilities=probabilities)
    elif probabilities is False:
        told.note(
            "the model gives no probabilities and names no loss: fairtrial takes softmax of what it gives, as from_logits=True does"
        )
    weights = compiled.get("loss_weights")
    if weights not in (None, 1, [1], [1.0]):
        told.refuse("loss", f"loss_weights is {said(weights)}: an arm has one loss; leave it out")
    note_metrics(compiled.get("metrics"), told)
    note_metrics(compiled.get("weighted_metrics"), told)


def _check_input(line: Line, start: Arm, told: Told) -> None:
    facts, given = start.settings.data.facts, line.input_shape
    if given is None:
        told.note(
            f"the model does not say which images it takes; {facts.name} has {_size(facts.input_shape)}"
        )
        return
    wanted: Sequence[int] = facts.input_shape
    if len(given) == 2:
        wanted = (math.prod(facts.input_shape),)
    elif len(given) == 3 and wanted[-1] == 1:
        wanted = wanted[:2]
        if next((one.kind for one in line.layers if one.kind != "Rescaling"), "") not in (
            "Flatten",
            "Reshape",
        ):
            told.refuse(
                "model input",
                f"it has no axis for channels; give it one, {_size(facts.input_shape)}, or begin with Flatten",
            )
    shape = given[1:]
    if len(shape) != len(wanted) or any(
        one not in (None, other) for one, other in zip(shape, wanted, strict=True)
    ):
        told.refuse(
            "model input",
            f"it takes {_size(shape)} and {facts.name} has {_size(facts.input_shape)}: name the data with --data (a name that "
            "`fairtrial data list` tells, or a folder or file of images), or scale them: --set data.size=…, --set data.colour=…",
        )


def _check_flat(line: Line, hidden: Sequence[Hidden], shape: Shape, told: Told) -> None:
    facts = layer_facts(tuple(one.layer for one in hidden), input_shape=shape)
    reached = facts[-1].output_shape if facts else shape
    if len(reached) != 1:
        dense = next(one for one in reversed(line.layers) if one.kind == "Dense")
        told.refuse(
            dense,
            f"it needs a flat input: put Flatten or GlobalAveragePooling2D before it; {_size(reached)} reaches it",
        )


def _size(shape: Sequence[int | None]) -> str:
    return " x ".join("any" if one is None else str(one) for one in shape)


def _batch(line: Line, start: Arm, told: Told) -> int:
    """A model that was built for batches of one size can be trained with no other."""
    size = line.input_shape[0] if line.input_shape else None
    if size is None or size == start.settings.batch_size:
        return start.settings.batch_size
    if size < 1 or size > 1_000_000 or "batch_size" in start.settings.model_fields_set:
        told.refuse(
            "model input",
            f"it takes batches of {size} alone, and the batch size is to be {start.settings.batch_size}; leave one of them out",
        )
        return start.settings.batch_size
    told.note(f"the model takes batches of {size} alone: so has the arm")
    return size


def _length(start: Arm, batch: int) -> Length:
    settings = start.settings
    return Length(
        steps_per_epoch=math.ceil(settings.data.train_count / batch),
        epochs=settings.epochs if "epochs" in settings.model_fields_set else None,
    )
