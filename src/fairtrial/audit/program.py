"""The code cells of a document as one program, whose lines know their places."""

from __future__ import annotations

import ast
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from fairtrial.audit.document import Cell, Document, FileKind, Place
from fairtrial.audit.parsing import parsed

LONGEST_QUOTE = 120


@dataclass(frozen=True)
class Program:
    statements: tuple[ast.stmt, ...]
    cells: tuple[Cell, ...]
    starts: tuple[int, ...]
    """The number of lines before each cell."""
    kind: FileKind

    def place(self, line: int) -> Place:
        """Where a line of the program stands in its file."""
        index = bisect_right(self.starts, line - 1) - 1
        return self.cells[index].place(line - self.starts[index], self.kind)

    def said(self, line: int) -> str:
        """A line as it stands there, without its indentation, cut where it is long."""
        index = bisect_right(self.starts, line - 1) - 1
        lines = self.cells[index].source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        at = line - self.starts[index] - 1
        text = lines[at].strip() if 0 <= at < len(lines) else ""
        return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def program(document: Document) -> Program:
    """What of the document's code can be parsed, in the order of its cells."""
    cells = tuple(cell for cell in document.cells if cell.kind == "code")
    lengths = [cell.source.count("\n") + cell.source.count("\r") + 2 for cell in cells]
    starts = (0, *accumulate(lengths))[: len(cells)]
    statements: list[ast.stmt] = []
    for cell, start in zip(cells, starts, strict=True):
        statements.extend(ast.increment_lineno(each, start) for each in parsed(cell.source).statements)
    return Program(tuple(statements), cells, tuple(starts), document.kind)
