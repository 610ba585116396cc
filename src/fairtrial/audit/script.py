"""The cells of a script: those its author marked with `# %%`, or the whole as one."""

from __future__ import annotations

import re

from fairtrial.audit.document import Cell

_MARK = re.compile(r"#\s*(?:%%(?P<percent>.*)|In\s?\[[ \d]*\]:?\s*)$")


def script_cells(text: str) -> tuple[Cell, ...]:
    """Code as it stands; a cell marked `[markdown]`, or one of comments alone, is prose.

    >>> [(cell.number, cell.kind, cell.first_line) for cell in script_cells("a = 1\\n# %% [markdown]\\n# # Title")]
    [(1, 'code', 1), (2, 'prose', 3)]
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [(0, "")]
    starts.extend(
        (index + 1, mark["percent"] or "") for index, line in enumerate(lines) if (mark := _MARK.match(line))
    )
    cells: list[Cell] = []
    for (start, title), (end, _) in zip(starts, [*starts[1:], (len(lines) + 1, "")], strict=True):
        body = lines[start : end - 1]
        if not any(line.strip() for line in body):
            continue
        marked = len(starts) > 1
        prose = "[markdown]" in title or "[md]" in title or (marked and _only_comments(body))
        source = "\n".join(_uncommented(body) if prose else body)
        cells.append(Cell(len(cells) + 1, "prose" if prose else "code", source, first_line=start + 1))
    return tuple(cells)


def _only_comments(lines: list[str]) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def _uncommented(lines: list[str]) -> list[str]:
    quotes = ('"""', "'''")
    return [re.sub(r"^\s*#\s?", "", line) for line in lines if line.strip() not in quotes]
