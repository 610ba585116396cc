"""Following a document's code statement by statement, as far as the values it shows carry; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, cast

from fairtrial.audit.arithmetic import combined, sequence
from fairtrial.audit.document import Document
from fairtrial.audit.evaluating import bind, truth, value_of
from fairtrial.audit.names import canonical
from fairtrial.audit.parsing import parsed
from fairtrial.audit.salvaging import salvaged
from fairtrial.audit.state import State, said
from fairtrial.audit.values import (
    Batches,
    ClassMade,
    FunctionMade,
    Loop,
    Net,
    Reference,
    Scope,
    TooMuch,
    Unknown,
    Value,
)

DEEPEST_CALL = 12
MOST_ROUNDS = 200


class Left(Enum):
    """How a block was left before its end."""

    LOOP = "loop"
    ROUND = "round"
    FUNCTION = "function"


def followed(document: Document) -> State:
    """The document's code followed to its end, or as far as an audit goes; `state.nets` are its networks."""
    state = State(document, run_function)
    for position, cell in enumerate(document.cells):
        if cell.kind != "code":
            continue
        state.position, state.line = position, 1
        found = parsed(cell.source)
        statements = list(found.statements)
        for line, source in found.broken:
            state.line = line
            recovered = salvaged(source, line)
            statements.extend(recovered)
            if not recovered:
                place = cell.place(line, document.kind)
                state.notes.append(
                    (place, f"these lines are no Python and were left out: {source.strip()[:80]}")
                )
        statements.sort(key=lambda statement: statement.lineno)
        for statement in statements:
            try:
                state.line = statement.lineno
                _statement(state, statement)
            except RecursionError:
                state.note(statement, "this is nested too deeply to be followed")
            except TooMuch:
                state.note(
                    statement, "there is more here than an audit follows; what comes after was not looked at"
                )
                return state
            state.frames.clear()
            state.loops.clear()
    return state


