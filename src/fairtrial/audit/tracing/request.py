"""A call with its arguments evaluated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from fairtrial.audit.tracing.values import UNKNOWN, Value

PLOTTING = {"plt", "ax", "axes", "axs", "sns", "fig", "matplotlib", "seaborn", "px", "go", "pyplot"}


@dataclass(frozen=True)
class Request:
    node: ast.Call
    function: Value
    base: Value
    """What the method is called on; unknown for a plain function."""
    values: tuple[Value, ...] = ()
    named: dict[str, Value] = field(default_factory=dict[str, Value])

    @property
    def line(self) -> int:
        return self.node.lineno

    @property
    def last(self) -> str:
        """The last word of what is called: `fit`, `train_test_split`, `Adam`."""
        return self.function.name.rpartition(".")[2]

    @property
    def every(self) -> tuple[Value, ...]:
        return (*self.values, *self.named.values())

    @property
    def key(self) -> tuple[int, int]:
        return (self.node.lineno, self.node.col_offset)

    @property
    def plots(self) -> bool:
        root = self.node.func
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        return isinstance(root, ast.Name) and root.id in PLOTTING

    def argument(self, position: int, name: str) -> Value:
        if name in self.named:
            return self.named[name]
        return self.values[position] if 0 <= position < len(self.values) else UNKNOWN

    def source(self, position: int, name: str) -> str:
        """An argument as it is written, or nothing."""
        for keyword in self.node.keywords:
            if keyword.arg == name:
                return source_of(keyword.value)
        return source_of(self.node.args[position]) if 0 <= position < len(self.node.args) else ""

    def is_false(self, position: int, name: str) -> bool:
        value = self.argument(position, name)
        return value.kind == "constant" and value.constant is False

    def seeded(self, name: str, position: int = -1) -> bool:
        """Whether a seed is given: anything but None."""
        value = self.argument(position, name)
        given = name in self.named or 0 <= position < len(self.values)
        return given and not (value.kind == "constant" and value.constant is None)


def source_of(node: ast.expr | None) -> str:
    """An expression as text, cut where it is very long."""
    if node is None:
        return ""
    try:
        return ast.unparse(node)[:200]
    except (RecursionError, ValueError):
        return f"line {node.lineno}"
