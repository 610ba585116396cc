"""What is known of a value without computing it: which rows it comes from, and what was learnt from them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import Literal

Part = Literal["unknown", "piece", "train", "validation", "test", "held out"]
Kind = Literal[
    "unknown",
    "data",
    "statistic",
    "mask",
    "order",
    "prediction",
    "hits",
    "score",
    "scores",
    "history",
    "epoch scores",
    "best epoch",
    "best",
    "splits",
    "object",
    "parameters",
    "sequence",
    "mapping",
    "numbered",
    "constant",
    "name",
    "function",
    "class",
    "labels",
]


DEEPEST_LIST = 6
LARGEST_LIST = 1_000


@dataclass(frozen=True)
class Lesson:
    """What a scaler, a selector or a mean took from rows: `learner` in words, `labels` whether it saw the targets."""

    line: int
    learner: str
    rows: frozenset[int]
    labels: bool


@dataclass(frozen=True)
class Shuffle:
    """A shuffle of tf.data; `fixed` where its order is the same in each pass, `cached` where a cache keeps it."""

    line: int
    fixed: bool
    cached: bool = False


@dataclass(frozen=True)
class Value:
    kind: Kind = "unknown"
    name: str = ""
    rows: frozenset[int] = frozenset()
    lessons: frozenset[Lesson] = frozenset()
    shuffles: frozenset[Shuffle] = frozenset()
    items: tuple[Value, ...] = ()
    keys: tuple[object, ...] = ()
    constant: object = None
    node: ast.AST | None = field(default=None, compare=False, repr=False)
    ident: int = 0
    line: int = 0
    created: tuple[int, ...] = ()
    """The loops, outermost first, in which it was made: another one in each round of them."""
    model: int = 0
    """The model that a prediction, a score, a history or an optimiser belongs to."""
    model_created: tuple[int, ...] = ()
    order: tuple[int, int] | None = None
    """The identity and line of the random order that its rows are in."""
    depth: int = field(default=0, init=False, compare=False, repr=False)
    size: int = field(default=1, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """What is in lists of lists is forgotten where it becomes too much, however it was built up."""
        if self.items:
            depth = 1 + max(item.depth for item in self.items)
            size = 1 + sum(item.size for item in self.items)
            if depth > DEEPEST_LIST or size > LARGEST_LIST:
                object.__setattr__(self, "items", ())
                object.__setattr__(self, "keys", ())
            else:
                object.__setattr__(self, "depth", depth)
                object.__setattr__(self, "size", size)


UNKNOWN = Value()


@dataclass
class Rows:
    """A set of rows; its part is learnt when it is given a name."""

    part: Part
    official: bool = False
    """The library or the file's name says which part it is, not the author's variable."""
    within: frozenset[int] = frozenset()
    """The sets it was cut out of, and those it was joined into."""
    parent: int = 0
    drawn_from: int = 0
    """The random order it was cut from, and whether it is its head or its tail."""
    side: str = ""


def carrying(kind: Kind, *values: Value, **more: object) -> Value:
    """A value of `kind` that comes from all of `values`."""
    model = next((value for value in values if value.model), UNKNOWN)
    made = Value(
        kind,
        rows=frozenset[int]().union(*(value.rows for value in values)),
        lessons=frozenset[Lesson]().union(*(value.lessons for value in values)),
        shuffles=frozenset[Shuffle]().union(*(value.shuffles for value in values)),
        model=model.model,
        model_created=model.model_created,
    )
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


def flat(value: Value, depth: int = 4) -> tuple[Value, ...]:
    """The value and, for a list, tuple or dictionary, what is in it."""
    if value.kind not in ("sequence", "mapping", "numbered") or depth == 0:
        return (value,)
    return (value, *(inner for item in value.items for inner in flat(item, depth - 1)))


def either(one: Value, other: Value) -> Value:
    """What is known after a branch that may have been taken."""
    if one == other or other.kind == "constant" or (other.kind == "unknown" and not other.rows):
        return one
    if one.kind == "constant" or (one.kind == "unknown" and not one.rows):
        return other
    if one.kind in ("function", "class", "object", "name"):
        return one
    both = carrying(one.kind, one, other)
    return replace(
        one,
        rows=both.rows,
        lessons=both.lessons,
        shuffles=both.shuffles,
        model=both.model,
        model_created=both.model_created,
    )


STEMS: dict[Part, tuple[str, ...]] = {
    "test": ("test", "testing", "te", "tst"),
    "validation": ("val", "valid", "validation", "va", "dev", "vali", "eval"),
    "train": ("train", "training", "tr", "trn"),
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_AROUND = re.compile(
    r"^(?:|x|y|xs|ys|s|ds|dl|df|data|set|sets|loader|iter|gen|generator|dataset|images|labels|inputs|targets|batches)$"
)


def part_in(name: str) -> Part | None:
    """The part of the data that a variable's or folder's name speaks of.

    >>> part_in("x_test"), part_in("testloader"), part_in("Xtr"), part_in("ds_val"), part_in("latest")
    ('test', 'test', 'train', 'validation', None)
    >>> part_in("train_and_validation_data")  # of both, so of neither
    >>> part_in("x_vals")  # the values of an axis
    """
    found: set[Part] = {part for word in _WORD.findall(name) if (part := _part_of_word(word.lower()))}
    return found.pop() if len(found) == 1 else None


def _part_of_word(word: str) -> Part | None:
    # `x_vals` and `yvals` are values, mostly the points of a plot.
    if word.endswith("vals"):
        return None
    for part, stems in STEMS.items():
        for stem in stems:
            before, found, after = word.partition(stem)
            if not found or not _AROUND.match(before) or not _AROUND.match(after):
                continue
            if len(stem) > 2 or word in (stem, f"x{stem}", f"y{stem}"):
                return part
    return None
