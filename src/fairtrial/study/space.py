"""What a search may choose from: settings in which some values are left open.

A space maps dotted paths to templates. A template is a value as a study file writes it in which any part may be
a parameter: `{int: [16, 2048], log: true}`, `{float: [0.0001, 0.1], log: true}` or `{choice: [relu, tanh]}`.
What stands inside an option of a choice is asked for only where that option is taken, and an item of a list with
`repeat` is written so many times, each time with parameters of its own: a depth, then units per layer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

MOST_OPTIONS = 1000
"""Options of one choice, and repeats of one item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included; with `log`, each doubling as likely as another."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    def grid(self) -> tuple[int, ...]:
        return tuple(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRange:
    """Numbers from `low` to `high`; a grid takes so many `points`, evenly spaced (with `log` by their logarithm)."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    points: int | None = None

    def grid(self) -> tuple[float, ...]:
        if self.step is not None:
            count = size_of(self)
            return tuple(float(f"{self.low + place * self.step:.12g}") for place in range(count))
        count = self.points or 1
        if count == 1:
            return (self.low,)
        shares = [place / (count - 1) for place in range(count)]
        if self.log:
            return tuple(
                float(f"{math.exp(math.log(self.low) + share * math.log(self.high / self.low)):.6g}")
                for share in shares
            )
        return tuple(float(f"{self.low + share * (self.high - self.low):.12g}") for share in shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of these; an option may hold parameters of its own."""

    options: tuple[Any, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What each option is called where it is shown, no two alike."""
        names = [label(option) for option in self.options]
        return tuple(
            f"{name}#{names[: place + 1].count(name)}" if names.count(name) > 1 else name
            for place, name in enumerate(names)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Items of a list, written `count` times in a row."""

    count: Any
    items: tuple[Any, ...]


Parameter = IntRange | FloatRange | Choice
Value = int | float
"""What a parameter came to: a number, or the place of the option that was taken."""

Ask = Callable[[str, Parameter], Value]
"""Decides one parameter, known by its name: the same walk asks for the same names in the same order."""

Space = Mapping[str, Any]
"""Templates by dotted path."""


def walk(space: Space, ask: Ask) -> dict[str, Any]:
    """The departures that come of the space when `ask` decides every parameter that is met.

    >>> walk({"network.mlp.width": IntRange(low=16, high=64)}, lambda name, parameter: parameter.high)
    {'network.mlp.width': 64}
    """
    return {path: _filled(template, path, ask) for path, template in space.items()}


def _filled(template: Any, name: str, ask: Ask) -> Any:
    match template:
        case IntRange() | FloatRange():
            return ask(name, template)
        case Choice():
            place = int(ask(name, template))
            option = template.options[place]
            return _filled(option, within(name, template.labels[place]), ask)
        case dict():
            entries = cast("dict[str, Any]", template)
            return {key: _filled(value, f"{name}.{key}", ask) for key, value in entries.items()}
        case tuple():
            return list(_items(cast("tuple[Any, ...]", template), name, ask))
        case _:
            return template


def _items(template: Sequence[Any], name: str, ask: Ask) -> Iterator[Any]:
    for place, item in enumerate(template):
        if not isinstance(item, Repeated):
            yield _filled(item, f"{name}.{place}", ask)
            continue
        count = _filled(item.count, f"{name}.{place}.repeat", ask)
        for turn in range(1, count + 1):
            for one in item.items:
                yield _filled(one, f"{name}.{place}.{turn}", ask)


def parameters(space: Space) -> tuple[tuple[str, Parameter], ...]:
    """Every parameter there is, whether or not it is asked for in each walk, with its name, in the space's order."""
    found: dict[str, Parameter] = {}

    def visit(template: Any, name: str) -> None:
        match template:
            case IntRange() | FloatRange():
                found[name] = template
            case Choice():
                found[name] = template
                for text, option in zip(template.labels, template.options, strict=True):
                    visit(option, within(name, text))
            case dict():
                for key, value in cast("dict[str, Any]", template).items():
                    visit(value, f"{name}.{key}")
            case tuple():
                for place, item in enumerate(cast("tuple[Any, ...]", template)):
                    if not isinstance(item, Repeated):
                        visit(item, f"{name}.{place}")
                        continue
                    visit(item.count, f"{name}.{place}.repeat")
                    for turn in range(1, most_repeats(item) + 1):
                        for one in item.items:
                            visit(one, f"{name}.{place}.{turn}")
            case _:
                pass

    for path, template in space.items():
        visit(template, path)
    return tuple(found.items())


def most_repeats(item: Repeated) -> int:
    """How often the item is written at most."""
    match item.count:
        case IntRange():
            return item.count.high
        case Choice():
            return max((option for option in item.count.options if isinstance(option, int)), default=0)
        case _:
            return int(item.count)


def every_point(space: Space) -> Iterator[dict[str, Value]]:
    """All values of a grid, walk by walk, the last parameter changing fastest; the space must be a grid's.

    What one option leaves out is not gone through for it.
    """
    fixed: list[Value] = []
    while True:
        decided = _decided(space, fixed)
        yield {name: chosen for name, _, chosen in decided}
        while decided and decided[-1][2] == decided[-1][1][-1]:
            decided.pop()
        if not decided:
            return
        _, values, last = decided[-1]
        fixed = [*(chosen for _, _, chosen in decided[:-1]), values[values.index(last) + 1]]


def _decided(space: Space, fixed: Sequence[Value]) -> list[tuple[str, tuple[Value, ...], Value]]:
    """Each parameter that is met, its values, and the one it has: `fixed` first, then always the first one."""
    found: list[tuple[str, tuple[Value, ...], Value]] = []

    def ask(name: str, parameter: Parameter) -> Value:
        values = grid_of(parameter)
        found.append((name, values, fixed[len(found)] if len(found) < len(fixed) else values[0]))
        return found[-1][2]

    walk(space, ask)
    return found


def grid_of(parameter: Parameter) -> tuple[Value, ...]:
    """The values that a grid goes through."""
    return tuple(range(len(parameter.options))) if isinstance(parameter, Choice) else parameter.grid()


def size_of(parameter: Parameter) -> int:
    """How many values that are."""
    match parameter:
        case Choice():
            return len(parameter.options)
        case IntRange():
            return (parameter.high - parameter.low) // parameter.step + 1
        case FloatRange():
            if parameter.step is None:
                return parameter.points or 1
            return math.floor((parameter.high - parameter.low) / parameter.step + 1e-9) + 1


def departures(space: Space, values: Mapping[str, Value]) -> dict[str, Any]:
    """What the space comes to where its parameters have these values."""
    return walk(space, lambda name, _: values[name])


def within(name: str, option: str) -> str:
    """What parameters are called that stand inside an option of the choice `name`."""
    return f"{name}={re.sub(r'[^A-Za-z0-9_+#-]', '_', option)}"


def spoken(name: str) -> str:
    """A parameter's name without the options that it stands inside.

    >>> spoken("optimizer.learning_rate=cosine.cosine.initial")
    'optimizer.learning_rate.cosine.initial'
    """
    return re.sub(r"=[^.]*", "", name)


def shown(space: Space, values: Mapping[str, Value]) -> dict[str, str | int | float]:
    """The values as a reader knows them: options by what they say."""
    known = dict(parameters(space))
    found: dict[str, str | int | float] = {}
    for name, value in values.items():
        parameter = known[name]
        found[name] = parameter.labels[int(value)] if isinstance(parameter, Choice) else value
    return found


def label(option: Any) -> str:
    """What an option is called: itself, or what it begins with where it holds more."""
    if isinstance(option, str):
        return option
    if isinstance(option, bool | int | float) or option is None:
        return json.dumps(option)
    if isinstance(option, dict):
        entries = cast("dict[str, Any]", option)
        name = entries.get("name")
        return name if isinstance(name, str) else "+".join(entries)
    return "number" if isinstance(option, IntRange | FloatRange) else "list"


def canonical(space: Space) -> str:
    """The space as text: equal for equal spaces, in whatever order their paths were written."""
    return json.dumps(_plain(dict(space)), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(template: Any) -> Any:
    match template:
        case IntRange():
            return {"int": [template.low, template.high], "log": template.log, "step": template.step}
        case FloatRange():
            return {
                "float": [template.low, template.high], "log": template.log, "step": template.step,
                "points": template.points,
            }  # fmt: skip
        case Choice():
            return {"choice": [_plain(option) for option in template.options]}
        case Repeated():
            return {"repeat": _plain(template.count), "items": [_plain(item) for item in template.items]}
        case dict():
            return {key: _plain(value) for key, value in cast("dict[str, Any]", template).items()}
        case tuple():
            return [_plain(item) for item in cast("tuple[Any, ...]", template)]
        case _:
            return template
