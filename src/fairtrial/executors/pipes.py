"""What several processes say, read as it comes: by a thread for each pipe, since Windows cannot wait for several pipes."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Generic, TypeVar

Of = TypeVar("Of")

CHUNK = 2**20
AHEAD = 64
"""Chunks read before anybody asks for them: a process that floods its pipe has to wait, as it would with a full one."""


@dataclass(slots=True, eq=False)
class _Pipe(Generic[Of]):
    of: Of
    descriptor: int
    """A copy of the pipe's own, closed by the thread that reads it, so that its number is nobody else's meanwhile."""
    left: threading.Event = field(default_factory=threading.Event)


class Pipes(Generic[Of]):
    """Pipes, each with what it belongs to."""

    def __init__(self) -> None:
        self._pipes: dict[int, _Pipe[Of]] = {}
        self._read: queue.Queue[tuple[_Pipe[Of], bytes]] = queue.Queue(AHEAD)

    def add(self, pipe: IO[bytes], of: Of) -> None:
        one = _Pipe(of=of, descriptor=os.dup(pipe.fileno()))
        self._pipes[pipe.fileno()] = one
        threading.Thread(target=self._follow, args=(one,), daemon=True).start()

    def remove(self, pipe: IO[bytes]) -> None:
        """Nothing is heard of it any more; to be called before it is closed."""
        self._pipes.pop(pipe.fileno()).left.set()

    def wait(self, seconds: float) -> list[tuple[Of, bytes]]:
        """What has come, waiting so long for the first of it; an empty piece says that a pipe has ended."""
        until = time.monotonic() + seconds
        found: list[tuple[Of, bytes]] = []
        while not found:
            try:
                pieces = [self._read.get(timeout=max(0.0, until - time.monotonic()))]
            except queue.Empty:
                return []
            with contextlib.suppress(queue.Empty):
                while len(pieces) < AHEAD:
                    pieces.append(self._read.get_nowait())
            found = [(one.of, piece) for one, piece in pieces if not one.left.is_set()]
        return found

    def close(self) -> None:
        for one in self._pipes.values():
            one.left.set()
        self._pipes.clear()

    def _follow(self, one: _Pipe[Of]) -> None:
        piece = b"-"
        while piece and not one.left.is_set():
            try:
                piece = os.read(one.descriptor, CHUNK)
            except OSError:
                piece = b""
            while not one.left.is_set():
                with contextlib.suppress(queue.Full):
                    self._read.put((one, piece), timeout=0.5)
                    break
        os.close(one.descriptor)
