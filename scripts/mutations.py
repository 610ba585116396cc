"""Small mistakes that could be made in a module's source, one at a time: what `scripts/mutants` has tests look for."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {
    "min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax", "argmax": "argmin",
    "cdf": "sf", "sf": "cdf", "ppf": "isf", "isf": "ppf", "floor": "ceil", "ceil": "floor", "append": "extend",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One changed place: `owner` is the function it is in (by qualified name), empty for the module itself."""

    file: Path
    owner: str
    line: int
    was: str
    now: str
    nth: int
    """Which of the places that read alike in this function, from 1."""
    tree: ast.Module

    @property
    def name(self) -> str:
        """What it is called wherever it is listed; lines move, this does not."""
        return f"{self.owner or 'module'}: `{self.was}` -> `{self.now}`" + (
            f" #{self.nth}" if self.nth > 1 else ""
        )


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Every mutant of the file, in the order of its lines.

    Left alone: what is said (docstrings, raised messages), types, decorators, and the bodies of classes outside of their methods.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alike: Counter[tuple[str, str, str]] = Counter()
    for path, node in _places(tree):
        for changed in _changes(node):
            whole = copy.deepcopy(tree)
            _put(whole, path, changed)
            owner, was, now = _owner(tree, path), _text(node), _text(changed)
            alike[owner, was, now] += 1
            yield Mutant(
                file=file,
                owner=owner,
                line=getattr(node, "lineno", 0),
                was=was,
                now=now,
                nth=alike[owner, was, now],
                tree=ast.fix_missing_locations(whole),
            )


Path_ = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, path: Path_ = ()) -> Iterator[tuple[Path_, ast.AST]]:
    """Everything that may be changed, with the way to it."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "decorator_list") or _said(node, name):
            continue
        children = enumerate(value) if isinstance(value, list) else ((None, value),)
        for at, child in children:
            if isinstance(child, ast.AST) and not _left_alone(node, child):
                yield (*path, (name, at)), child
                yield from _places(child, (*path, (name, at)))


def _said(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Raise | ast.Assert) or (
        isinstance(node, ast.Call) and name == "args" and _text(node.func).endswith("Error")
    )


def _left_alone(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring
    if isinstance(child, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(child, ast.If) and _text(child.test) in ("TYPE_CHECKING", "sys.platform == 'darwin'"):
        return True
    if isinstance(parent, ast.ClassDef) and not isinstance(child, ast.FunctionDef):
        return True
    if isinstance(child, ast.Assign) and _text(child.value).startswith(
        ("Literal[", "TypeVar(", "NDArray[", "Callable[")
    ):
        return True
    return isinstance(parent, ast.Subscript) and _text(parent.value) in (
        "Literal",
        "NDArray",
        "dict",
        "list",
        "tuple",
        "Callable",
        "Float",
    )


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[one, *_]) if type(one) in COMPARED:
            yield _with(node, ops=[COMPARED[type(one)](), *node.ops[1:]])
        case ast.BinOp() if type(node.op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(node.op)]())
        case ast.AugAssign() if type(node.op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(node.op)]())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield _with(node, value=not node.value)
        case ast.Constant(value=int() | float()):
            yield _with(node, value=node.value + 1)
        case ast.Constant(value=str()):
            yield _with(node, value=f"XX{node.value}")
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.If() | ast.While() if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _with(node, test=ast.UnaryOp(op=ast.Not(), operand=node.test))
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Return(value=ast.expr()) if not _nothing(node.value):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Assign() if not _nothing(node.value):
            yield _with(node, value=ast.Constant(value=None))
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Name(id=name) if name in NAMES:
            yield _with(node, id=NAMES[name])
        case ast.Attribute(attr=name) if name in NAMES:
            yield _with(node, attr=NAMES[name])
        case _:
            return


def _nothing(value: ast.AST | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _put(tree: ast.AST, path: Path_, node: ast.AST) -> None:
    for name, at in path[:-1]:
        tree = getattr(tree, name) if at is None else getattr(tree, name)[at]
    name, at = path[-1]
    if at is None:
        setattr(tree, name, copy.deepcopy(node))
    else:
        getattr(tree, name)[at] = copy.deepcopy(node)


def _owner(tree: ast.AST, path: Path_) -> str:
    """The outermost function on the way, after the classes it is in; empty outside of all."""
    names: list[str] = []
    for name, at in path:
        tree = getattr(tree, name) if at is None else getattr(tree, name)[at]
        if isinstance(tree, ast.ClassDef):
            names.append(tree.name)
        elif isinstance(tree, ast.FunctionDef):
            return ".".join([*names, tree.name])
    return ""


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"if {_text(node.test)}"
    if isinstance(node, ast.comprehension):
        return ast.unparse(ast.ListComp(elt=ast.Name(id="…"), generators=[node]))
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."
