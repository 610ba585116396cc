"""A search as a study file declares it, and its space as the file writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from fairtrial.durations import seconds_in
from fairtrial.errors import FairtrialError
from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.naming import Identifier
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.space import (
    MOST_OPTIONS,
    Choice,
    FloatRange,
    IntRange,
    Repeated,
    every_point,
    parameters,
    size_of,
)

KINDS = ("int", "float", "choice")
OPTIONS = {"int": ("log", "step"), "float": ("log", "step", "points"), "choice": ()}
LARGEST_GRID = 10_000
Sampler = Literal["tpe", "random", "grid"]


def template(value: Any) -> Any:
    """A value as a file writes it, with its parameters read. Raises a refusal for one that cannot be."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        kinds = [kind for kind in KINDS if kind in entries]
        if kinds:
            return _parameter(kinds[0], entries)
        return {str(key): template(one) for key, one in entries.items()}
    if isinstance(value, list | tuple):
        return tuple(_item(one) for one in cast("list[Any]", value))
    return value


def _item(value: Any) -> Any:
    if not isinstance(value, Mapping) or "repeat" not in value:
        return template(value)
    entries = dict(cast("Mapping[str, Any]", value))
    count = template(entries.pop("repeat"))
    if not _counts(count):
        raise refusal(
            f"repeat must be how often: a whole number from 0 to {MOST_OPTIONS}, {{int: [1, 4]}} or a choice of "
            "whole numbers"
        )
    if set(entries) == {"layers"} and isinstance(entries["layers"], list | tuple):
        several = cast("list[Any]", entries["layers"])
        return Repeated(count=count, items=tuple(template(one) for one in several))
    if len(entries) != 1:
        raise refusal(
            "beside repeat stands one layer, such as `dense: {units: 100}`, or `layers:` with several, got "
            f"{', '.join(map(str, entries)) or 'nothing'}"
        )
    return Repeated(count=count, items=(template(entries),))


def _counts(count: Any) -> bool:
    match count:
        case IntRange():
            return count.low >= 0 and count.high <= MOST_OPTIONS
        case Choice():
            return all(_whole(option) and 0 <= option <= MOST_OPTIONS for option in count.options)
        case _:
            return _whole(count) and 0 <= count <= MOST_OPTIONS


