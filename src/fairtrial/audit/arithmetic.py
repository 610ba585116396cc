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
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.Pow: lambda left, right: left**right,
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
    sizes = [
        len(cast("Sequence[Value]", one)) if isinstance(one, list | tuple | str) else 0
        for one in (left, right)
    ]
    repeated = isinstance(left, list | tuple) and isinstance(right, int)
    fits = (
        (numbers and (kind is not ast.Pow or abs(right) <= 50))
        or (sequences and kind is ast.Add and sum(sizes) <= LONGEST_SEQUENCE)
        or (repeated and kind is ast.Mult and sizes[0] * right <= LONGEST_SEQUENCE)
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


def _int(one: Any) -> Value:
    return int(one) if isinstance(one, int | float) or len(one) < 20 else Unknown()


def _str(one: Any) -> Value:
    return str(one) if isinstance(one, PLAIN) else Unknown()


def _bool(one: Any) -> Value:
    return bool(one) if isinstance(one, PLAIN) else Unknown()


def _enumerate(one: Any, start: int = 0) -> Value:
    return list(enumerate(_members(one), start))


def _zip(*many: Any) -> Value:
    return list(zip(*map(_members, many), strict=False))


def _tuple(one: Any) -> Value:
    return tuple(_members(one))


def _sorted(one: Any) -> Value:
    return sorted(_plain(one))


def _reversed(one: Any) -> Value:
    return _members(one)[::-1]


def _min(*many: Any) -> Value:
    return min(_plain(*many))


def _max(*many: Any) -> Value:
    return max(_plain(*many))


def _sum(one: Any) -> Value:
    return sum(_plain(one))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "int": _int,
    "float": float,
    "str": _str,
    "bool": _bool,
    "round": round,
    "abs": abs,
    "min": _min,
    "max": _max,
    "sum": _sum,
    "list": _members,
    "tuple": _tuple,
    "sorted": _sorted,
    "reversed": _reversed,
    "enumerate": _enumerate,
    "zip": _zip,
    "product": _product,
}
