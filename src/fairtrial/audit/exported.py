"""An exported text as stretches of code, output and prose, which nothing in it tells apart but their shape."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from fairtrial.audit.document import Cell, CellKind

_FENCE = re.compile(r"\s*(```|~~~)")
_PROMPT = re.compile(r"\s{0,20}(In|Out)\s?\[[ \d*]*\]:\s?")
_PRINTED = re.compile(
    r"""\s*(?:
        Model:\s*"                                              # a layer table's head
      | Layer\s*\(type\) | [\w./-]+\s*\(\w+\)\s+\(? \[?\(?None,  # and its rows
      | (?:Total|Trainable|Non-trainable)\ params | [_=─━]{8,}\s*$
      | (?:\d*/)?\d*/\d+\s*(?:\[|-|━)                           # progress of an epoch
      | Hyper\W?par\w*\s*: | [\w ]*\b(?:batch|buffer)\ size\s*[=:]   # hyperparameters as printed: no Python name has a space
      | Epoch\s+\d+ | \w*ict_keys\( | None\s*$
      | [\w. ()%]*\b(?:acc|accuracy|loss|time|error|score|seconds?)\b[\w. ()%]*\s*[=:]\s*[-+]?\d[\d.e+-]*\s*%?\s*\w*\s*$
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_OPENS_CODE = re.compile(
    r"\s*(?:from\s+[\w.]+\s+import\s|import\s+[\w.]+(?:\s+as\s+\w+)?\s*(?:#.*)?$|def\s+\w+\(|class\s+\w+\s*[(:]"
    r"|for\s+\w[\w, ]*\s+in\s.+:\s*$|[\w.]+\s*\([^)]*$|\w[\w. ,\[\]\"']*=\s*\w[\w.]*\()"
)
_CODE_NEEDS = re.compile(r"[=(]|import|class")
MOST_TRIES = 20_000
"""Paragraphs of one file that are tried as code."""
LONGEST_CLASSIFIED = 20_000
"""Characters of one paragraph that are tried as code; a longer one is told by its first lines."""


def text_cells(text: str) -> tuple[Cell, ...]:
    """Stretches in order, each with the file's line it begins on; all of them cell 1.

    >>> [(cell.kind, cell.first_line) for cell in text_cells("A title\\n\\nloss = 0.1\\n\\n```\\nx = f(1)\\n```")]
    [('prose', 1), ('output', 3), ('code', 6)]
    """
    merged: list[tuple[CellKind, int, list[str]]] = []
    for kind, start, lines, fenced in _paragraphs(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        if merged and merged[-1][0] == kind and not fenced:
            _, first, before = merged[-1]
            before.extend([""] * (start - first - len(before)))
            before.extend(lines)
        else:
            merged.append((kind, start, list(lines)))
    return tuple(
        Cell(1, kind, "\n".join(lines), first_line=start)
        for kind, start, lines in merged
        if any(line.strip() for line in lines)
    )


def _paragraphs(lines: list[str]) -> Iterator[tuple[CellKind, int, list[str], bool]]:
    """Runs of lines between blank ones, and what stands between fences."""
    index = 0
    before: CellKind = "prose"
    tries = MOST_TRIES
    while index < len(lines):
        if fence := _FENCE.match(lines[index][:50]):
            end = index + 1
            while end < len(lines) and not lines[end][:50].lstrip().startswith(fence[1]):
                end += 1
            inside = lines[index + 1 : end]
            before = "output" if _mostly_printed(inside) else "code"
            yield before, index + 2, inside, True
            index = end + 1
            continue
        end = index
        while end < len(lines) and lines[end].strip() and not _FENCE.match(lines[end][:50]):
            end += 1
        if end > index:
            paragraph = [_without_prompt(line) for line in lines[index:end]]
            tries -= 1
            before = _kind(paragraph, before, try_parsing=tries > 0)
            yield before, index + 1, paragraph, False
        index = max(end, index + 1)


def _without_prompt(line: str) -> str:
    prompt = _PROMPT.match(line)
    return line[prompt.end() :] if prompt else line


def _kind(lines: list[str], before: CellKind, *, try_parsing: bool) -> CellKind:
    if _mostly_printed(lines):
        return "output"
    if before == "code" and lines[0][:1] in " \t)]}":
        return "code"
    text = "\n".join(lines)[:LONGEST_CLASSIFIED]
    if _OPENS_CODE.match(lines[0][:500]) or (try_parsing and _CODE_NEEDS.search(text) and _is_code(text)):
        return "code"
    return "prose"


def _mostly_printed(lines: list[str]) -> bool:
    filled = [line[:500] for line in lines if line.strip()]
    return bool(filled) and sum(bool(_PRINTED.match(line)) for line in filled) * 2 > len(filled)


def _is_code(text: str) -> bool:
    """Whether it is Python that does something: a name or a number alone may as well be prose."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(
            statement, ast.Assign | ast.Import | ast.ImportFrom | ast.For | ast.FunctionDef | ast.ClassDef
        )
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call))
        for statement in body
    )