def run_function(
    state: State, function: FunctionMade, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """What a function of the file gives for these arguments, its body followed."""
    state.step()
    if len(state.frames) >= DEEPEST_CALL:
        return Unknown()
    scope = function.scope.new_child()
    given = [function.bound, *arguments] if function.bound is not None else arguments
    outer, frames = state.scope, len(state.frames)
    _bind_parameters(state, function, scope, given, keywords)
    state.scope = scope
    state.frames.append(function.cell)
    try:
        if isinstance(function.node, ast.Lambda):
            return value_of(state, function.node.body)
        _block(state, function.node.body)
        return scope.maps[0].get(_RETURNED)
    finally:
        state.scope = outer
        del state.frames[frames:]


_RETURNED = "return"  # no name can be a keyword, so this one is free


def _bind_parameters(
    state: State, function: FunctionMade, scope: Scope, given: Sequence[Value], keywords: dict[str, Value]
) -> None:
    parameters = function.node.args
    names = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
    local = scope.maps[0]
    defaults = dict(zip(names[::-1], parameters.defaults[::-1], strict=False))
    defaults |= {
        one.arg: node for one, node in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if node
    }
    everything = [*names, *(one.arg for one in parameters.kwonlyargs)]
    for name in everything:
        local[name] = value_of(state, defaults[name]) if name in defaults else Unknown(name)
    local.update(zip(names, given, strict=False))
    local.update({name: value for name, value in keywords.items() if name in everything})
    if parameters.vararg:
        local[parameters.vararg.arg] = list(given[len(names) :])
    if parameters.kwarg:
        local[parameters.kwarg.arg] = {
            name: value for name, value in keywords.items() if name not in everything
        }


def _block(state: State, statements: Sequence[ast.stmt]) -> Left | None:
    for statement in statements:
        left = _statement(state, statement)
        if left is not None:
            return left
    return None


def _statement(state: State, node: ast.stmt) -> Left | None:
    state.step()
    if not state.frames:
        state.line = node.lineno
    match node:
        case ast.Expr():
            value_of(state, node.value)
        case ast.Assign():
            value = value_of(state, node.value)
            for target in node.targets:
                bind(state, target, value)
        case ast.AnnAssign() if node.value is not None:
            bind(state, node.target, value_of(state, node.value))
        case ast.AugAssign():
            value = combined(type(node.op), value_of(state, node.target), value_of(state, node.value))
            bind(state, node.target, value)
        case ast.Import() | ast.ImportFrom():
            _import(state, node)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            state.scope[node.name] = FunctionMade(node, _defined_in(state), state.scope)
        case ast.ClassDef():
            state.scope[node.name] = _class(state, node)
        case ast.Return():
            state.scope.maps[0][_RETURNED] = value_of(state, node.value)
            return Left.FUNCTION
        case ast.If():
            return _if(state, node)
        case ast.For() | ast.AsyncFor():
            return _for(state, node)
        case ast.While():
            return _once(state, node.body)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                value = value_of(state, item.context_expr)
                if item.optional_vars is not None:
                    bind(state, item.optional_vars, value)
            return _block(state, node.body)
        case ast.Try():
            left = _block(state, node.body) or _block(state, node.orelse)
            return _block(state, node.finalbody) or left
        case ast.Break():
            return Left.LOOP
        case ast.Continue():
            return Left.ROUND
        case _:
            pass
    return None


def _defined_in(state: State) -> int:
    return state.frames[-1] if state.frames else state.position


def _import(state: State, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            if alias.name != "*":
                path = f"{node.module or ''}.{alias.name}"
                state.scope[alias.asname or alias.name] = Reference(canonical(path))
        elif alias.asname:
            state.scope[alias.asname] = Reference(canonical(alias.name))
        else:
            first = alias.name.partition(".")[0]
            state.scope[first] = Reference(first)


def _class(state: State, node: ast.ClassDef) -> ClassMade:
    bases = tuple(value_of(state, base) for base in node.bases)
    inherited: dict[str, Value] = {}
    for base in bases:
        if isinstance(base, ClassMade):
            inherited.update(base.attributes)
    # A class of a class of the file is a network if that one is.
    bases += tuple(one for base in bases if isinstance(base, ClassMade) for one in base.bases)
    outer = state.scope
    state.scope = outer.new_child()
    try:
        _block(state, node.body)
        own = {name: value for name, value in state.scope.maps[0].items() if name != _RETURNED}
    finally:
        state.scope = outer
    for name, value in own.items():
        if isinstance(value, FunctionMade):  # methods do not see the names of their class
            own[name] = FunctionMade(value.node, value.cell, outer)
    return ClassMade(node, _defined_in(state), bases, {**inherited, **own})


def _if(state: State, node: ast.If) -> Left | None:
    """The branch that is taken; both, one after the other, where the file does not show which."""
    condition = truth(value_of(state, node.test))
    if condition is not None:
        return _block(state, node.body if condition else node.orelse)
    first = _block(state, node.body)
    second = _block(state, node.orelse)
    return first if first is not None and first is second else None


def _once(state: State, body: Sequence[ast.stmt]) -> Left | None:
    left = _block(state, body)
    return left if left is Left.FUNCTION else None


def _for(state: State, node: ast.For | ast.AsyncFor) -> Left | None:
    """A round for each shown value; one for epochs and batches, whose rounds train one network further."""
    over = value_of(state, node.iter)
    members = list(cast("Any", over.layers)) if isinstance(over, Net) else sequence(over)
    if members is None:
        batches = over if isinstance(over, Batches) else None
        return _round(
            state, node, over if batches is None else Unknown(said(node.target)), Loop(None, batches)
        )
    counted = isinstance(over, range)
    before = len(state.nets)
    for value in members[:MOST_ROUNDS]:
        trained = len(state.trained)
        left = _round(state, node, value, Loop(len(members), None, _label(node.target, value)))
        if left is Left.LOOP:
            break
        if left is Left.FUNCTION:
            return left
        further = [net for net in state.trained[trained:] if net in state.nets[:before]]
        if counted and further:
            _multiply_epochs(state, further, len(members))
            break
    return _once(state, node.orelse)


def _round(state: State, node: ast.For | ast.AsyncFor, value: Value, loop: Loop) -> Left | None:
    depth = len(state.loops)
    state.loops.append(loop)
    try:
        bind(state, node.target, value)
        left = _block(state, node.body)
    finally:
        del state.loops[depth:]
    return None if left is Left.ROUND else left


def _label(target: ast.expr, value: Value) -> tuple[str, str] | None:
    """What tells the networks of one round from those of the next."""
    if isinstance(target, ast.Name) and isinstance(value, int | float | str):
        return target.id, str(value)[:40]
    if isinstance(target, ast.Tuple) and isinstance(value, tuple | list):
        parts = [
            str(one)
            for name, one in zip(target.elts, cast("Sequence[Value]", value), strict=False)
            if isinstance(name, ast.Name) and isinstance(one, int | float | str)
        ]
        return (said(target), "-".join(parts)[:40]) if parts else None
    return None


def _multiply_epochs(state: State, nets: Sequence[Net], times: int) -> None:
    """`for _ in range(10): model.fit(x, y)` trains ten times as long as one call says."""
    for net in dict.fromkeys(nets):
        calls = net.library == "keras" and net.training is not None and not net.stepped
        if calls and net.training is not None and net.training.epochs is not None:
            net.training = replace(net.training, epochs=net.training.epochs * times)
