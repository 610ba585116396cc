"""What a Keras model is made of, and what is said of it: why something cannot be taken, and what should be known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.spelling import flow
from fairtrial.study.tree import shortened

MOST_SAID = 50
"""Reasons why a model cannot be taken."""

LONGEST = 300
"""Characters of where a layer is, and a third of those of what is said of it."""

ELSE = (
    "what cannot be left out or changed is trained as code of your own, a torch module (network: {python: FILE.py:build}), or as a "
    "command that runs the Keras program itself"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A layer, optimiser, loss or schedule: its class and settings, and where Keras's user finds it: `model.layers[2]`."""

    place: str
    kind: str
    config: Mapping[str, Any]
    custom: bool = False
    """Whether the class is the user's own."""

    @property
    def name(self) -> str:
        name = self.config.get("name")
        return name if isinstance(name, str) else ""

    @property
    def where(self) -> str:
        name = f" {shortened(self.name)!r}" if self.name and self.place.endswith("]") else ""
        return f"{self.place}{name} ({shortened(self.kind)})"


@dataclass(slots=True, kw_only=True)
class Told:
    """Gathers all that is to be said before anything is decided: a user mends a model once, not a layer at a time."""

    source: str
    mistakes: list[Mistake] = field(default_factory=list[Mistake])
    notes: list[str] = field(default_factory=list[str])

    def refuse(self, at: Part | str, why: str) -> None:
        where = at if isinstance(at, str) else at.where
        if len(where) > LONGEST:  # models within models within models
            where = f"{where[: LONGEST // 3]} … {where[-LONGEST // 2 :]}"
        why = why if len(why) <= 3 * LONGEST else f"{why[: 3 * LONGEST]} …"
        self.mistakes.append(Mistake(where=f"{self.source}: {where}" if where else self.source, message=why))

    def error(self) -> StudyError:
        """All there is, in the order of the layers, and what can be done where nothing of it helps."""
        ordered = sorted(self.mistakes, key=lambda one: _order(one.where.removeprefix(self.source)))
        more = len(ordered) - MOST_SAID
        left = [Mistake(where=self.source, message=f"and {more} reasons more")] if more > 0 else []
        return StudyError((*ordered[:MOST_SAID], *left, Mistake(where=self.source, message=ELSE)))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _order(where: str) -> tuple[int, list[int]]:
    place = where.split(" ")[1] if " " in where else ""
    numbers = [int(one) for one in re.findall(r"\[([0-9]{1,9})\]", place)]
    return (0 if place in ("", "model") else 1 if numbers else 2), numbers


def part_of(value: object, place: str) -> Part | None:
    """What Keras 2 and 3 write of an object: its class and its configuration. None for anything else."""
    if not isinstance(value, dict):
        return None
    given = cast("dict[str, Any]", value)
    kind, config = given.get("class_name"), given.get("config")
    if not isinstance(kind, str):
        return None
    registered = given.get("registered_name")
    module = given.get("module")
    ours = module is None or (isinstance(module, str) and module.split(".")[0] in ("keras", "builtins"))
    custom = not ours or (isinstance(registered, str) and ">" in registered)
    if config is None:
        config = {}
    # A function is written as its class, `function`, and its name.
    settings = cast("dict[str, Any]", config) if isinstance(config, dict) else {"name": config}
    return Part(place=place, kind=kind.rpartition(">")[2], config=settings, custom=custom)


def said(value: object) -> str:
    """A setting as it was written, in one short line."""
    part = part_of(value, "")
    if part is not None:
        inner = ", ".join(
            f"{name}={said(one)}"
            for name, one in part.config.items()
            if one is not None and name != "name" and not isinstance(one, dict | list)
        )
        return shortened(f"{part.kind}({inner})")
    try:
        return shortened(flow(value))
    except (TypeError, ValueError, RecursionError):
        return shortened(str(type(value).__name__))


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
