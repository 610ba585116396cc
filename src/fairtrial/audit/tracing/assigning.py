"""What names stand for after an assignment, an append or the head of a loop."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from fairtrial.audit.tracing.events import Loop, Reported
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, carrying, either, flat, part_in

MOST_UNROLLED = 6


def report(trace: Trace, *values: Value) -> None:
    """Note which best values are shown, kept or handed on."""
    for value in values:
        for inner in flat(value):
            if inner.kind == "best":
                trace.note(Reported(inner.ident))


def collected(trace: Trace, value: Value, loops: tuple[int, ...]) -> Value:
    """A list that was filled with such values, round by round."""
    inner = next((each for each in flat(value) if each.kind in ("score", "best", "hits")), None)
    if inner is not None:
        return replace(
            inner, kind="scores", ident=trace.identity(), created=loops, items=(), keys=(), line=inner.line
        )
    if value.kind == "data" or value.rows:
        return carrying("data", value)
    return Value("sequence", items=(value,), ident=trace.identity(), created=loops)


def enter(
    trace: Trace, target: ast.expr, over: Value, line: int, body: Sequence[ast.AST], node: ast.expr
) -> Loop:
    """A loop's first round: its target bound to an element of what it goes over."""
    names = tuple(each.id for each in ast.walk(target) if isinstance(each, ast.Name))
    used = {
        each.id
        for part in body
        for each in ast.walk(part)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
    loop = Loop(trace.identity(), line, names, _over(over, node), frozenset(used))
    trace.loop(loop)
    trace.loops = (*trace.loops, loop.ident)
    round_of(trace, target, element(over))
    for name in names:
        held = trace.scope.names.get(name, UNKNOWN)
        if held.kind == "unknown" and not held.rows and (held == UNKNOWN or held.name.endswith("range")):
            # A number of the round: where a seed is made of it, each round has another.
            trace.scope.names[name] = Value(name="round", ident=loop.ident)
    return loop


def _over(value: Value, node: ast.expr) -> Literal["data", "folds", "range", "settings", "unknown"]:
    if value.name == "folds":
        return "folds"
    if value.kind in ("data", "numbered") and (value.rows or any(item.rows for item in value.items)):
        return "data"
    for call in ast.walk(node):
        if isinstance(call, ast.Name) and call.id in ("range", "trange"):
            return "range"
    return "settings" if value.kind in ("sequence", "mapping", "constant", "name") else "unknown"


def element(value: Value) -> Value:
    """One element of what a loop goes over."""
    if value.kind == "numbered":
        return Value("sequence", items=tuple(element(item) for item in value.items))
    if value.kind == "sequence" and value.items:
        made = value.items[0]
        for item in value.items[1:]:
            made = either(made, item) if made.kind == item.kind else carrying("unknown", made, item)
        return UNKNOWN if made.kind == "constant" else made
    if value.name == "folds":
        return Value("sequence", items=value.items)
    if value.kind == "mapping" or value.kind == "constant":
        return UNKNOWN
    if value.kind in ("scores", "epoch scores"):
        return replace(value, kind="score")
    return value


def round_of(trace: Trace, target: ast.expr, value: Value) -> None:
    """Bind the names of a loop's head: in `for key, val in ...` val is any value, beside train it is a part."""
    names = [each for each in ast.walk(target) if isinstance(each, ast.Name)]
    alone = [each for each in names if each.id == "val"]
    if alone and not any(part_in(each.id) == "train" for each in names):
        held = ast.Name("val ", ast.Store())
        swapped = [held if each in alone else each for each in names]
        target = held if len(names) == 1 else ast.Tuple([*swapped], ast.Store())
    assign(trace, target, value)


def assign(trace: Trace, target: ast.expr, value: Value) -> None:
    """Bind the names of an assignment's left side."""
    match target:
        case ast.Name("val "):
            trace.scope.names["val"] = value
        case ast.Name():
            trace.bind(target.id, value)
        case ast.Starred():
            assign(trace, target.value, value)
        case ast.Tuple() | ast.List():
            plain = value.kind == "sequence" and len(value.items) == len(target.elts)
            for index, each in enumerate(target.elts):
                inner = value.items[index] if plain else (UNKNOWN if value.kind == "sequence" else value)
                assign(trace, each, inner)
        case ast.Attribute():
            base = trace.evaluate(trace, target.value)
            if base.ident:
                trace.attributes[base.ident, target.attr] = trace.named(target.attr, value)
        case ast.Subscript():
            stored(trace, target, value)
        case _:
            pass


def stored(trace: Trace, target: ast.Subscript, value: Value) -> None:
    """`table[key] = value`: the table now holds what the value holds."""
    base = trace.evaluate(trace, target.value)
    key = trace.evaluate(trace, target.slice)
    if not isinstance(target.value, ast.Name):
        return
    report(trace, value)
    if base.kind == "data":
        trace.replace_name(target.value.id, replace(base, lessons=base.lessons | value.lessons))
        trace.carry(base.rows, value)
    elif base.kind in ("mapping", "scores", "sequence"):
        trace.replace_name(target.value.id, added(trace, base, value, key.constant))


def added(trace: Trace, table: Value, value: Value, key: object = None) -> Value:
    """A list or dictionary with one more value in it."""
    report(trace, value)
    filled = collected(trace, value, trace.loops)
    inside = len(trace.loops) > len(table.created)
    if filled.kind == "scores" and (inside or table.kind == "scores"):
        return replace(filled, ident=table.ident or filled.ident)
    if filled.kind == "data" and ((inside and not table.items) or table.kind == "data"):
        return carrying("data", table, value)
    return replace(table, items=(*table.items, value)[:200], keys=(*table.keys, key)[:200])


def unrolled(over: Value) -> tuple[Value, ...]:
    """The elements of a short list of models, data sets or their names, which differ in what is done with them."""
    if over.kind != "sequence" or not 0 < len(over.items) <= MOST_UNROLLED or over.name == "folds":
        return ()
    return over.items if all(_telling(item) for item in over.items) else ()


def _telling(item: Value) -> bool:
    if isinstance(item.constant, str):
        return part_in(item.constant) is not None
    return bool(item.rows) or item.kind == "object" or any(_telling(inner) for inner in item.items)
