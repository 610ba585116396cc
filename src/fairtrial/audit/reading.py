"""A file as a document of cells, whatever it was written in. Nothing in it is executed or imported."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from fairtrial.audit.document import Cell, Document, FileKind
from fairtrial.audit.exported import text_cells
from fairtrial.audit.markup import html_cells
from fairtrial.audit.notebook import notebook_cells
from fairtrial.audit.script import script_cells
from fairtrial.errors import AuditError

KINDS: dict[str, FileKind] = {
    ".ipynb": "notebook",
    ".py": "script",
    ".txt": "text",
    ".md": "text",
    ".html": "html",
    ".htm": "html",
}
LARGEST_FILE_BYTES = 64_000_000
LARGEST_CODE = 500_000
"""Characters of code read in one file; far more than anybody types, and an end to what a parser can be made to do."""
LARGEST_PROSE = 2_000_000
"""Characters of text, and as many of output; a page holds two thousand."""


def read(path: str | Path) -> Document:
    """The cells of the notebook, script, exported text or HTML page at `path`.

    Raises AuditError where there is nothing to read; what had to be left out is said in `unread`.
    """
    name = str(path).encode("utf-8", "backslashreplace").decode()
    kind = KINDS.get(Path(path).suffix.lower())
    if kind is None:
        allowed = ", ".join(KINDS)
        raise AuditError(
            f"{name}: an audit reads files that end in {allowed}; export or rename this one to one of these"
        )
    content = _content(Path(path), name)
    if kind == "notebook":
        cells, unread = notebook_cells(content, name)
    else:
        text, unread = _decoded(content, name)
        cells = {"script": script_cells, "text": text_cells, "html": html_cells}[kind](text)
    if not cells:
        unread = (*unread, "there is no cell in the file that holds anything")
    cells, cut = _within_limits(cells)
    return Document(name, kind, cells, (*unread, *cut))


def _content(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AuditError(f"{name}: is a folder; name the files in it, such as {name.rstrip('/')}/*.ipynb")
        if not stat.S_ISREG(mode):
            raise AuditError(f"{name}: is not an ordinary file; save what is to be audited in a file first")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError:
        raise AuditError(f"{name}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise AuditError(f"{name}: cannot be read: {reason}") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise AuditError(
            f"{name}: is larger than the {LARGEST_FILE_BYTES // 1_000_000} MB that an audit reads;"
            " clear the pictures among its outputs and try again"
        )
    return content


def _decoded(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16"), ()
        if b"\0" in content:
            raise AuditError(f"{name}: is a binary file; an audit reads text")
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return content.decode("latin-1"), (
            f"line {line} is not UTF-8 text; the file was read as Latin-1, so letters outside ASCII may be wrong",
        )


def _within_limits(cells: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells with what is too much of them left out, and a sentence for each that was."""
    left = {"code": LARGEST_CODE, "prose": LARGEST_PROSE, "output": LARGEST_PROSE}
    kept: list[Cell] = []
    unread: list[str] = []
    for cell in cells:
        allowed = left[cell.kind]
        if len(cell.source) > allowed:
            unread.append(
                f"cell {cell.number}: its {cell.kind} is longer than an audit reads"
                f" ({len(cell.source)} characters, {allowed} were left); the rest of it was not looked at"
            )
        source = cell.source[:allowed]
        left[cell.kind] = allowed - len(source)
        if source.strip():
            kept.append(replace(cell, source=source))
    if len(unread) > 10:
        unread[10:] = [f"{len(unread) - 10} more cells were not looked at for the same reason"]
    return tuple(kept), tuple(unread)
