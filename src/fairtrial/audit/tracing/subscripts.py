"""`value[index]`: which rows, which column, which epoch."""

from __future__ import annotations

import ast
from dataclasses import replace

from fairtrial.audit.tracing.choosing import chosen
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Value, carrying


def part_of(trace: Trace, base: Value, index: Value, key: str, node: ast.expr | None = None) -> Value:
    """What stands at `index` of `base`; `key` is the index as written."""
    match base.kind:
        case "history":
            metric = str(index.constant) if index.kind == "constant" else ""
            rows = base.rows if metric.startswith("val") else frozenset[int]()
            return replace(base, kind="epoch scores", name=metric, rows=rows)
        case "epoch scores" | "scores" if base.order and isinstance(index.constant, int):
            return chosen(trace, base, base.order[1], which=False)
        case "epoch scores":
            kind = "best" if index.kind == "best epoch" else "score"
            return replace(base, kind=kind, ident=index.ident or base.ident)
        case "scores":
            if index.kind in ("constant", "unknown") and isinstance(index.constant, str):
                return base
            if index.kind == "best epoch":
                return replace(base, kind="best", ident=index.ident)
            return replace(base, kind="score")
        case "splits":
            return _split(trace, base, index)
        case "sequence" | "mapping":
            return _item(base, index, node)
        case "order":
            return replace(base, name=_side(node, index))
        case "data" | "unknown":
            return _rows(trace, base, index, key, node)
        case "constant" | "name" | "function" | "class":
            return UNKNOWN
        case _:
            return base


def _split(trace: Trace, base: Value, index: Value) -> Value:
    """`datasets["test"]` of a library that names its splits."""
    return split_named(trace, base.name, str(index.constant)) if index.kind == "constant" else UNKNOWN


def split_named(trace: Trace, dataset: str, split: str) -> Value:
    """The rows that a library calls `split`, or a slice of them such as `train[:80%]`."""
    name, _, part = split.partition("[")
    name = name.strip()
    known = "test" if name == "test" else "validation" if name.startswith("val") else "train"
    whole = trace.source(("library", dataset, name), known, official=True)
    return trace.piece(whole, ("slice", part)) if part else whole


def _item(base: Value, index: Value, node: ast.expr | None) -> Value:
    if index.kind == "constant" and base.kind == "mapping" and index.constant in base.keys:
        return base.items[base.keys.index(index.constant)]
    if base.kind == "sequence" and isinstance(index.constant, int):
        at = index.constant
        return base.items[at] if -len(base.items) <= at < len(base.items) else UNKNOWN
    if isinstance(node, ast.Slice):
        return base
    return carrying("unknown", *base.items)


def _side(node: ast.expr | None, index: Value) -> str:
    """Whether a slice of a random order is its head, its tail or a stretch between."""
    if not isinstance(node, ast.Slice):
        return ""
    if node.lower is None:
        return "head" if node.upper is not None else ""
    return "tail" if node.upper is None else "middle"


def _rows(trace: Trace, base: Value, index: Value, key: str, node: ast.expr | None) -> Value:
    """Rows or columns of data: columns have the same rows."""
    if _columns(index, node):
        return base
    if index.kind == "order" and index.ident:
        drawn = (index.ident, index.line)
        return trace.piece(base, (index.ident, index.name or key), order=drawn, side=index.name)
    if base.kind == "unknown" and not base.rows:
        return UNKNOWN
    first = node.elts[0] if isinstance(node, ast.Tuple) and node.elts else node
    if base.order and isinstance(first, ast.Slice):
        side = _side(first, index)
        return trace.piece(base, (base.order[0], side), order=base.order, side=side)
    if isinstance(first, ast.Constant) and base.kind == "unknown":
        return base
    return trace.piece(base, ("slice", key))


def _columns(index: Value, node: ast.expr | None) -> bool:
    if index.kind == "labels" or isinstance(index.constant, str):
        return True
    if index.kind == "sequence" and index.items:
        return all(
            isinstance(item.constant, str) or item.kind in ("labels", "unknown") for item in index.items
        )
    if isinstance(node, ast.Tuple) and node.elts:
        first = node.elts[0]
        everything = isinstance(first, ast.Slice) and first.lower is None and first.upper is None
        return everything or (isinstance(first, ast.Constant) and first.value is Ellipsis)
    if isinstance(node, ast.Slice):
        return node.lower is None and node.upper is None
    return isinstance(node, ast.Constant) and node.value is Ellipsis
