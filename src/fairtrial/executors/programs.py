"""Programs that workers of commands run: noted beside their folders, so that none outlives a worker that was killed.

A worker ends what it runs when it is told to, or when whoever started it is gone. SIGKILL leaves it no time for that, as
when memory runs out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

_ENDING = ".program"

OUTPUT = "FAIRTRIAL_OUTPUT"
"""The variable by which a program knows its folder, and is known: process numbers are given anew."""


@contextlib.contextmanager
def noted(scratch: Path, group: int) -> Generator[None]:
    """While this lasts, a note says that this process runs the program `group`, a process group by its leader."""
    note = scratch / f"{os.getpid()}{_ENDING}"
    with contextlib.suppress(OSError):  # a full disk: it runs all the same
        note.write_text(str(group), encoding="ascii")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink()


def end_left(scratch: Path, worker: int | None = None) -> None:
    """End what a worker that is no more has left running, with all that it has started; of all workers unless one is named."""
    for note in scratch.glob(f"{'*' if worker is None else worker}{_ENDING}"):
        with contextlib.suppress(OSError, ValueError):
            group = int(note.read_text(encoding="ascii"))
            note.unlink()
            if group > 1 and _is_of(scratch, group, certain=worker is None):
                _end(group)


def _is_of(scratch: Path, group: int, *, certain: bool) -> bool:
    """Whether the process runs in a folder of `scratch`; where the system does not tell, only if it need not be `certain`."""
    if not sys.platform.startswith("linux"):
        return not certain
    folder = f"{OUTPUT}={scratch}{os.sep}".encode()
    return any(one.startswith(folder) for one in Path(f"/proc/{group}/environ").read_bytes().split(b"\0"))


def _end(group: int) -> None:
    if sys.platform == "win32":
        os.kill(group, signal.SIGTERM)
    else:
        os.killpg(group, signal.SIGKILL)
