"""What the notebook showed for each model, as data: layer table, hyperparameters, figures, time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fairtrial.analysis.values import ArmTrials
from fairtrial.report.spread import Spread, metric_spread, seconds_spread
from fairtrial.study.commands import shown
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import arm_facts
from fairtrial.study.training import AnyOptimizer

SHOWN = (
    ("Train Accuracy", "train_accuracy"),
    ("Train Loss", "train_loss"),
    ("Validation Accuracy", "validation_accuracy"),
    ("Validation Loss", "validation_loss"),
    ("Test Accuracy", "test_accuracy"),
    ("Test Loss", "test_loss"),
)
"""The notebook's six figures, in its order and words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One line of the layer table, as Keras prints it."""

    layer: str
    output_shape: str
    parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the six figures: at the very end, and where there is one the mean over the last epoch."""

    label: str
    metric: str
    end: Spread | None
    last_epoch: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One arm as the notebook shows a model. Seconds are per trial, of the trials of one machine."""

    name: str
    title: str
    note: str
    layers: tuple[LayerRow, ...]
    """None where they are not known: `made_by` says by what the network is made then."""
    trainable: int | None
    non_trainable: int | None
    hyperparameters: str
    figures: tuple[Figure, ...]
    finished: int
    diverged: int
    train_seconds: Spread | None
    fit_seconds: Spread | None
    last_epoch_share: float | None
    """Share of a trial's seconds that the evaluations during its last epoch took."""
    made_by: str = ""
    """For an arm of the user's own code, a sentence on it."""

    @property
    def parameters(self) -> int | None:
        return None if self.trainable is None else self.trainable + (self.non_trainable or 0)

    @property
    def counts(self) -> tuple[str, ...]:
        """The lines under Keras's layer table, or that nobody has counted."""
        if self.parameters is None:
            return ("Total params: not known to fairtrial",)
        return (
            f"Total params: {self.parameters:,}",
            f"Trainable params: {self.trainable:,}",
            f"Non-trainable params: {self.non_trainable:,}",
        )


def block(arm: ArmTrials, *, clock: str | None = None) -> Block:
    """`clock` is the machine whose seconds are shown, where several arms are shown together."""
    layers, trainable, non_trainable = _layers(arm)
    trials = arm.trials
    states = [trial.outcome.state for trial in trials]
    return Block(
        name=arm.arm.name,
        title=arm.arm.title or arm.arm.name,
        note=arm.arm.note or "",
        layers=layers,
        trainable=trainable,
        non_trainable=non_trainable,
        hyperparameters=hyperparameters(arm.arm),
        figures=tuple(
            Figure(
                label=label,
                metric=metric,
                end=metric_spread(trials, metric),
                last_epoch=None
                if metric.startswith("train")
                else metric_spread(trials, f"{metric}_last_epoch"),
            )
            for label, metric in SHOWN
        ),
        finished=states.count("finished"),
        diverged=states.count("diverged"),
        train_seconds=seconds_spread(trials, "train", clock=clock),
        fit_seconds=seconds_spread(trials, "fit", clock=clock),
        last_epoch_share=_last_epoch_share(arm),
        made_by=made_by(arm.arm),
    )


def made_by(arm: Arm) -> str:
    """What trains an arm, or builds its network, where that is the user's own code; else nothing."""
    if arm.is_command:
        return f"Trained by the command: {shown(arm.settings)}"
    if not arm.is_module:
        return ""
    network = arm.settings.network
    given = ", ".join(f"{name}={value!r}" for name, value in network.arguments.as_dict().items())
    return f"Network built by {network.python}({given})"


def _layers(arm: ArmTrials) -> tuple[tuple[LayerRow, ...], int | None, int | None]:
    """The layer table with its weights, trainable and not; of the user's own network as its trials told it."""
    if arm.arm.is_described:
        facts = arm_facts(arm.arm)
        names = keras_names([layer.keras_class for layer in facts])
        rows = tuple(
            LayerRow(
                layer=f"{name} ({layer.keras_class})",
                output_shape=f"({', '.join(map(str, (None, *layer.output_shape)))})",
                parameters=layer.parameters,
            )
            for name, layer in zip(names, facts, strict=True)
        )
        return rows, sum(layer.trainable for layer in facts), sum(layer.non_trainable for layer in facts)
    for trial in arm.trials:
        told = trial.outcome.provenance
        if "layers" in told and arm.parameters is not None:
            trainable = int(told.get("trainable", arm.parameters))
            return tuple(_told(told["layers"])), trainable, arm.parameters - trainable
    return (), None, None


def _told(text: str) -> Iterator[LayerRow]:
    for name, kind, shape, count in json.loads(text):
        yield LayerRow(layer=f"{name} ({kind})", output_shape=str(shape), parameters=int(count))


def keras_names(classes: list[str]) -> list[str]:
    """The names Keras gives layers that have none, in a fresh session.

    >>> keras_names(["Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"])
    ['conv2d', 'max_pooling2d', 'flatten', 'dense', 'dense_1']
    """
    counts: dict[str, int] = {}
    names: list[str] = []
    for keras_class in classes:
        words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", keras_class)
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        before = counts.get(name, 0)
        counts[name] = before + 1
        names.append(f"{name}_{before}" if before else name)
    return names


def hyperparameters(arm: Arm) -> str:
    """The notebook's line of hyperparameters, with what it left unsaid."""
    settings = arm.settings
    if arm.is_command:
        own = {name.upper(): value for name, value in settings.parameters.flat().items()}
        return ", ".join(f"{name} = {value}" for name, value in own.items()) or "those of its command"
    parts = {
        "BUFFER SIZE": settings.data.buffer_size,
        "BATCH SIZE": settings.batch_size,
        "NUM_EPOCHS": settings.epochs,
        "OPTIMIZER": settings.optimizer.keras_class,
        "LEARNING RATE": _rate(settings.optimizer),
    }
    if settings.data.augment.moves:
        parts["AUGMENT"] = str(settings.data.augment).replace(", ", " ")
    return ", ".join(f"{name} = {value}" for name, value in parts.items())


def _rate(optimizer: AnyOptimizer) -> str:
    rate = optimizer.learning_rate
    if isinstance(rate, float | int):
        return f"{rate:g}"
    return f"{rate.kind} from {rate.initial:g}"


def _last_epoch_share(arm: ArmTrials) -> float | None:
    finished = [trial.outcome.seconds for trial in arm.trials if trial.outcome.state == "finished"]
    phases = ("setup", "train", "validation", "last_epoch", "test")
    total = sum(seconds.get(phase, 0.0) for seconds in finished for phase in phases)
    return sum(seconds.get("last_epoch", 0.0) for seconds in finished) / total if total > 0 else None
