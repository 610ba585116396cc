"""Statements in the order a reader follows them: each branch, each loop once, functions where they are called."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from fairtrial.audit.tracing.assigning import assign, enter, report, round_of, unrolled
from fairtrial.audit.tracing.choosing import kept
from fairtrial.audit.tracing.evaluating import evaluate, mixed, truth
from fairtrial.audit.tracing.events import Log
from fairtrial.audit.tracing.inlining import left_over
from fairtrial.audit.tracing.state import Enough, Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, either


def traced(statements: Sequence[ast.stmt]) -> Log:
    """What happens to data in the program, as far as it can be followed."""
    trace = Trace(run, evaluate)
    try:
        run(trace, statements)
        for node, own in _functions(trace, statements):
            if node not in trace.entered:
                left_over(trace, node, own)
    except Enough:
        pass
    return trace.log


def _functions(
    trace: Trace, statements: Sequence[ast.stmt]
) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Value | None]]:
    found: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Value | None]] = []
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((statement, None))
        elif isinstance(statement, ast.ClassDef):
            own = replace(trace.made(statement.name, statement.lineno), node=statement)
            found.extend(
                (each, own)
                for each in statement.body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            )
    return found


def run(trace: Trace, statements: Sequence[ast.stmt]) -> None:
    for statement in statements:
        trace.step()
        _run(trace, statement)


def _run(trace: Trace, statement: ast.stmt) -> None:
    match statement:
        case ast.Expr():
            value = evaluate(trace, statement.value)
            _in_place(trace, statement.value, value)
            if not trace.calls and not isinstance(statement.value, ast.Call):
                report(trace, value)  # a notebook shows the value of a cell's last line
        case ast.Assign():
            value = evaluate(trace, statement.value)
            for target in statement.targets:
                assign(trace, target, value)
        case ast.AnnAssign() if statement.value is not None:
            assign(trace, statement.target, evaluate(trace, statement.value))
        case ast.AugAssign():
            _augmented(trace, statement)
        case ast.If():
            _branch(trace, statement)
        case ast.For() | ast.AsyncFor():
            _loop(trace, statement)
        case ast.While():
            evaluate(trace, statement.test)
            _rounds(trace, statement.test, UNKNOWN, statement)
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                value = evaluate(trace, item.context_expr)
                if item.optional_vars is not None:
                    assign(trace, item.optional_vars, value)
            run(trace, statement.body)
        case ast.Try() | ast.TryStar():
            run(trace, statement.body)
            for handler in statement.handlers:
                run(trace, handler.body)
            run(trace, statement.orelse)
            run(trace, statement.finalbody)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            trace.scope.names[statement.name] = Value("function", node=statement, name=statement.name)
        case ast.ClassDef():
            trace.scope.names[statement.name] = Value("class", node=statement, name=statement.name)
        case ast.Import() | ast.ImportFrom():
            _import(trace, statement)
        case ast.Return():
            value = evaluate(trace, statement.value)
            trace.returned.append(value)
        case ast.Global() | ast.Nonlocal():
            trace.scope.shared |= set(statement.names)
        case ast.Match():
            for branch in statement.cases:
                run(trace, branch.body)
        case _:
            pass


def _import(trace: Trace, statement: ast.Import | ast.ImportFrom) -> None:
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            dotted = alias.name if alias.asname else name
        else:
            name, dotted = alias.asname or alias.name, f"{statement.module or ''}.{alias.name}"
        if name != "*":
            trace.scope.names[name] = Value("name", name=dotted)


def _augmented(trace: Trace, statement: ast.AugAssign) -> None:
    before = evaluate(trace, statement.target) if isinstance(statement.target, ast.Name) else UNKNOWN
    value = evaluate(trace, statement.value)
    made = mixed(before, value)
    if isinstance(statement.target, ast.Name):
        # `hits += right`: what is counted up is a score.
        assign(trace, statement.target, replace(made, kind="score") if made.kind == "hits" else made)
    else:
        report(trace, value)


def _in_place(trace: Trace, node: ast.expr, value: Value) -> None:
    """`frame.fillna(mean, inplace=True)`, `np.random.shuffle(order)`: the name means something else afterwards."""
    if not isinstance(node, ast.Call):
        return
    inplace = any(
        each.arg == "inplace" and isinstance(each.value, ast.Constant) and each.value.value is True
        for each in node.keywords
    )
    root: ast.expr = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    if value.kind == "order" and node.args:
        root, inplace = node.args[0], True
    while isinstance(root, ast.Subscript | ast.Attribute):
        root = root.value
    if inplace and isinstance(root, ast.Name):
        before = trace.scope.find(root.id)
        if before is not None and before.kind in ("data", "order", "unknown", "sequence"):
            trace.replace_name(root.id, replace(value, rows=value.rows or before.rows))


def _branch(trace: Trace, statement: ast.If) -> None:
    known = truth(trace, statement.test)
    if known is not None:
        run(trace, statement.body if known else statement.orelse)
        return
    keeping = kept(trace, statement)
    before = dict(trace.scope.names)
    run(trace, statement.body)
    if keeping is not None:
        names, best = keeping
        for name in names:
            trace.bind(name, best)
    after = trace.scope.names
    trace.scope.names = dict(before)
    run(trace, statement.orelse)
    for name, value in after.items():
        other = trace.scope.names.get(name)
        trace.scope.names[name] = value if other is None else either(value, other)


def _loop(trace: Trace, statement: ast.For | ast.AsyncFor) -> None:
    over = evaluate(trace, statement.iter)
    each = unrolled(over)
    if each:
        loop = None
        for item in each:
            before = trace.loops
            if loop is None:
                loop = enter(trace, statement.target, over, statement.lineno, statement.body, statement.iter)
            else:
                trace.loops = (*before, loop.ident)
            round_of(trace, statement.target, item)
            run(trace, statement.body)
            trace.loops = before
        run(trace, statement.orelse)
    else:
        _rounds(trace, statement.iter, over, statement)


def _rounds(trace: Trace, node: ast.expr, over: Value, statement: ast.For | ast.AsyncFor | ast.While) -> None:
    before = trace.loops
    target = statement.target if not isinstance(statement, ast.While) else ast.Tuple(elts=[], ctx=ast.Store())
    enter(trace, target, over, statement.lineno, statement.body, node)
    run(trace, statement.body)
    trace.loops = before
    run(trace, statement.orelse)
