"""A study file as plain values, each of which knows where it was written."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.factories import name_of

DEEPEST = 50
"""Levels of nesting that a study may have; what is read recursively stays within them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of a study file and its origin.

    `value` is a scalar, a tuple of nodes, or a dict from key to node. `where` is `file:line` of
    its key, or the command-line option; `owner` says whose it is (`base`, `arm 'wide'`);
    `implied` marks a mapping that only a dotted key speaks of; `size` counts the values within.
    """

    value: object
    where: str
    owner: str = ""
    text: str = ""
    implied: bool = False
    size: int = 1

    @property
    def entries(self) -> dict[str, Node] | None:
        """Its entries if it is a mapping."""
        value: Any = self.value
        return cast("dict[str, Node]", value) if isinstance(value, dict) else None

    @property
    def items(self) -> tuple[Node, ...] | None:
        """Its items if it is a list."""
        value: Any = self.value
        return cast("tuple[Node, ...]", value) if isinstance(value, tuple) else None

    def shown(self) -> str:
        """The value as a message quotes it."""
        if self.entries is not None:
            return "a mapping" if self.entries else "an empty mapping"
        if self.items is not None:
            return "a list" if self.items else "an empty list"
        if self.value is None:
            return "nothing"
        text = repr(self.value) if isinstance(self.value, str) else self.text or repr(self.value)
        return shortened(text)


def shortened(text: str) -> str:
    """At most 80 characters of `text`, in one line."""
    text = " ".join(text.splitlines())
    return text if len(text) <= 80 else f"{text[:77]}..."


def plain(node: Node) -> Any:
    """The bare values, without their origins."""
    if node.entries is not None:
        return {key: plain(child) for key, child in node.entries.items()}
    if node.items is not None:
        return [plain(child) for child in node.items]
    return node.value


def owned(node: Node, owner: str) -> Node:
    """The same tree, said to belong to `owner`."""
    value = node.value
    if node.entries is not None:
        value = {key: owned(child, owner) for key, child in node.entries.items()}
    elif node.items is not None:
        value = tuple(owned(child, owner) for child in node.items)
    return replace(node, value=value, owner=owner)


def from_python(value: object, *, where: str) -> Node:
    """A tree from mappings and sequences written in Python; `where` grows into their paths.

    Raises StudyError if the value nests without end.
    """
    return _from_python(value, where, 0)


def _from_python(value: object, where: str, depth: int) -> Node:
    if depth > DEEPEST:
        raise StudyError([Mistake(where=where, message=f"nested more than {DEEPEST} levels deep")])
    if isinstance(value, Mapping):
        entries = {
            str(key): _from_python(child, f"{where}.{key}" if where else str(key), depth + 1)
            for key, child in cast("Mapping[object, object]", value).items()
        }
        return Node(value=entries, where=where)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        children = enumerate(cast("Sequence[object]", value))
        items = tuple(_from_python(child, f"{where}.{place}", depth + 1) for place, child in children)
        return Node(value=items, where=where)
    if inspect.isfunction(value) or inspect.isclass(value) or inspect.ismethod(value):
        try:
            return Node(value=name_of(value), where=where)
        except StudyError as error:
            raise StudyError([Mistake(where=where, message=str(error))]) from None
    return Node(value=_builtin_number(value), where=where)


def _builtin_number(value: object) -> object:
    """NumPy's numbers as Python's own: arms are often made in a loop over an array."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value
