"""The value of an expression as far as the file shows it: nothing is run, a call is looked up in what we know of it."""

from __future__ import annotations

import ast
from typing import Any, cast

from fairtrial.audit.arithmetic import LONGEST_SEQUENCE, PLAIN, combined, compared, sequence, subscript
from fairtrial.audit.calling import call
from fairtrial.audit.names import canonical, unbound
from fairtrial.audit.state import State, said
from fairtrial.audit.values import (
    ClassMade,
    FunctionMade,
    Instance,
    LayerMade,
    Method,
    Net,
    OptimizerMade,
    Reference,
    Tensor,
    Unknown,
    Value,
)


def value_of(state: State, node: ast.expr | None) -> Value:
    """The value of `node`, or an Unknown with its source."""
    state.step()
    match node:
        case None:
            return None
        case ast.Constant():
            return node.value if isinstance(node.value, PLAIN) else Unknown(said(node))
        case ast.Name():
            return state.scope[node.id] if node.id in state.scope else unbound(node.id)
        case ast.Attribute():
            return attribute(state, value_of(state, node.value), node.attr)
        case ast.Call():
            return _called(state, node)
        case ast.List() | ast.Tuple() | ast.Set():
            members = _members(state, node.elts)
            return tuple(members) if isinstance(node, ast.Tuple) else members
        case ast.Dict():
            return _dictionary(state, node)
        case ast.UnaryOp():
            return _unary(state, node)
        case ast.BinOp():
            left, right = value_of(state, node.left), value_of(state, node.right)
            result = combined(type(node.op), left, right)
            return Unknown(said(node)) if isinstance(result, Unknown) else result
        case ast.Compare() if len(node.ops) == 1:
            return compared(
                type(node.ops[0]), value_of(state, node.left), value_of(state, node.comparators[0])
            )
        case ast.BoolOp():
            return _boolean(state, node)
        case ast.IfExp():
            condition = truth(value_of(state, node.test))
            if condition is None:
                return Unknown(said(node))
            return value_of(state, node.body if condition else node.orelse)
        case ast.Subscript():
            return _subscripted(state, node)
        case ast.JoinedStr():
            return _joined(state, node)
        case ast.Lambda():
            return FunctionMade(node, state.frames[-1] if state.frames else state.position, state.scope)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            return _comprehension(state, node)
        case ast.NamedExpr():
            value = value_of(state, node.value)
            state.scope[node.target.id] = value
            return value
        case ast.Await() | ast.Starred():
            return value_of(state, node.value)
        case _:
            return Unknown(said(node))


def truth(value: Value) -> bool | None:
    """Whether a shown value counts as true; None where it is not shown."""
    if isinstance(value, (*PLAIN, list, tuple, dict, range)):
        return bool(cast("Any", value))
    return None


def attribute(state: State, owner: Value, word: str) -> Value:
    """What `owner.word` stands for."""
    match owner:
        case Reference():
            return Reference(canonical(f"{owner.path}.{word}"))
        case Instance():
            if word in owner.attributes:
                return owner.attributes[word]
            method = owner.made_of.attributes.get(word) if owner.made_of else None
            if isinstance(method, FunctionMade):
                return FunctionMade(method.node, method.cell, method.scope, bound=owner)
            if method is not None:
                return method
            return Method(owner.net if owner.net is not None else owner, word)
        case ClassMade():
            return owner.attributes.get(word, Unknown(word))
        case Net() if word == "optimizer" and owner.optimizer is not None:
            return owner.optimizer
        case Net() if word == "layers":
            return list(owner.layers)
        case Net() if word in ("output", "outputs"):
            return Tensor(tuple(owner.layers))
        case OptimizerMade() if word in ("learning_rate", "lr"):
            return owner.learning_rate if owner.learning_rate is not None else Unknown(word)
        case LayerMade() if word == "output":
            return Unknown(word)
        case _:
            return Method(owner, word)


def _called(state: State, node: ast.Call) -> Value:
    if not state.frames:
        state.line = node.lineno
    function = value_of(state, node.func)
    arguments = _members(state, node.args)
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = value_of(state, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, dict):
            keywords.update(
                {key: one for key, one in cast("dict[Any, Value]", value).items() if isinstance(key, str)}
            )
    if not state.frames:
        state.line = node.lineno  # its arguments stood on lines of their own
    return call(state, node, function, arguments, keywords)


def _members(state: State, nodes: list[ast.expr]) -> list[Value]:
    members: list[Value] = []
    for node in nodes[:LONGEST_SEQUENCE]:
        value = value_of(state, node)
        if isinstance(node, ast.Starred):
            members.extend(sequence(value) or [Unknown(said(node))])
        else:
            members.append(value)
    return members


