"""Settings as one short value each, and what it is for one to differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel

from fairtrial.study.augment import Augment
from fairtrial.study.schema import Mlp

Setting = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting that is not the same in two arms. `path` is dotted, as in a study file."""

    path: str
    variant: Setting
    baseline: Setting

    def __str__(self) -> str:
        return f"{self.path} ({self.baseline} -> {self.variant})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A setting that two arms share."""

    path: str
    value: Setting


def describe(value: object) -> Setting:
    """A setting as one short value: itself if it is a plain one, else a line of text.

    >>> describe((3, 5)), describe(Mlp(width=50))
    ('3 x 5', 'mlp of 2 x 50 relu')
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mlp():
            return f"mlp of {value.depth} x {value.width} {value.activation}"
        case Augment():
            return str(value)
        case BaseModel():
            fields = value.model_dump(exclude_defaults=True, exclude={"name"})
            inner = ", ".join(f"{name} {describe(one)}" for name, one in fields.items())
            return f"{_kind(value)}({inner})" if inner else _kind(value)
        case (int() as height, int() as width):
            return f"{height} x {width}"
        case tuple():
            return (
                ", ".join(str(describe(one)) for one in cast("tuple[object, ...]", value))
                or "no hidden layer"
            )
        case _:
            raise TypeError(f"a setting of type {type(value).__name__} cannot be described")


def value_apart(path: str, variant: object, baseline: object) -> Iterator[Difference]:
    """The difference between two values of a setting, if there is one."""
    if variant != baseline:
        yield Difference(path=path, variant=describe(variant), baseline=describe(baseline))


def _kind(model: BaseModel) -> str:
    return str(getattr(model, "kind", type(model).__name__))
