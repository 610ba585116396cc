"""What an author did, as far as a file shows it: models, how each was trained and judged, and what was said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fairtrial.audit.document import Place

Library = Literal["keras", "torch", "sklearn", "unknown"]
Basis = Literal["named", "figures", "previous", ""]
Says = Literal["increase", "decrease", "no change", "level", "plateau"]


@dataclass(frozen=True)
class LayerSeen:
    """One layer in the words of a study file, or what could not be translated.

    `kind` is the study file's (`dense`, `conv`, `pool`, `flatten`, ...); None for a layer the vocabulary lacks, whose
    source text is in `said`. A setting that the file shows nowhere (a printed layer table has no activation) is
    left out of `settings`, never guessed.
    """

    kind: str | None
    settings: Mapping[str, Any]
    said: str
    place: Place


@dataclass(frozen=True)
class TrainingSeen:
    """Hyperparameters of one fit; None where the file does not show it."""

    optimizer: str | None = None
    learning_rate: float | None = None
    loss: str | None = None
    batch_size: int | None = None
    epochs: int | None = None
    early_stopping: bool = False
    seed: int | None = None
    validation: str | None = None
    """What the fit was validated on, as written: `(x_test, y_test)`, `0.1`, `validation_data`."""
    other: Mapping[str, str] | None = None
    """Everything else, as written; settings of the optimiser and of early stopping by their dotted paths."""
    defaults: tuple[str, ...] = ()
    """Which of these values stand nowhere in the file and are the library's defaults: `learning_rate`."""
    runs: int = 1
    """How often this very configuration is trained, as far as loops over literal values show."""


@dataclass(frozen=True)
class Figure:
    """A number that was printed for a model: `metric` is accuracy, loss or time, `on` train, validation or test."""

    metric: Literal["accuracy", "loss", "time"]
    on: Literal["train", "validation", "test"]
    value: float
    decimals: int
    place: Place
    epoch: int | None = None
    """The epoch it belongs to, where a history was printed; None for a final figure."""


@dataclass(frozen=True)
class ModelSeen:
    """A model that the file builds, trains or shows."""

    name: str
    """The variable's name, the printed name (`sequential_4`), or a heading's; unique in the document."""
    title: str
    """The words of the author nearest before it (a heading, a `Model:` line), or its name."""
    library: Library
    layers: tuple[LayerSeen, ...]
    training: TrainingSeen
    place: Place
    figures: tuple[Figure, ...] = ()
    input_shape: tuple[int, ...] | None = None
    classes: int | None = None
    """Units of the output layer, which `layers` leaves out as a study file does."""
    printed_parameters: int | None = None
    printed_name: str | None = None
    """What Keras's table calls it: `sequential_4`."""
    trained: bool = True
    """False for a model that is built and never fitted or shown."""


@dataclass(frozen=True)
class Statement:
    """What the text says of a change: `validation accuracy increased from 0.970 to 0.988`."""

    metric: Literal["accuracy", "loss", "time"]
    on: Literal["train", "validation", "test"] | None
    says: Says
    before: float | None
    after: float | None
    variant: str | None
    """The name of the model spoken of, and of the one it is held against; None where the text leaves it open."""
    baseline: str | None
    text: str
    place: Place


@dataclass(frozen=True)
class Asked:
    """A question of the text and the models it is about."""

    id: str
    text: str
    variant: str | None
    baseline: str | None
    place: Place
    statements: tuple[Statement, ...] = ()
    basis: Basis = ""
    """What tells the baseline: the text names it, the text's figures lead to it, or it is the model shown before that
    differs least."""


@dataclass(frozen=True)
class Experiments:
    models: tuple[ModelSeen, ...]
    asked: tuple[Asked, ...]
    not_understood: tuple[tuple[Place, str], ...] = ()
    """Calls and layers that look like experiments and could not be followed, each in a sentence."""
    datasets: tuple[str, ...] = ()
    """The data sets that the code loads, by the names their loaders give them: `mnist`."""
