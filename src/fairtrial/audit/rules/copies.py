"""Cells that stand twice in a notebook, often because the first stopped with an error."""

from __future__ import annotations

import ast
from bisect import bisect_right

from fairtrial.audit.program import Program


def copied_cells(program: Program) -> frozenset[int]:
    """The cells that do what an earlier one did: the same code, and nothing it reads set anew in between."""
    cells: dict[int, list[ast.stmt]] = {}
    for statement in program.statements:
        cells.setdefault(cell_of(program, statement.lineno), []).append(statement)
    first: dict[str, int] = {}
    copies: set[int] = set()
    for cell, statements in sorted(cells.items()):
        code = "\n".join(_without_places(statement) for statement in statements)
        earlier = first.setdefault(code, cell)
        between = [each for other in range(earlier + 1, cell) for each in cells.get(other, [])]
        if earlier != cell and not _names(statements, ast.Load) & _names(between, ast.Store):
            copies.add(cell)
        else:
            first[code] = cell
    return frozenset(copies)


def cell_of(program: Program, line: int) -> int:
    """The number of the cell, from 0, that a line of the program stands in."""
    return bisect_right(program.starts, line - 1) - 1


def _without_places(statement: ast.stmt) -> str:
    try:
        return ast.dump(statement)
    except RecursionError:
        # Too deep to be compared: like nothing else.
        return f"line {statement.lineno}"


def _names(statements: list[ast.stmt], how: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, how)
    }
