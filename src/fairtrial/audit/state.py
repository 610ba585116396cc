"""Where the following of a document stands: names, loops, and the networks met so far."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from fairtrial.audit.document import Cell, Document, Place
from fairtrial.audit.values import FunctionMade, Loop, Net, Scope, TooMuch, Unknown, Value

MOST_STEPS = 100_000
MOST_NETS = 300
LONGEST_SAID = 200


@dataclass(eq=False)
class State:
    document: Document
    run_function: Callable[[State, FunctionMade, list[Value], dict[str, Value]], Value]
    position: int = 0
    """Of the cell at whose top level we are."""
    line: int = 1
    """In that cell."""
    frames: list[int] = field(default_factory=list[int])
    """Of each function being followed: the position of the cell that defines it."""
    scope: Scope = field(default_factory=lambda: Scope({}))
    loops: list[Loop] = field(default_factory=list[Loop])
    nets: list[Net] = field(default_factory=list[Net])
    trained: list[Net] = field(default_factory=list[Net])
    """Networks trained, in the order of their trainings; one stands here each time."""
    notes: list[tuple[Place, str]] = field(default_factory=list[tuple[Place, str]])
    datasets: list[str] = field(default_factory=list[str])
    seed: Value = field(default_factory=Unknown)
    seeded: bool = False
    steps: int = 0

    @property
    def cell(self) -> Cell:
        """The cell whose code is being followed: of a function, the one that defines it."""
        return self.document.cells[self.frames[-1] if self.frames else self.position]

    @property
    def place(self) -> Place:
        """Where we are at the top level, however deep in functions."""
        return self.document.cells[self.position].place(self.line, self.document.kind)

    def here(self, node: ast.AST) -> Place:
        """Where the node itself stands."""
        return self.cell.place(getattr(node, "lineno", 1), self.document.kind)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuch

    def made(self, net: Net) -> Net:
        """`net` entered among the networks of the document."""
        if len(self.nets) >= MOST_NETS:
            raise TooMuch
        net.labels = dict(loop.label for loop in self.loops if loop.label)
        net.loops = len(self.loops)
        self.nets.append(net)
        return net

    def note(self, node: ast.AST, sentence: str) -> None:
        found = (self.here(node), sentence)
        if found not in self.notes and len(self.notes) < 200:
            self.notes.append(found)


def said(node: ast.AST | None) -> str:
    """The node's source, on one line and not too long."""
    if node is None:
        return ""
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        return "..."
    return text if len(text) <= LONGEST_SAID else f"{text[: LONGEST_SAID - 3]}..."
