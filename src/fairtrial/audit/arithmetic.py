"""Operators and built-in functions on values that the file shows; bounded, so that no file can make them large."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from fairtrial.audit.values import Unknown, Value

LONGEST_SEQUENCE = 2_000
LARGEST_NUMBER = 1e15
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARING: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
PLAIN = (bool, int, float, str, type(None))


def combined(kind: type[ast.operator], left: Value, right: Value) -> Value:
    """`left` and `right` under an operator; Unknown where it is no arithmetic of shown values or grows too large.

    >>> combined(ast.Mult, [1], 3), combined(ast.Pow, 9, 9**9)
    ([1, 1, 1], Unknown(said=''))
    """
    numbers = all(isinstance(one, int | float) and abs(one) < LARGEST_NUMBER for one in (left, right))
    sequences = all(isinstance(one, list | tuple | str) for one in (left, right))
    repeated = isinstance(left, list | tuple) and isinstance(right, int)
    fits = (
        (numbers and (kind is not ast.Pow or abs(right) <= 50))
        or (sequences and kind is ast.Add and len(left) + len(right) <= LONGEST_SEQUENCE)
        or (repeated and kind is ast.Mult and len(cast("list[Any]", left)) * right <= LONGEST_SEQUENCE)
    )
    if not fits or kind not in _BINARY:
        return Unknown()
    return _tried(_BINARY[kind], left, right)


def compared(kind: type[ast.cmpop], left: Value, right: Value) -> Value:
    """The truth of a comparison, or Unknown."""
    plain = isinstance(left, PLAIN) and isinstance(right, (*PLAIN, list, tuple, dict))
    return _tried(_COMPARING[kind], left, right) if plain and kind in _COMPARING else Unknown()


def called(name: str, arguments: Sequence[Value]) -> Value:
    """A built-in function of shown values, or Unknown."""
    if name == "range":
        whole = [one for one in arguments if isinstance(one, int)]
        if len(whole) != len(arguments) or not 1 <= len(whole) <= 3:
            return Unknown()
        return _tried(range, *whole)
    function = _FUNCTIONS.get(name)
    if function is None or any(isinstance(one, Unknown) for one in arguments):
        return Unknown()
    return _tried(function, *arguments)


def sequence(value: Value) -> list[Value] | None:
    """The members of what a loop runs over, if the file shows them."""
    if isinstance(value, range):
        return list(value[:LONGEST_SEQUENCE])
    if isinstance(value, list | tuple):
        return list(cast("Sequence[Value]", value)[:LONGEST_SEQUENCE])
    if isinstance(value, dict):
        return list(cast("dict[Value, Value]", value))[:LONGEST_SEQUENCE]
    return None


def subscript(value: Value, key: Value) -> Value:
    """A member of a list or dictionary, or Unknown."""
    sound = isinstance(value, list | tuple | dict) and isinstance(key, (*PLAIN, slice))
    return _tried(operator.getitem, value, key) if sound else Unknown()


def _tried(function: Callable[..., Any], *arguments: Any) -> Value:
    try:
        result = function(*arguments)
    except (ArithmeticError, TypeError, ValueError, LookupError):
        return Unknown()
    return Unknown() if isinstance(result, complex) else result


def _members(value: Value) -> list[Value]:
    found = sequence(value)
    if found is None:
        raise TypeError
    return found


def _plain(*many: Value) -> list[Value]:
    """Numbers and texts alone: comparing lists of lists may take for ever."""
    found = _members(many[0]) if len(many) == 1 else list(many)
    if not all(isinstance(one, PLAIN) for one in found):
        raise TypeError
    return found


def _product(*many: Value) -> list[Value]:
    lists = [_members(one) for one in many]
    if math.prod(map(len, lists)) > LONGEST_SEQUENCE:
        raise ValueError
    return list(itertools.product(*lists))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "int": lambda one: int(one) if isinstance(one, int | float) or len(one) < 20 else Unknown(),
    "float": float,
    "str": lambda one: str(one) if isinstance(one, PLAIN) else Unknown(),
    "bool": lambda one: bool(one) if isinstance(one, PLAIN) else Unknown(),
    "round": round,
    "abs": abs,
    "min": lambda *many: min(_plain(*many)),
    "max": lambda *many: max(_plain(*many)),
    "sum": lambda one: sum(_plain(one)),
    "list": _members,
    "tuple": lambda one: tuple(_members(one)),
    "sorted": lambda one: sorted(_plain(one)),
    "reversed": lambda one: _members(one)[::-1],
    "enumerate": lambda one, start=0: list(enumerate(_members(one), start)),
    "zip": lambda *many: list(zip(*map(_members, many), strict=False)),
    "itertools.product": _product,
    "product": _product,
}
