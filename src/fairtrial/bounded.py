"""Reading a file that somebody named, whatever it is: no more than was allowed, and not for ever."""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path

SILENCE_SECONDS = 10.0
"""How long to wait for somebody to write into a pipe."""


def read_bounded(path: str | Path, *, largest: int) -> bytes:
    """The content of a file, or of a pipe that somebody writes into.

    Raises OSError whose `strerror` says in words why there is none: too large, a folder, a device, a pipe in which
    nothing happens, a name that no file can have.
    """
    try:
        # Not waiting for the other end: a pipe nobody writes into would never open.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (ValueError, TypeError):
        raise OSError(errno.EINVAL, "no file can have this name") from None
    try:
        about = os.fstat(descriptor)
        pipe = stat.S_ISFIFO(about.st_mode)
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not (pipe or stat.S_ISREG(about.st_mode)):
            raise OSError(errno.EINVAL, "it is a device, not a file")
        # The size is asked before anything is read, for what is larger than memory.
        content = b"" if about.st_size > largest else _read(descriptor, largest, pipe=pipe)
    finally:
        os.close(descriptor)
    if max(about.st_size, len(content)) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest} bytes")
    return content


def _read(descriptor: int, largest: int, *, pipe: bool) -> bytes:
    """What there is, or one byte more than `largest`."""
    content = bytearray()
    while len(content) <= largest:
        if pipe and not select.select([descriptor], [], [], SILENCE_SECONDS)[0]:
            raise OSError(
                errno.ETIMEDOUT, f"it is a pipe into which nobody has written for {SILENCE_SECONDS:g} s"
            )
        some = os.read(descriptor, min(2**20, largest + 1 - len(content)))
        if not some:
            break
        content += some
    return bytes(content)
