"""The cells of a Jupyter notebook, of nbformat 3 or 4, from its JSON.

Not by the library nbformat: what it adds is a check against a schema, which takes most of a second for a large notebook
and refuses what can be read well enough.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from fairtrial.audit.document import Cell
from fairtrial.audit.markup import plain_text
from fairtrial.errors import AuditError

LARGEST_OUTPUT = 200_000
"""Characters kept of what one cell printed: its beginning and its end."""
MOST_PARTS = 8_000_000
"""Commas and brackets in the JSON: what bounds the memory that parsing it takes."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HIDING_TAGS = frozenset(
    {"hide-input", "hide_input", "remove-input", "remove_input", "hide-cell", "remove-cell"}
)


def notebook_cells(content: bytes, name: str) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells of a notebook and the outputs under them; each sentence says what could not be read."""
    notebook = _parsed(content, name)
    raw = notebook.get("cells")
    if raw is None and isinstance(notebook.get("worksheets"), list):
        sheets = cast(list[Any], notebook["worksheets"])
        raw = [
            cell
            for sheet in sheets
            if isinstance(sheet, dict)
            for cell in _list(cast(Any, sheet).get("cells"))
        ]
    if not isinstance(raw, list):
        raise AuditError(
            f"{name}: is JSON but not a notebook: it has no list of cells; save it from Jupyter again"
        )
    cells: list[Cell] = []
    unread: list[str] = []
    for number, entry in enumerate(cast(list[Any], raw), start=1):
        if not isinstance(entry, dict):
            unread.append(f"cell {number}: is not a cell but {type(entry).__name__}; it was left out")
            continue
        cells.extend(_cells(number, cast(dict[str, Any], entry)))
    return tuple(cells), tuple(unread[:10])


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    if sum(map(content.count, (b",", b"{", b"["))) > MOST_PARTS:
        raise AuditError(f"{name}: has too many parts to be read; clear its outputs and try again")
    try:
        notebook = json.loads(content.decode("utf-8-sig"), object_hook=_without_pictures)
    except RecursionError:
        raise AuditError(f"{name}: is nested too deeply to be a notebook") from None
    except UnicodeDecodeError as error:
        raise AuditError(
            f"{name}: is not UTF-8 text (byte {error.start}); save it from Jupyter again"
        ) from None
    except json.JSONDecodeError as error:
        raise AuditError(
            f"{name}:{error.lineno}: is not a notebook: {error.msg}; save it from Jupyter again, or give an export"
        ) from None
    except ValueError:
        raise AuditError(f"{name}: is not a notebook: it holds a number that is too long") from None
    if not isinstance(notebook, dict):
        raise AuditError(f"{name}: is JSON but not a notebook; save it from Jupyter again")
    return cast(dict[str, Any], notebook)


def _without_pictures(part: dict[str, Any]) -> dict[str, Any]:
    """Pictures and widgets are dropped as soon as they are parsed, before the next takes memory."""
    for key in [key for key in part if key.startswith(("image/", "application/", "video/", "audio/"))]:
        del part[key]
    return part


def _cells(number: int, entry: dict[str, Any]) -> list[Cell]:
    kind = entry.get("cell_type")
    source = _text(entry.get("source", entry.get("input")))
    if kind != "code":
        if kind == "heading":  # nbformat 3
            level = entry.get("level")
            source = f"{'#' * (level if isinstance(level, int) and 0 < level < 7 else 1)} {source}"
        return [Cell(number, "prose", source)]
    metadata = _dict(entry.get("metadata"))
    jupyter = _dict(metadata.get("jupyter"))
    hidden = (
        jupyter.get("source_hidden") is True
        or metadata.get("cellView") == "form"
        or metadata.get("hide_input") is True
        or any(tag in _HIDING_TAGS for tag in _list(metadata.get("tags")) if isinstance(tag, str))
    )
    printed = _shortened("\n".join(filter(None, map(_printed, _list(entry.get("outputs"))))))
    out_of_sight = jupyter.get("outputs_hidden") is True or metadata.get("collapsed") is True
    cells = [Cell(number, "code", source, hidden=hidden)]
    if printed.strip():
        cells.append(Cell(number, "output", printed, hidden=out_of_sight))
    return cells


def _printed(output: Any) -> str:
    """What an output shows as text, as a terminal would have left it."""
    output = _dict(output)
    data = _dict(output.get("data")) or output
    if output.get("output_type") in ("error", "pyerr"):
        text = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    elif plain := _text(data.get("text/plain", data.get("text"))):
        text = plain
    else:
        text = plain_text(_shortened(_text(data.get("text/html", data.get("html")))))
    return as_left_on_screen(text).rstrip("\n")


def as_left_on_screen(text: str) -> str:
    """`text` without colours, and each line as its last rewriting left it (progress bars).

    >>> as_left_on_screen("1/2 [=>..]\\r2/2 [====] loss: 0.1\\nend")
    '2/2 [====] loss: 0.1\\nend'
    """
    text = re.sub("\x08+", "\r", _ESCAPES.sub("", _shortened(text))).replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "\n".join(
        next((part for part in reversed(line.split("\r")) if part.strip()), "") for line in text.split("\n")
    )


def _shortened(text: str) -> str:
    if len(text) <= LARGEST_OUTPUT:
        return text
    half = LARGEST_OUTPUT // 2
    return f"{text[:half]}\n...\n{text[-half:]}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in cast(list[Any], value) if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
