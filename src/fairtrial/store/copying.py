"""A copy of a store as it is now, whether or not it can be written."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

from fairtrial.errors import StoreError


def copied(path: Path, copy: Path) -> None:
    """Copy the store as it is now, whoever writes to it meanwhile."""
    # SQLite's own copy is whole even while others write. Where it may not make the files it works with, nobody
    # writes either, and the log of what is not in the store yet can be copied with it.
    with contextlib.suppress(sqlite3.OperationalError), contextlib.ExitStack() as stack:
        source = stack.enter_context(
            contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True))
        )
        target = stack.enter_context(contextlib.closing(sqlite3.connect(copy)))
        source.backup(target)
        return
    try:
        shutil.copyfile(path, copy)
        log = path.with_name(f"{path.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