def _parameter(kind: str, entries: Mapping[str, Any]) -> IntRange | FloatRange | Choice:
    allowed = (kind, *OPTIONS[kind])
    for unknown in set(entries) - set(allowed):
        hint = did_you_mean(str(unknown), allowed)
        raise refusal(f"{unknown!r} does not go with {kind}{hint or '; known are ' + ', '.join(allowed)}")
    if kind == "choice":
        return _choice(entries["choice"])
    low, high = _ends(kind, entries[kind])
    log, step, points = entries.get("log", False), entries.get("step"), entries.get("points")
    if not isinstance(log, bool):
        raise refusal(f"log must be true or false, got {log!r}")
    if log and low <= 0:
        raise refusal(f"log needs numbers above zero, got {low!r}")
    if log and step is not None:
        raise refusal("step and log do not go together; a grid over a logarithm takes points")
    if points is not None and not (_whole(points) and 2 <= points <= MOST_OPTIONS):
        raise refusal(f"points must be a whole number from 2 to {MOST_OPTIONS}, got {points!r}")
    if step is not None and not (_number(step) and 0 < step <= high - low):
        raise refusal(f"step must be above zero and at most {high - low!r}, got {step!r}")
    if kind == "int":
        if step is not None and not _whole(step):
            raise refusal(f"step must be a whole number, got {step!r}")
        step = step or 1
        return IntRange(low=low, high=low + (high - low) // step * step, log=log, step=step)
    made = FloatRange(low=float(low), high=float(high), log=log, step=step, points=points)
    if step is None:
        return made
    return FloatRange(low=made.low, high=float(f"{made.low + (size_of(made) - 1) * step:.12g}"), step=step)


def _ends(kind: str, ends: Any) -> tuple[Any, Any]:
    right = _whole if kind == "int" else _number
    what = "whole numbers" if kind == "int" else "numbers"
    pair = cast("list[Any]", ends) if isinstance(ends, list | tuple) else []
    if len(pair) != 2 or not all(map(right, pair)):
        raise refusal(
            f"{kind} must be two {what}, the smallest and the largest, such as [16, 2048], got {ends!r}"
        )
    if not pair[0] < pair[1]:
        raise refusal(f"{kind}: the first number must be the smaller one, got {ends!r}")
    return pair[0], pair[1]


def _choice(options: Any) -> Choice:
    listed = cast("list[Any]", options) if isinstance(options, list | tuple) else []
    if not 1 <= len(listed) <= MOST_OPTIONS:
        raise refusal(f"choice must be a list of 1 to {MOST_OPTIONS} options, got {options!r}"[:200])
    read: tuple[Any, ...] = tuple(template(option) for option in listed)
    # By how they are written: true is not 1, though Python has it so.
    if len({repr(one) for one in read}) < len(read):
        raise refusal("choice names an option twice")
    return Choice(options=read)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _length_of_time(text: str) -> str:
    try:
        seconds_in(text)
    except FairtrialError as error:
        raise refusal(str(error)) from None
    return text


class Search(Frozen):
    """Looks for settings that do better than a baseline, then confirms one candidate on fresh seeds.

    Proposals are judged on validation images alone; the confirmation is a question on the test images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: Identifier
    ask: str = ""
    baseline: str
    """The arm that the space departs from, and that the candidate is held against."""
    space: Annotated[dict[str, Annotated[Any, BeforeValidator(template)]], Field(min_length=1)]
    """What may change: dotted paths of settings, each with what it may be."""
    metric: Literal["accuracy", "loss"] = "accuracy"
    sampler: Sampler = "tpe"
    budget: Annotated[str, AfterValidator(_length_of_time)] = "10m"
    """How long it may take in all, the confirmation included."""
    trials: Annotated[int, Field(ge=1, le=100_000, strict=True)] | None = None
    """At most so many proposals."""
    halving: Annotated[int, Field(ge=2, le=100, strict=True)] | Literal[False] = 3
    """A proposal goes on after 1, 3, 9, ... epochs if it is among the best third so far; false lets all go on."""
    longest: Annotated[str, AfterValidator(_length_of_time)] | None = None
    """A proposal that takes longer is stopped; no limit unless given."""
    note: str | None = None

    @field_validator("space", mode="after")
    @classmethod
    def _in_order_of_paths(cls, space: dict[str, Any]) -> dict[str, Any]:
        """Two searches that differ in the order of their paths are one."""
        return dict(sorted(space.items()))

    @model_validator(mode="after")
    def _can_be_gone_through(self) -> Search:
        known = parameters(self.space)
        if not known:
            raise refusal(
                "nothing is left open: give a value as {int: [16, 2048]}, {float: [0.1, 1.0]} or {choice: [a, b]}",
                "space",
            )
        for name, parameter in known if self.sampler == "grid" else ():
            if isinstance(parameter, FloatRange) and parameter.step is None and parameter.points is None:
                raise refusal(
                    f"{name}: a grid needs to know how many: add points or step", "space", "sampler"
                )
            if size_of(parameter) > LARGEST_GRID:
                raise refusal(
                    f"{name}: a grid of {size_of(parameter):,} values; add a larger step", "space", "sampler"
                )
        if self.sampler == "grid" and any(
            count > LARGEST_GRID for count, _ in enumerate(every_point(self.space), start=1)
        ):
            raise refusal(f"a grid of more than {LARGEST_GRID} points; leave some out", "space", "sampler")
        return self

    @property
    def budget_seconds(self) -> float:
        return seconds_in(self.budget)

    @property
    def longest_seconds(self) -> float:
        return float("inf") if self.longest is None else seconds_in(self.longest)

    @property
    def paths(self) -> tuple[str, ...]:
        """The settings it may change, as the factors of its confirmation."""
        return tuple(self.space)
