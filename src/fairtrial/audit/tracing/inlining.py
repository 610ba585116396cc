"""Calls of functions and classes that the file defines itself: their bodies are followed with the arguments given."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from fairtrial.audit.tracing.assigning import report
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.state import DEEPEST_CALL, Scope, Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, carrying, either


def bound_body(trace: Trace, request: Request) -> Value:
    """What a function of the file returns for these arguments."""
    function = request.function
    node = function.node
    given = (*function.items, *request.values)
    if isinstance(node, ast.Lambda):
        return _within(trace, node, _bindings(trace, node.args, given, request.named), node.body)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _within(trace, node, _bindings(trace, node.args, given, request.named), node.body)
    return UNKNOWN


def constructed(trace: Trace, request: Request) -> Value:
    """An object of a class that the file defines, after its `__init__`."""
    node = request.function.node
    made = replace(trace.made(getattr(node, "name", ""), request.line, items=request.every), node=node)
    initial = trace.method(made, "__init__")
    if initial is not None and initial.kind == "function":
        bound_body(trace, replace(request, function=initial))
    if not any(value.rows for value in request.every):
        return made
    return replace(made, rows=carrying("unknown", *request.every).rows, kind="object")


def left_over(trace: Trace, node: ast.FunctionDef | ast.AsyncFunctionDef, own: Value | None) -> None:
    """Follow a function that nobody in the file calls; its parameters say by their names alone what they are."""
    parameters = [*node.args.posonlyargs, *node.args.args]
    names = {each.arg: trace.named(each.arg, UNKNOWN) for each in (*parameters, *node.args.kwonlyargs)}
    if own is not None and parameters:
        names[parameters[0].arg] = own
    value = _within(trace, node, names, node.body)
    report(trace, value)


def _bindings(
    trace: Trace, parameters: ast.arguments, values: Sequence[Value], named: dict[str, Value]
) -> dict[str, Value]:
    every = [*parameters.posonlyargs, *parameters.args]
    names: dict[str, Value] = {}
    defaults = [None] * (len(every) - len(parameters.defaults)) + list(parameters.defaults)
    for index, (parameter, default) in enumerate(zip(every, defaults, strict=True)):
        if parameter.arg in named:
            names[parameter.arg] = named[parameter.arg]
        elif index < len(values):
            names[parameter.arg] = values[index]
        else:
            names[parameter.arg] = trace.evaluate(trace, default) if default is not None else UNKNOWN
    for parameter, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        given = named.get(parameter.arg)
        names[parameter.arg] = given if given is not None else trace.evaluate(trace, default)
    if parameters.vararg:
        names[parameters.vararg.arg] = Value("sequence", items=tuple(values[len(every) :]))
    if parameters.kwarg:
        rest = {name: value for name, value in named.items() if name not in names}
        names[parameters.kwarg.arg] = Value("mapping", keys=tuple(rest), items=tuple(rest.values()))
    return names


def _within(
    trace: Trace, node: ast.AST, names: dict[str, Value], body: Sequence[ast.stmt] | ast.expr
) -> Value:
    if node in trace.calls or len(trace.calls) >= DEEPEST_CALL:
        return carrying("unknown", *names.values())
    trace.entered.add(node)
    before = (trace.scope, trace.calls, trace.returned, trace.loops)
    outermost = trace.scope
    while outermost.outer is not None:
        outermost = outermost.outer
    trace.scope = Scope(dict(names), outer=before[0] if isinstance(node, ast.Lambda) else outermost)
    if len(trace.calls) and not isinstance(node, ast.Lambda):
        # A function within a function sees the names around it.
        trace.scope.outer = before[0]
    trace.calls = (*trace.calls, node)
    trace.returned = []
    try:
        if isinstance(body, ast.expr):
            return trace.evaluate(trace, body)
        trace.run(trace, body)
        result = trace.returned[0] if trace.returned else UNKNOWN
        for other in trace.returned[1:]:
            result = either(result, other)
        return result
    finally:
        trace.scope, trace.calls, trace.returned, trace.loops = before
