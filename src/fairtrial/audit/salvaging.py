"""Calls that can still be read in lines that are no Python: `model CNN_exp_1 = tf.keras.Sequential([`."""

from __future__ import annotations

import ast
import re

from fairtrial.audit.parsing import expression

_ASSIGNED_CALL = re.compile(
    r"^[ \t]*([A-Za-z_][\w.]*(?:[ \t]+\w+){0,3})[ \t]*=[ \t]*([A-Za-z_][\w.]*)[ \t]*\(", re.MULTILINE
)
_METHOD_CALL = re.compile(r"^[ \t]*([A-Za-z_]\w*\.(?:compile|fit|add|evaluate))[ \t]*\(", re.MULTILINE)
LONGEST = 50_000
MOST_CALLS = 50


def salvaged(source: str, first_line: int) -> list[ast.stmt]:
    """Statements made of the calls in `source`, their line numbers as in the cell."""
    source = source[:LONGEST]
    statements: list[ast.stmt] = []
    at = 0
    for _ in range(MOST_CALLS):
        assigned, method = _ASSIGNED_CALL.search(source, at), _METHOD_CALL.search(source, at)
        found = min(
            (one for one in (assigned, method) if one is not None),
            key=lambda one: one.start(),
            default=None,
        )
        if found is None:
            break
        at = found.end()
        end = _closing(source, found.end() - 1)
        start = found.start(2) if found is assigned else found.start(1)
        call = expression(source[start:end]) if end else None
        if not isinstance(call, ast.Call):
            continue
        line = source.count("\n", 0, start)
        ast.increment_lineno(call, line + first_line - 1)
        at = end
        if found is assigned:
            name = ast.Name("_".join(found[1].split()), ast.Store(), lineno=call.lineno, col_offset=0)
            statements.append(ast.Assign([name], call, lineno=call.lineno, col_offset=0))
        else:
            statements.append(ast.Expr(call, lineno=call.lineno, col_offset=0))
    return statements


def _closing(source: str, opening: int) -> int:
    """Just after the bracket that closes the one at `opening`; 0 where none does."""
    depth = 0
    quote = ""
    index = opening
    while index < len(source):
        character = source[index]
        if quote:
            if character == "\\":
                index += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "#":
            end = source.find("\n", index)
            index = len(source) if end < 0 else end
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return 0
