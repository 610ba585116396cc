"""Methods of data: tf.data's, pandas', NumPy's. Most give the same rows in another form."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.audit.tracing.events import Drawn, Training
from fairtrial.audit.tracing.request import Request, source_of
from fairtrial.audit.tracing.splitting import ordered
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, carrying

CUTS = {"take", "skip", "shard"}
SOME = {"sample", "iloc", "loc", "query", "head", "tail", "nlargest"}


def on_data(trace: Trace, request: Request) -> Value:
    base, last = request.base, request.last
    if last == "shuffle":
        fixed = request.is_false(2, "reshuffle_each_iteration")
        return trace.shuffled(base, request.line, fixed=fixed)
    if last == "cache":
        kept = frozenset(replace(each, cached=True) for each in base.shuffles)
        return replace(base, shuffles=kept)
    if last in CUTS and base.kind == "data":
        return trace.cut(base, last, request.line, (last, source_of(request.node)))
    if last in ("concatenate", "append", "join", "merge") and request.values and request.values[0].rows:
        rows = trace.joined((base, *request.values), source_of(request.node))
        return replace(carrying("data", base, *request.values), rows=rows)
    if last in ("as_numpy_iterator", "get_single_element"):
        drawn(trace, base, request.line)
        return base
    if last == "sample" and request.named.get("frac", UNKNOWN).constant not in (1, 1.0):
        return trace.piece(base, ("sample", source_of(request.node)))
    if last == "sample":
        return replace(base, order=(ordered(trace, request.line).ident, request.line))
    if last == "drop" and any(value.kind == "labels" and value.rows != base.rows for value in request.values):
        return trace.piece(base, ("rest", source_of(request.node)))
    if last in SOME - {"sample"}:
        return trace.piece(base, (last, source_of(request.node)))
    made = carrying("data" if base.kind != "unknown" else "unknown", base, *request.every)
    return replace(made, ident=trace.identity(), created=trace.loops, order=base.order, rows=base.rows)


def drawn(trace: Trace, value: Value, line: int) -> None:
    """Batches taken out before training: a cache that was not read to its end keeps no order."""
    trained = any(isinstance(event, Training) for event in trace.log.events)
    if value.shuffles and not trained:
        trace.note(Drawn(line, value.rows, value.shuffles))
