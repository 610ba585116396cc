"""A file as it was read: cells with their lines, whatever it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

FileKind = Literal["notebook", "script", "text", "html"]
CellKind = Literal["code", "prose", "output"]


@dataclass(frozen=True)
class Place:
    """Where something stands: the cell (from 1; an exported text or a script is one cell) and the line in it.

    `file_line` is the line in the file where that is known (scripts and texts; a notebook's lines are those of
    its cells).
    """

    cell: int
    line: int
    file_line: int | None = None


@dataclass(frozen=True)
class Cell:
    """A stretch of one kind, in the file's order.

    Outputs are cells of their own, with the number of the code cell that printed them. In an exported text, where
    nothing tells code from output from prose, `reading` decides by shape and each stretch becomes a cell.
    """

    number: int
    kind: CellKind
    source: str
    first_line: int = 1
    """The file's line on which it begins, for scripts and texts; 1 in a notebook."""
    hidden: bool = False
    """Folded away or collapsed by the notebook's metadata."""

    def place(self, line: int, kind: FileKind) -> Place:
        """Where line `line` of this cell (from 1) stands in a file of that kind.

        >>> Cell(1, "prose", "one", first_line=40).place(3, "text")
        Place(cell=1, line=42, file_line=42)
        """
        if kind in ("notebook", "html"):
            return Place(self.number, line)
        file_line = self.first_line + line - 1
        return Place(self.number, line if kind == "script" and self.number > 1 else file_line, file_line)


@dataclass(frozen=True)
class Document:
    path: str
    kind: FileKind
    cells: tuple[Cell, ...]
    unread: tuple[str, ...] = ()
    """What could not be read and why, in sentences."""

    @cached_property
    def first_lines(self) -> dict[int, list[tuple[int, int]]]:
        """For each cell number the line on which each stretch of it begins, and its position among the cells."""
        found: dict[int, list[tuple[int, int]]] = {}
        for position, cell in enumerate(self.cells):
            found.setdefault(cell.number, []).append((cell.place(1, self.kind).line, position))
        return found
