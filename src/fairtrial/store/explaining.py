"""What a damaged, locked or full store says: SQLite's words and rows that mean nothing, as errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import sqlite3
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairtrial.errors import StoreError

BUSY_SECONDS = 60.0
"""How long to wait for another process's transaction; ours last milliseconds."""

_SMALL_BYTES = 256 * 1024
_SAFE = "whatever was recorded before is safe"


class Unsound(StoreError):
    """A row that means nothing; the message lacks the file's name yet."""


@contextmanager
def sound() -> Generator[None]:
    """What is made of rows: whatever does not fit is the rows' fault, which `explained` tells with the file's name."""
    try:
        yield
    except (ValueError, zlib.error) as error:
        raise Unsound(" ".join(str(error).split())[:200]) from error
    except (TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise Unsound("rows that do not fit together") from error


def parsed(text: str, what: str, kind: type[Any]) -> Any:
    """A value that is kept as JSON, which must be of this kind."""
    value: object = None
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        value = json.loads(text)
    if not isinstance(value, kind):
        raise Unsound(f"{what} cannot be read: it says {str(text)[:40]!r}")
    return value


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turn what SQLite says of the file, and what its rows cannot mean, into a StoreError that says what to do."""
    try:
        yield
    except Unsound as error:
        raise StoreError(
            f"{path}: holds what no fairtrial wrote ({error}): it is damaged or was changed by hand; restore a copy, "
            "or move it away and train again"
        ) from error
    except MemoryError as error:
        raise StoreError(
            f"{path}: reading it needs more memory than there is; close other programs"
        ) from error
    except sqlite3.ProgrammingError:  # a mistake of ours, not of the file
        raise
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {_explanation(path, error)}") from error


def _explanation(path: Path, error: sqlite3.DatabaseError) -> str:
    code = primary(error)
    # SQLite says "disk I/O error" of most faults of a disk; the system is asked itself.
    of_disk = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    fault = _fault_of_writing(path.parent) if of_disk else 0
    if code == sqlite3.SQLITE_FULL or fault in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full; free some space and run again ({_SAFE})"
    if fault == errno.EROFS:
        return f"its disk has become read-only; see to the disk and run again, or choose another --store ({_SAFE})"
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another process has kept the store locked for {BUSY_SECONDS:.0f} s; end it and run again ({_SAFE})"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"cannot be written ({error}); choose a --store in a place of your own"
        case sqlite3.SQLITE_NOTADB:
            return "is not a fairtrial store (not even a database); choose another --store"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_TOOBIG | sqlite3.SQLITE_FORMAT:
            return f"is damaged ({error}); restore a copy, or move it away and train again"
        case sqlite3.SQLITE_ERROR if re.match(r"no such|malformed|Could not decode", str(error)):
            said = " ".join(str(error).split())[:200]
            return f"is damaged or not whole ({said}); restore a copy, or move it away and train again"
        case sqlite3.SQLITE_CONSTRAINT:
            return f"is damaged ({error}: its tables do not fit together); restore a copy, or move it away and train again"
        case _:
            return f"the store could not be read or written ({error}); check the disk and run again ({_SAFE})"


def _fault_of_writing(folder: Path) -> int:
    """What the system says to a small file there, as its error number; 0 if it takes it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_SMALL_BYTES))
    except OSError as error:
        return error.errno or 0
    return 0


def primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the extended codes carry detail in the higher bits.

    What Python itself finds wrong with a value, such as text that is no UTF-8, has no code and is told by its words.
    """
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
