"""A folder for what passes through this process: gone with it, or, if it was killed, when the next one looks."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from fairtrial.executors import programs

_PREFIX = "fairtrial-scratch-"

_YOUNG_SECONDS = 60.0
"""A folder that was made just now may not be held yet by whoever made it."""


@cache
def scratch() -> Path:
    """This process's own. What processes that are no more have left is cleared away first."""
    _clear()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _hold(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _clear() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > _YOUNG_SECONDS and (held := _hold(folder)) is not None:
                programs.end_left(folder)
                for inner in folder.iterdir():
                    programs.end_left(inner)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)


def _hold(folder: Path) -> int | None:
    """Keep others from clearing the folder for as long as this process lives; None where another holds it, or none can."""
    if sys.platform == "win32":
        return None
    import fcntl

    # Never through a link that somebody else has put there.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
