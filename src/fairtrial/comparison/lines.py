"""A CSV file as rows of cells: no more of them than can be compared, and nothing in them but text."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fairtrial.bounded import read_bounded
from fairtrial.errors import FairtrialError
from fairtrial.study.tree import shortened

STDIN = "-"
LARGEST_FILE_BYTES = 16_000_000
MOST_CELLS = 200_000
MOST_COLUMNS = 10_000
SHOWN = 12
"""How many of whatever a message lists."""

_TOO_MANY = f"more than {MOST_COLUMNS} cells in a row or {MOST_CELLS} in all; keep the columns and rows that are compared"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row and the line of the file it ends on, the header being line 1."""

    line: int
    cells: tuple[str, ...]


def text_of(name: str, source: str) -> str:
    """The text of a file, called `name` in messages, or of standard input."""
    try:
        if source == STDIN:
            raw = sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
        else:
            raw = read_bounded(source, largest=LARGEST_FILE_BYTES)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise FairtrialError(f"{name}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise FairtrialError(
            f"{name}: not text in UTF-8 (byte {error.start}); save it as CSV in UTF-8"
        ) from None
    if len(raw) > LARGEST_FILE_BYTES:
        raise FairtrialError(f"{name}: cannot be read: it is larger than {LARGEST_FILE_BYTES} bytes")
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise FairtrialError(
            f"{name}:{line}: holds the control character U+{ord(found[0]):04X}; a table is text (CSV, in UTF-8)"
        )
    return text


def lines_of(name: str, text: str) -> list[Row]:
    """The header, whatever it is, and every row in which something stands."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    written = io.StringIO(text, newline="")
    reader = csv.reader(_bounded(name, written, delimiter), delimiter=delimiter, strict=True)
    lines: list[Row] = []
    count = 0
    try:
        for row in reader:
            count += max(len(row), 1)
            if count > MOST_CELLS:
                raise FairtrialError(f"{name}:{reader.line_num}: {_TOO_MANY}")
            cells = tuple(cell.strip() for cell in row)
            if not lines or any(cells):
                lines.append(Row(line=reader.line_num, cells=cells))
    except csv.Error as error:
        raise FairtrialError(f"{name}:{reader.line_num}: not CSV: {error}") from None
    return lines


def _bounded(name: str, written: Iterable[str], delimiter: str) -> Iterator[str]:
    """The lines, unless one has more cells than a table has columns: counted before it is taken apart."""
    for number, line in enumerate(written, 1):
        if line.count(delimiter) >= MOST_COLUMNS:
            raise FairtrialError(f"{name}:{number}: {_TOO_MANY}")
        yield line


def listed(names: Iterable[str]) -> str:
    """Names as a message gives them: not more than a reader wants, nor longer ones."""
    given = list(names)
    more = [f"and {len(given) - SHOWN} more"] if len(given) > SHOWN else []
    return ", ".join([*map(shortened, given[:SHOWN]), *more])
