"""What an expression stands for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fairtrial.audit.tracing.assigning import added, assign, collected, enter, report, unrolled
from fairtrial.audit.tracing.calling import called
from fairtrial.audit.tracing.inlining import bound_body, constructed
from fairtrial.audit.tracing.request import Request, source_of
from fairtrial.audit.tracing.state import DEEPEST, Trace
from fairtrial.audit.tracing.subscripts import part_of
from fairtrial.audit.tracing.values import UNKNOWN, Lesson, Value, carrying, either

NOT_ROWS = {
    "shape",
    "size",
    "dtype",
    "ndim",
    "info",
    "class_names",
    "num_classes",
    "element_spec",
    "feature_names",
}
NO_LESSONS: frozenset[Lesson] = frozenset()
LABELS = {"columns", "feature_names", "index"}


def evaluate(trace: Trace, node: ast.expr | None) -> Value:
    if node is None:
        return UNKNOWN
    trace.step()
    if trace.depth >= DEEPEST:
        return UNKNOWN
    trace.depth += 1
    try:
        known = _KINDS.get(type(node))
        return known(trace, node) if known else _parts(trace, node)
    finally:
        trace.depth -= 1


def truth(trace: Trace, node: ast.expr) -> bool | None:
    """Whether a condition holds, where the program's own constants decide it."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = truth(trace, node.operand)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        inner = [truth(trace, value) for value in node.values]
        if isinstance(node.op, ast.And):
            return False if False in inner else True if all(inner) else None
        return True if True in inner else None if None in inner else False
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = evaluate(trace, node.left), evaluate(trace, node.comparators[0])
        if left.kind == "constant" == right.kind and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return (left.constant == right.constant) is isinstance(node.ops[0], ast.Eq)
        # `__name__ == "__main__"`: a script is read as if it were started.
        return True if left.name == "__name__" else None
    value = evaluate(trace, node)
    return bool(value.constant) if value.kind == "constant" else None


def _constant(trace: Trace, node: ast.Constant) -> Value:
    return Value("constant", constant=node.value)


def _name(trace: Trace, node: ast.Name) -> Value:
    return trace.lookup(node.id)


def _attribute(trace: Trace, node: ast.Attribute) -> Value:
    base = evaluate(trace, node.value)
    if base.kind == "name":
        return Value("name", name=f"{base.name}.{node.attr}")
    if held := trace.attributes.get((base.ident, node.attr)) if base.ident else None:
        return held
    if base.kind in ("data", "scores", "epoch scores", "statistic"):
        if node.attr in LABELS:
            return Value("labels", rows=base.rows)
        return UNKNOWN if node.attr in NOT_ROWS else base
    if base.kind == "history":
        return (
            base
            if node.attr == "history"
            else part_of(trace, base, Value("constant", constant=node.attr), "")
        )
    if base.kind in ("prediction", "hits", "score", "best", "unknown"):
        return base
    if base.kind == "object" and node.attr in ("best_params_", "best_estimator_"):
        return replace(base, kind="object")
    return replace(UNKNOWN, model=base.ident if base.kind == "object" else 0)


def _sequence(trace: Trace, node: ast.List | ast.Tuple | ast.Set) -> Value:
    items = tuple(evaluate(trace, item) for item in node.elts[:200])
    return Value("sequence", items=items, ident=trace.identity(), created=trace.loops)


def _mapping(trace: Trace, node: ast.Dict) -> Value:
    keys = tuple(evaluate(trace, key).constant for key in node.keys[:200])
    items = tuple(evaluate(trace, value) for value in node.values[:200])
    return Value("mapping", keys=keys, items=items, ident=trace.identity(), created=trace.loops)


def _subscript(trace: Trace, node: ast.Subscript) -> Value:
    base = evaluate(trace, node.value)
    return part_of(trace, base, evaluate(trace, node.slice), source_of(node.slice), node.slice)


def _arithmetic(trace: Trace, node: ast.BinOp) -> Value:
    left, right = evaluate(trace, node.left), evaluate(trace, node.right)
    if isinstance(node.op, ast.Mod) and isinstance(left.constant, str):
        report(trace, right)
    if isinstance(node.op, ast.Div) and isinstance(right.constant, str):
        return right  # a path
    return mixed(left, right)


def mixed(left: Value, right: Value) -> Value:
    """Two values added, divided or joined otherwise."""
    both = (left, right)
    if left.kind == "sequence" == right.kind:
        return replace(left, items=(left.items + right.items)[:200])
    for kind in ("best", "scores", "score", "prediction", "hits", "mask", "data", "statistic", "order"):
        found = next((value for value in both if value.kind == kind), None)
        if found is not None:
            made = carrying(found.kind, *both)
            return replace(made, name=found.name, ident=found.ident, line=found.line, order=found.order)
    numbered = next((value.ident for value in both if value.name == "round"), 0)
    return carrying("unknown", *both, **({"name": "round", "ident": numbered} if numbered else {}))


def _unary(trace: Trace, node: ast.UnaryOp) -> Value:
    value = evaluate(trace, node.operand)
    if value.kind == "constant" and isinstance(node.op, ast.USub) and isinstance(value.constant, int | float):
        return replace(value, constant=-value.constant)
    return UNKNOWN if isinstance(node.op, ast.Not) else value


