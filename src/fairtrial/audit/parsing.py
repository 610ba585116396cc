"""Code as statements: what IPython adds to Python is set aside, and one broken statement loses no other.

Only `ast.parse` is used: it makes a tree and runs nothing.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

_MAGIC = re.compile(r"^(\s*)(?:[%!?]|\w[\w, ]*\s*=\s*[%!]|[\w.]+\?{1,2}\s*$)")
_CELL_MAGIC_OF_CODE = re.compile(r"%%(?:time|timeit|capture|prun|memit|debug|skip)\b")


@dataclass(frozen=True)
class Parsed:
    """The statements of a cell, their line numbers counted from its first line; and what could not be parsed."""

    statements: tuple[ast.stmt, ...]
    broken: tuple[tuple[int, str], ...] = ()
    """The first line of each broken stretch, and its source."""


def parsed(source: str) -> Parsed:
    """The statements of `source`, those after a broken one as well.

    >>> [type(one).__name__ for one in parsed("%matplotlib inline\\na = 1\\nmodel x = f(\\n  1)\\nb = 2").statements]
    ['Pass', 'Assign', 'Assign']
    """
    lines = _without_magics(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    whole = _tree("\n".join(lines))
    if whole is not None:
        return Parsed(whole)
    statements: list[ast.stmt] = []
    broken: list[tuple[int, str]] = []
    for start, chunk in _chunks(lines):
        tree = _tree("\n".join(chunk))
        if tree is None:
            broken.append((start + 1, "\n".join(chunk)))
            continue
        for statement in tree:
            ast.increment_lineno(statement, start)
        statements.extend(tree)
    return Parsed(tuple(statements), tuple(broken))


def expression(source: str) -> ast.expr | None:
    """`source` as one expression, or None."""
    tree = _tree(f"({source}\n)")
    if tree and len(tree) == 1 and isinstance(tree[0], ast.Expr):
        return tree[0].value
    return None


def _tree(source: str) -> tuple[ast.stmt, ...] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the author's strings escape is no concern of ours
            return tuple(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(lines: list[str]) -> list[str]:
    """Magics become `pass`, so that lines keep their numbers; a cell in another language becomes nothing."""
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("%%") and not _CELL_MAGIC_OF_CODE.match(first.lstrip()):
        return [""] * len(lines)
    return [f"{found[1]}pass" if (found := _MAGIC.match(line)) else line for line in lines]


def _chunks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Runs of lines that begin at the margin with what can begin a statement.

    `else:`, closing brackets and decorated functions stay with what they belong to.
    """
    starts: list[int] = []
    for index, line in enumerate(lines):
        begins = (
            line[:1].strip()
            and line[0] not in ")]}#"
            and not re.match(r"(?:else|elif|except|finally)\b", line)
        )
        decorated = index > 0 and lines[index - 1].startswith("@")
        if not starts or (begins and not decorated):
            starts.append(index)
    return [(start, lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
