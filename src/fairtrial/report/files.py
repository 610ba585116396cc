"""Reports as files: written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fairtrial.errors import FairtrialError


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` in UTF-8; half a character, which YAML allows, becomes a question mark.

    Raises FairtrialError where the folder is missing or the file cannot be written.
    """
    return write_bytes(path, text.encode("utf-8", errors="replace"))


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write `content`, replacing a file of that name only once all of it is on the disk."""
    target = Path(path)
    if target.is_dir():
        raise FairtrialError(f"{target} is a folder; name a file in it")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
    except OSError as error:
        raise FairtrialError(
            f"{target} cannot be written: {error.strerror or error}; its folder must exist"
        ) from None
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FairtrialError(f"{target} cannot be written: {error.strerror or error}") from None
    return target


def folder(path: str | Path) -> Path:
    """The folder `path`, made if it is not there. Raises FairtrialError if it cannot be."""
    target = Path(path)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FairtrialError(f"{target} cannot be made a folder: {error.strerror or error}") from None
    return target


def _umask() -> int:
    """The permissions files must not have here; there is no way to ask for it but to set it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
