"""The best of several scores: by `max`, by `argmax`, or by an `if` that keeps what did better."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from fairtrial.audit.tracing.events import Chosen, Training
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import Value, carrying, flat

VALUES = {"max", "min", "amax", "amin", "nanmax", "nanmin"}
WHICH = {"argmax", "argmin", "idxmax", "idxmin", "index", "nanargmax", "nanargmin"}
SORTS = {"sorted", "sort", "sort_values", "nlargest"}
SAVES = {
    "save",
    "save_weights",
    "save_model",
    "save_checkpoint",
    "state_dict",
    "deepcopy",
    "dump",
    "get_weights",
    "save_pretrained",
    "clone",
}

Across = Literal["epochs", "settings", "unknown"]


def best_of(trace: Trace, request: Request) -> Value | None:
    """What `max(scores)`, `scores.max()` or `np.argmax(scores)` stands for; None where it is no such choice."""
    last = request.last
    if last not in VALUES | WHICH | SORTS or {"axis", "dim"} & set(request.named):
        return None
    among = request.base if request.base.kind in ("scores", "epoch scores", "sequence") else None
    if among is None:
        among = request.values[0] if request.values else request.base
    if among.kind == "history" and last in VALUES | WHICH:
        among = replace(among, kind="epoch scores", name="val")
    several = _several(request.values)
    if among.kind not in ("scores", "epoch scores"):
        if among.kind in ("sequence", "mapping") and _several(among.items):
            among = carrying("scores", *(inner for inner in flat(among) if inner.kind == "score"))
        elif last in ("max", "min") and several:
            among = carrying("score", *(value for value in request.values if value.kind in ("score", "best")))
        else:
            return None
    if last in SORTS:
        return replace(among, order=(trace.identity(), request.line))
    which = last in WHICH or "key" in request.named
    return chosen(trace, among, request.line, which=which)


def chosen(trace: Trace, among: Value, line: int, *, which: bool) -> Value:
    ident = trace.identity()
    if not trace.plotting:
        across = _across(trace, among)
        trace.note(Chosen(line, among, "which" if which else "value", across, ident))
    return replace(among, kind="best epoch" if which else "best", ident=ident, items=(), order=None)


def _several(values: tuple[Value, ...]) -> bool:
    """Scores held against each other, or against the best so far."""
    scores = [value for value in values if value.kind in ("score", "best")]
    return len(values) > 1 and bool(scores) and all(value.kind != "data" for value in values)


def _across(trace: Trace, among: Value) -> Across:
    """Whether the scores are those of one model as it learns, or of models trained anew."""
    if among.kind == "epoch scores":
        return "epochs"
    loops = [loop for loop in among.created if loop not in trace.loops] if among.created else []
    if among.kind == "score" or not loops:
        loops = list(trace.loops)
    for loop in reversed(loops):
        known = trace.log.loops[loop]
        if known.over == "data":
            continue
        if loop in among.model_created:
            return "settings"
        learns = any(isinstance(event, Training) and loop in event.loops for event in trace.log.events)
        if (among.model and learns) or any("epoch" in target.lower() for target in known.targets):
            return "epochs"
        return "settings" if known.over == "settings" or not learns else "unknown"
    return "settings" if among.kind == "scores" else "unknown"


def kept(trace: Trace, statement: ast.If) -> tuple[tuple[str, ...], Value] | None:
    """The names that an `if score > best:` fills with the best score, and that score; None for any other `if`."""
    found = None
    for compare in _comparisons(statement.test):
        left, right = (trace.evaluate(trace, side) for side in (compare.left, compare.comparators[0]))
        for value, other in ((left, compare.comparators[0]), (right, compare.left)):
            if value.kind == "score" and value.rows and found is None:
                found = _kept(trace, statement, value, other)
    return found


def _comparisons(test: ast.expr) -> Iterator[ast.Compare]:
    for node in ast.walk(test):
        if (
            isinstance(node, ast.Compare)
            and len(node.ops) == 1
            and isinstance(node.ops[0], ast.Gt | ast.GtE | ast.Lt | ast.LtE)
        ):
            yield node


def _kept(
    trace: Trace, statement: ast.If, value: Value, other: ast.expr
) -> tuple[tuple[str, ...], Value] | None:
    against = {node.id for node in ast.walk(other) if isinstance(node, ast.Name)}
    against |= {node.attr for node in ast.walk(other) if isinstance(node, ast.Attribute)}
    assigned: set[str] = set()
    saves = stops = False
    for node in (inner for part in statement.body for inner in ast.walk(part)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            assigned.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            saves |= name in SAVES
        stops |= isinstance(node, ast.Break)
    stops |= any(isinstance(node, ast.Break) for part in statement.orelse for node in ast.walk(part))
    best = tuple(sorted(assigned & against))
    if not best and not (stops and trace.loops):
        return None
    how = "saved" if saves else "stopped" if stops else "kept"
    ident = trace.identity()
    trace.note(Chosen(statement.lineno, value, how, _across(trace, value), ident))
    return best, replace(value, kind="best", ident=ident)
