"""What names stand for while code is followed without being run: numbers, layers, networks, or nothing known.

Numbers, texts, lists, tuples and dictionaries stand for themselves; everything else is one of these.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fairtrial.audit.document import Place
from fairtrial.audit.experiment import LayerSeen, Library, TrainingSeen

Value = Any
Scope = ChainMap[str, Value]


MOST_LAYERS = 2_000


class TooMuch(Exception):
    """More to follow than an audit follows in one file."""


@dataclass(frozen=True)
class Unknown:
    """A value that the file does not show."""

    said: str = ""


@dataclass(frozen=True)
class Reference:
    """Something of a library, by its full path: `keras.layers.Dense`."""

    path: str

    @property
    def word(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Method:
    """A method about to be called: `model.fit`."""

    owner: Value
    word: str


@dataclass(frozen=True)
class LayerMade:
    """A layer object: to be put in a list, added, or called on what the layer before it gave."""

    seen: LayerSeen
    input_shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Tensor:
    """What flows through a functional model: the layers it has passed."""

    layers: tuple[LayerMade, ...] = ()

    def __post_init__(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            raise TooMuch


@dataclass(eq=False)
class OptimizerMade:
    name: str
    learning_rate: float | None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    defaults: tuple[str, ...] = ()
    net: Net | None = None
    """The network whose parameters it was given (PyTorch)."""


@dataclass(frozen=True)
class CallbackMade:
    name: str
    settings: Mapping[str, Value]


@dataclass(frozen=True)
class Batches:
    """Data that comes in batches of `size`."""

    size: int | None
    said: str = ""


@dataclass(eq=False)
class Net:
    """A network as it is being put together, compiled and trained."""

    library: Library
    place: Place
    layers: list[LayerMade] = field(default_factory=list[LayerMade])
    name: str = ""
    named_inside: bool = False
    """Whether its name is that of a function's own variable, to give way to one outside."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """The values that the loops had in which it was made: `units`, `50`."""
    optimizer: OptimizerMade | None = None
    loss: str | None = None
    training: TrainingSeen | None = None
    training_of_estimator: TrainingSeen | None = None
    """What an estimator's own call says of how it will be fitted."""
    trained_at: Place | None = None
    other: dict[str, str] = field(default_factory=dict[str, str])
    used: bool = False
    part: bool = False
    """Put into another network."""
    stepped: bool = False
    """Trained by a loop of steps, whose rounds are counted where it is followed."""
    cells: list[int] = field(default_factory=list[int])
    """Positions in the document of the cells that train or evaluate it."""
    loops: int = 0
    """How many loops ran when it was made: those begun later are its own."""

    def put(self, layers: Sequence[LayerMade]) -> None:
        """Add layers at its end; a network put into itself would double each time."""
        if len(self.layers) + len(layers) > MOST_LAYERS:
            raise TooMuch
        self.layers.extend(layers)


@dataclass(eq=False)
class Instance:
    """An object of a class of the file that is no network (or not yet): its attributes."""

    attributes: dict[str, Value] = field(default_factory=dict[str, Value])
    made_of: ClassMade | None = None
    net: Net | None = None


@dataclass(frozen=True, eq=False)
class FunctionMade:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    cell: int
    """Position in the document of the cell that defines it."""
    scope: Scope
    bound: Instance | None = None


@dataclass(frozen=True, eq=False)
class ClassMade:
    node: ast.ClassDef
    cell: int
    bases: tuple[Value, ...]
    attributes: dict[str, Value]


@dataclass(frozen=True)
class Loop:
    """A loop that is being followed: how often it runs, and over which batches."""

    times: int | None
    batches: Batches | None
    label: tuple[str, str] | None = None


def whole(value: Value) -> int | None:
    """`value` as a whole number of at least 1 (float ones too: `1e3`), or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value and 1 <= value < 1e12 and value == int(value) else None


def number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
