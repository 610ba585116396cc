"""What a program does with data that the rules ask about, in the order it does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fairtrial.audit.tracing.values import Lesson, Rows, Shuffle, Value


@dataclass(frozen=True)
class Loop:
    """One loop as it was entered: the names it binds, and whether its rounds are folds of the data or over data."""

    ident: int
    line: int
    targets: tuple[str, ...]
    over: Literal["data", "folds", "range", "settings", "unknown"]
    used: frozenset[str] = frozenset()
    """The names its body reads."""


@dataclass(frozen=True)
class Training:
    line: int
    model: int
    created: tuple[int, ...]
    loops: tuple[int, ...]
    library: Literal["keras", "torch", "sklearn", "unknown"]
    stochastic: bool
    rows: frozenset[int] = frozenset()
    validation: frozenset[int] = frozenset()
    validation_line: int = 0
    selects: str = ""
    """What takes its choice by the validation data: a callback, a stopping rule, a search."""
    same_target: bool = False
    """The inputs are their own targets."""
    inner_split: bool = False
    labelled: bool = True
    """It is given targets; a clustering or a transformer of the author's own is not."""
    searches: bool = False


@dataclass(frozen=True)
class Judged:
    line: int
    rows: frozenset[int]
    loops: tuple[int, ...]


@dataclass(frozen=True)
class Cut:
    line: int
    how: str
    parent: frozenset[int]
    piece: int
    shuffles: frozenset[Shuffle]


@dataclass(frozen=True)
class Drawn:
    """Validation batches taken out of a data set before anything was trained."""

    line: int
    rows: frozenset[int]
    shuffles: frozenset[Shuffle]


@dataclass(frozen=True)
class Divided:
    """Rows divided at random; `fixed` where a seed makes every division the same."""

    line: int
    loops: tuple[int, ...]
    fixed: bool
    order: int = 0
    """The random order it was taken from; 0 where the call divides by itself."""


@dataclass(frozen=True)
class Chosen:
    """The best of several scores: their value, which it was, or what was kept because of it."""

    line: int
    value: Value
    how: Literal["value", "which", "kept", "saved", "stopped", "steered"]
    across: Literal["epochs", "settings", "unknown"]
    ident: int


@dataclass(frozen=True)
class Carried:
    """Rows that hold what was learnt from other rows, at the moment it became so."""

    rows: frozenset[int]
    lesson: Lesson


@dataclass(frozen=True)
class CrossValidated:
    line: int
    rows: frozenset[int]
    lessons: frozenset[Lesson]


@dataclass(frozen=True)
class Seeded:
    line: int
    loops: tuple[int, ...]
    names: frozenset[str]
    rounds: frozenset[int] = frozenset()
    """The loops whose round's number the seed is made of."""


@dataclass(frozen=True)
class Reported:
    ident: int


Event = Training | Judged | Cut | Drawn | Divided | Chosen | Carried | CrossValidated | Seeded | Reported


@dataclass
class Log:
    """Everything that was met, with the sets of rows and the loops it speaks of."""

    events: list[Event] = field(default_factory=list[Event])
    rows: dict[int, Rows] = field(default_factory=dict[int, Rows])
    loops: dict[int, Loop] = field(default_factory=dict[int, Loop])
    orders: list[Divided] = field(default_factory=list[Divided])
    """Random orders of rows, which are divisions where head and tail are used apart."""
    adapted: list[Lesson] = field(default_factory=list[Lesson])
    """Lessons of layers, which take part in every prediction of the model they are in."""

    def part(self, ident: int) -> str:
        """The part of a set of rows: its own, or that of what it was cut out of."""
        seen = 0
        while self.rows[ident].part == "piece" and self.rows[ident].parent and seen < 50:
            ident, seen = self.rows[ident].parent, seen + 1
        return self.rows[ident].part

    def nested(self, one: int, other: int) -> bool:
        return one == other or one in self.rows[other].within or other in self.rows[one].within
