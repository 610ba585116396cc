"""Frozen values from what another process sent: no field missing, none too many, each of the type it is declared with."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Made = TypeVar("Made")


def made(kind: type[Made], **fields: Any) -> Made:
    """A dataclass with these fields. Raises TypeError, naming the field, where one does not fit.

    A whole number fits where a number is expected; true and false do not.
    """
    declared = _declared(kind)
    for name, value in fields.items():
        if name in declared and not _fits(value, declared[name]):
            raise TypeError(f"{kind.__name__}.{name} cannot be {str(value)[:60]!r}")
    return kind(**fields)


@cache
def _declared(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, declared: Any) -> bool:
    origin, parts = get_origin(declared), get_args(declared)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in parts)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in parts)
    if origin is tuple:
        return isinstance(value, tuple) and all(
            _fits(one, parts[0]) for one in cast("tuple[Any, ...]", value)
        )
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(
            _fits(name, parts[0]) and _fits(one, parts[1])
            for name, one in cast("dict[Any, Any]", value).items()
        )
    if declared is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or declared)