def _compare(trace: Trace, node: ast.Compare) -> Value:
    sides = [evaluate(trace, side) for side in (node.left, *node.comparators)]
    if any(side.kind == "prediction" for side in sides):
        return carrying("hits", *sides)
    if any(side.kind == "data" for side in sides):
        # Rows chosen, or classes made, by a mean of all have learnt nothing that a model could use.
        return carrying("mask", *sides, lessons=NO_LESSONS)
    return UNKNOWN


def _either(trace: Trace, node: ast.IfExp) -> Value:
    known = truth(trace, node.test)
    if known is not None:
        return evaluate(trace, node.body if known else node.orelse)
    return either(evaluate(trace, node.body), evaluate(trace, node.orelse))


def _formatted(trace: Trace, node: ast.JoinedStr) -> Value:
    values = [evaluate(trace, part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
    texts = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
    report(trace, *values)
    return Value("constant", constant="{}".join(texts)) if texts else UNKNOWN


def _lambda(trace: Trace, node: ast.Lambda) -> Value:
    return Value("function", node=node)


def _named(trace: Trace, node: ast.NamedExpr) -> Value:
    value = evaluate(trace, node.value)
    trace.bind(node.target.id, value)
    return value


def _comprehension(trace: Trace, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    before = trace.loops
    over = trace.evaluate(trace, node.generators[0].iter) if len(node.generators) == 1 else UNKNOWN
    if each := unrolled(over):
        return _one_by_one(trace, node, each)
    for generator in node.generators:
        enter(trace, generator.target, evaluate(trace, generator.iter), node.lineno, [node], generator.iter)
    results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    values = [evaluate(trace, result) for result in results]
    inside = trace.loops
    trace.loops = before
    report(trace, *values)
    return collected(trace, values[-1], inside)


def _one_by_one(
    trace: Trace, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, each: tuple[Value, ...]
) -> Value:
    """`{part: load(part) for part in ("train", "test")}`: what is made of each stays apart."""
    keys: list[object] = []
    items: list[Value] = []
    for item in each:
        assign(trace, node.generators[0].target, item)
        if isinstance(node, ast.DictComp):
            keys.append(evaluate(trace, node.key).constant)
        items.append(evaluate(trace, node.value if isinstance(node, ast.DictComp) else node.elt))
    kind = "mapping" if keys else "sequence"
    return Value(kind, keys=tuple(keys), items=tuple(items), ident=trace.identity(), created=trace.loops)


def _call(trace: Trace, node: ast.Call) -> Value:
    request = _request(trace, node)
    if request is None:
        return UNKNOWN
    function = request.function
    if function.kind == "function" and function.node is not None:
        return bound_body(trace, request)
    if function.kind == "class" and function.node is not None:
        return constructed(trace, request)
    value = called(trace, request)
    if (
        request.last in ("append", "extend", "add")
        and isinstance(node.func, ast.Attribute)
        and request.values
    ):
        inner = node.func.value
        if isinstance(inner, ast.Name):
            trace.replace_name(inner.id, added(trace, request.base, request.values[0]))
        else:
            report(trace, *request.values)
    return value


@dataclass
class _Arguments:
    values: list[Value] = field(default_factory=list[Value])
    named: dict[str, Value] = field(default_factory=dict[str, Value])


def _request(trace: Trace, node: ast.Call) -> Request | None:
    base = UNKNOWN
    if isinstance(node.func, ast.Attribute):
        base = evaluate(trace, node.func.value)
        if base.kind == "name":
            function = Value("name", name=f"{base.name}.{node.func.attr}")
        else:
            function = trace.method(base, node.func.attr) or Value("name", name=node.func.attr)
    else:
        # A function that is not defined here is never taken for data, whatever its name.
        called_name = trace.scope.find(node.func.id) if isinstance(node.func, ast.Name) else None
        if isinstance(node.func, ast.Name):
            function = called_name or Value("name", name=node.func.id)
        else:
            function = evaluate(trace, node.func)
    request = Request(node=node, function=function, base=base)
    plotting = request.plots
    trace.plotting += plotting
    given = _Arguments()
    for argument in node.args:
        value = evaluate(trace, argument)
        if isinstance(argument, ast.Starred) and value.kind == "sequence":
            given.values.extend(value.items)
        else:
            given.values.append(value)
    for keyword in node.keywords:
        value = evaluate(trace, keyword.value)
        if keyword.arg is None and value.kind == "mapping":
            given.named |= {str(key): item for key, item in zip(value.keys, value.items, strict=False)}
        elif keyword.arg is not None:
            given.named[keyword.arg] = value
    trace.plotting -= plotting
    return replace(request, values=tuple(given.values), named=given.named)


def _parts(trace: Trace, node: ast.expr) -> Value:
    """Whatever else there is comes from what it is made of."""
    inner = [evaluate(trace, child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return carrying("unknown", *inner)


_KINDS: dict[type[ast.expr], Callable[[Trace, ast.expr], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _mapping,
    ast.Subscript: _subscript,
    ast.BinOp: _arithmetic,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.IfExp: _either,
    ast.JoinedStr: _formatted,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Call: _call,
}  # pyright: ignore[reportAssignmentType]