def _dictionary(state: State, node: ast.Dict) -> dict[Any, Value]:
    found: dict[Any, Value] = {}
    for key_node, value_node in list(zip(node.keys, node.values, strict=True))[:LONGEST_SEQUENCE]:
        value = value_of(state, value_node)
        if key_node is None:
            found.update(cast("dict[Any, Value]", value) if isinstance(value, dict) else {})
            continue
        key = value_of(state, key_node)
        if isinstance(key, PLAIN) or (
            isinstance(key, tuple) and all(isinstance(one, PLAIN) for one in cast("Any", key))
        ):
            found[key] = value
    return found


def _unary(state: State, node: ast.UnaryOp) -> Value:
    value = value_of(state, node.operand)
    if isinstance(node.op, ast.Not):
        condition = truth(value)
        return Unknown() if condition is None else not condition
    if isinstance(node.op, ast.USub) and isinstance(value, int | float):
        return -value
    return Unknown(said(node))


def _boolean(state: State, node: ast.BoolOp) -> Value:
    value: Value = Unknown()
    for one in node.values:
        value = value_of(state, one)
        condition = truth(value)
        if condition is None:
            return Unknown(said(node))
        if condition is isinstance(node.op, ast.Or):
            return value
    return value


def _subscripted(state: State, node: ast.Subscript) -> Value:
    owner = value_of(state, node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [value_of(state, one) for one in (node.slice.lower, node.slice.upper, node.slice.step)]
        if all(one is None or isinstance(one, int) for one in bounds):
            result = subscript(owner, slice(*bounds))
            return Unknown(said(node)) if isinstance(result, Unknown) else result
        return Unknown(said(node))
    key = value_of(state, node.slice)
    if isinstance(owner, Net) and isinstance(key, int):
        return subscript(list(owner.layers), key)
    result = subscript(owner, key)
    return Unknown(said(node)) if isinstance(result, Unknown) else result


def _joined(state: State, node: ast.JoinedStr) -> Value:
    parts: list[str] = []
    for one in node.values:
        value = value_of(state, one.value if isinstance(one, ast.FormattedValue) else one)
        if not isinstance(value, PLAIN):
            return Unknown(said(node))
        parts.append(str(value))
    text = "".join(parts)
    return text if len(text) <= LONGEST_SEQUENCE else Unknown(said(node))


def _comprehension(state: State, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Value:
    """A list over shown values; one over anything else is followed once, for the networks it may build."""
    outer = state.scope
    state.scope = outer.new_child()
    found: list[tuple[Value, Value]] = []

    def over(generators: list[ast.comprehension]) -> bool:
        if not generators:
            key = value_of(state, node.key) if isinstance(node, ast.DictComp) else None
            found.append((key, value_of(state, node.value if isinstance(node, ast.DictComp) else node.elt)))
            return True
        members = sequence(value_of(state, generators[0].iter))
        for one in members if members is not None else [Unknown()]:
            bind(state, generators[0].target, one)
            if all(truth(value_of(state, test)) is not False for test in generators[0].ifs):
                over(generators[1:])
        return members is not None

    try:
        shown = over(node.generators)
    finally:
        state.scope = outer
    if not shown:
        return Unknown(said(node))
    if isinstance(node, ast.DictComp):
        return {key: value for key, value in found if isinstance(key, PLAIN)}
    return [value for _, value in found]


def bind(state: State, target: ast.expr, value: Value) -> None:
    """Let a name, or several, stand for `value`."""
    match target:
        case ast.Name():
            state.scope.maps[0][target.id] = value
            net = value.net if isinstance(value, Instance) else value
            if isinstance(net, Net) and (not net.name or (net.named_inside and not state.frames)):
                net.name, net.named_inside = target.id, bool(state.frames)
        case ast.Tuple() | ast.List():
            values = sequence(value)
            starred = any(isinstance(one, ast.Starred) for one in target.elts)
            fits = values is not None and len(values) == len(target.elts) and not starred
            for index, one in enumerate(target.elts):
                inner = one.value if isinstance(one, ast.Starred) else one
                bind(state, inner, values[index] if fits and values is not None else Unknown(said(one)))
        case ast.Attribute():
            owner = value_of(state, target.value)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value
            elif isinstance(owner, OptimizerMade) and target.attr in ("learning_rate", "lr"):
                owner.learning_rate = float(value) if isinstance(value, int | float) else None
                owner.defaults = ()
        case ast.Subscript():
            owner, key = value_of(state, target.value), value_of(state, target.slice)
            if (
                isinstance(owner, dict)
                and isinstance(key, PLAIN)
                and len(cast("Any", owner)) < LONGEST_SEQUENCE
            ):
                owner[key] = value
                if isinstance(value, Net) and not value.name and isinstance(key, str):
                    value.name = key
        case _:
            pass
