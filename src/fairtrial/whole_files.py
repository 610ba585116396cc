"""Files that are there whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path, *, lasting: bool, faults: tuple[type[Exception], ...] = ()) -> Generator[Path]:
    """Where to write what is to stand at `path` afterwards. Raises OSError, saying why, if it cannot be written.

    `lasting`: it is on the disk, whole, when the block ends, for what is written afterwards to rely on.
    `faults`: what else the block may raise where it cannot be written.
    What earlier writers that were killed left behind goes: of one file there is never more than one writer.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{path.name}.*.part"):
            left.unlink(missing_ok=True)
        yield part
        if lasting:
            _to_disk(part)
        part.replace(path)
        if lasting:
            _to_disk(path.parent)
    except (OSError, *faults) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OSError(_reason(error, path.parent)) from error


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; Windows keeps folders to itself."""
    if path.is_dir() and os.name != "posix":
        return
    opened = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _reason(error: Exception, folder: Path) -> str:
    """In the system's words: libraries wrap them in their own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next((known for known in _KNOWN if known in str(error)), f"{folder} cannot be written: {error}")


_KNOWN = (
    "No space left on device",
    "Read-only file system",
    "Permission denied",
    "Operation not permitted",
    "Disk quota exceeded",
    "File too large",
)
