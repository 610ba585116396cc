"""Divisions of rows: train_test_split, random_split, folds, random orders."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.audit.tracing.events import CrossValidated, Divided, Seeded
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, carrying

ORDERS = {"permutation", "randperm", "permuted"}


def divided(trace: Trace, request: Request) -> Value | None:
    """The parts that a call divides rows into; None where it divides none."""
    last, base = request.last, request.base
    if last == "train_test_split" and base.kind == "data":
        halves = _halves(trace, replace(request, values=(base,)))
        return replace(halves, kind="mapping", keys=("train", "test"))
    if last == "train_test_split":
        return _halves(trace, request)
    if last == "random_split":
        return _torch(trace, request)
    if last == "split_dataset" and request.values:
        return _sides(trace, request.values[0], request)
    if last == "split" and (base.kind == "object" or base.name.endswith(("Fold", "Split"))):
        return _folds(trace, request)
    if last in ORDERS and not (request.values and request.values[0].kind == "data"):
        return _order(trace, request)
    if last in ("shuffle", "permutation") and request.values and not base.rows:
        return _shuffled(trace, request)
    return None


def _halves(trace: Trace, request: Request) -> Value:
    fixed = (
        request.seeded("random_state")
        or request.seeded("seed")
        or request.is_false(-1, "shuffle")
        or _seeded_inside(trace)
    )
    trace.note(Divided(request.line, trace.loops, fixed))
    key = (request.key, trace.loops, trace.identity())
    parts: list[Value] = []
    every = frozenset[int]().union(*(value.rows for value in request.values)) or trace.rows(("divided", key))
    for value in request.values:
        data = replace(value, kind="data", rows=every)
        parts += [_side(trace, data, key, side) for side in (0, 1)]
    return Value("sequence", items=tuple(parts))


def _side(trace: Trace, data: Value, key: object, side: int) -> Value:
    piece = trace.piece(data, (key, side))
    (ident,) = piece.rows
    rows = trace.log.rows[ident]
    if rows.part == "piece":
        rows.part = "held out" if side else "piece"
    return piece


def _sides(trace: Trace, data: Value, request: Request) -> Value:
    key = (request.key, trace.identity())
    plain = replace(data, shuffles=frozenset())
    return Value("sequence", items=tuple(_side(trace, plain, key, side) for side in (0, 1)))


def _torch(trace: Trace, request: Request) -> Value:
    generator = request.argument(2, "generator")
    fixed = generator.kind == "object" and generator.created == trace.loops and bool(generator.name)
    trace.note(Divided(request.line, trace.loops, fixed or _seeded_inside(trace)))
    data = request.argument(0, "dataset")
    lengths = request.argument(1, "lengths")
    key = (request.key, trace.loops, trace.identity())
    count = len(lengths.items) if lengths.kind == "sequence" and lengths.items else 2
    data = data if data.rows else replace(data, kind="data", rows=trace.rows(("divided", key)))
    parts = [trace.piece(data, (key, side)) for side in range(count)]
    for index, part in enumerate(parts[1:], 1):
        (ident,) = part.rows
        if trace.log.rows[ident].part == "piece" and index:
            trace.log.rows[ident].part = "held out"
    return Value("sequence", items=tuple(parts))


def _seeded_inside(trace: Trace) -> bool:
    """Whether the innermost loop sets a seed before it divides: the division is the same in each round."""
    if not trace.loops:
        return False
    return any(isinstance(event, Seeded) and trace.loops[-1] in event.loops for event in trace.log.events)


def _folds(trace: Trace, request: Request) -> Value:
    for value in request.values[:1]:
        if value.rows:
            trace.note(CrossValidated(request.line, value.rows, value.lessons))
    orders = [
        Value("order", name=side, ident=trace.identity(), line=request.line)
        for side in ("fold train", "fold test")
    ]
    return Value("sequence", name="folds", items=tuple(orders))


def _order(trace: Trace, request: Request) -> Value:
    return ordered(trace, request.line)


def ordered(trace: Trace, line: int) -> Value:
    """A new random order."""
    ident = trace.identity()
    trace.log.orders.append(Divided(line, trace.loops, _seeded_inside(trace), ident))
    return Value("order", ident=ident, line=line, created=trace.loops)


def _shuffled(trace: Trace, request: Request) -> Value | None:
    """`shuffle(X, y)` gives the same rows in a new order; `rng.shuffle(order)` renews the order in place."""
    rows = [value for value in request.values if value.kind == "data" and value.rows]
    if rows:
        made = ordered(trace, request.line)
        parts = [replace(value, order=(made.ident, request.line)) for value in rows]
        return parts[0] if len(parts) == 1 else Value("sequence", items=tuple(parts))
    if request.values[0].kind in ("order", "unknown", "sequence"):
        return ordered(trace, request.line)
    return carrying("unknown", *request.values) if request.values else UNKNOWN
