"""Cells of a notebook, run in this process, and the notebook's JSON (nbformat 4.5).

The outputs come from running the very source that the cells hold, so that they are what Jupyter gives; no
kernel is needed to write a notebook, and none has to be installed.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Text in Markdown, or code whose last expression is shown."""

    kind: str
    source: str


def text(*lines: str) -> Cell:
    return Cell(kind="markdown", source="\n".join(lines))


def code(*lines: str) -> Cell:
    return Cell(kind="code", source="\n".join(lines))


def notebook_json(cells: Sequence[Cell], *, folder: Path) -> str:
    """The notebook with its outputs, as it would be after running all cells in `folder`."""
    names: dict[str, Any] = {"__name__": "__main__"}
    written: list[dict[str, Any]] = []
    count = 0
    with chdir(folder):
        for number, cell in enumerate(cells, start=1):
            entry: dict[str, Any] = {
                "cell_type": cell.kind,
                "id": f"cell-{number}",
                "metadata": {},
                "source": cell.source.splitlines(keepends=True),
            }
            if cell.kind == "code":
                count += 1
                entry |= {"execution_count": count, "outputs": _outputs(cell.source, names, count)}
            written.append(entry)
    notebook = {"cells": written, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Run one cell in `names`; what its last line comes to, if that is an expression with a value."""
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    shown = ast.Expression(tree.body.pop().value) if isinstance(last, ast.Expr) else None  # pyright: ignore[reportAttributeAccessIssue]
    exec(compile(tree, "<cell>", "exec"), names)
    value = None if shown is None else eval(compile(shown, "<cell>", "eval"), names)
    if value is None:
        return []
    bundle = value._repr_mimebundle_()
    return [
        {
            "output_type": "execute_result",
            "execution_count": count,
            "metadata": {},
            "data": {kind: _lines(kind, content) for kind, content in bundle.items()},
        }
    ]


def _lines(kind: str, content: str) -> str | list[str]:
    """Text by lines, so that two versions of a notebook can be compared; an image in one piece."""
    return content if kind == "image/png" else content.splitlines(keepends=True)


def relative(path: Path, folder: Path) -> str:
    """`path` as seen from `folder`, so that both can be moved together; absolute where they share nothing."""
    here, there = folder.resolve(), path.resolve()
    try:
        common = Path(os.path.commonpath([here, there]))
    except ValueError:  # two drives
        return there.as_posix()
    if common == Path(common.anchor):
        return there.as_posix()
    return Path(os.path.relpath(there, here)).as_posix()
