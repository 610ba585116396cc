"""A warm worker process as whoever started it sees it: lines to it, lines from it, and why it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fairtrial.trial import Ready
from fairtrial.wire import encode_event

WORKER = "fairtrial.engine.worker"
"""The module that a worker runs."""

_READY = encode_event(Ready())


class WorkerProcess:
    """A process of its own that trains what it is sent; it dies with the thread that started it."""

    def __init__(
        self, *, core: int | None = None, module: str = WORKER, environment: Mapping[str, str] | None = None
    ) -> None:
        # -P: a file called random.py in the user's folder is not what torch means by `import random`.
        command = [sys.executable, "-P", "-m", module, "--parent", str(os.getpid())]
        if core is not None:
            command += ["--core", str(core)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._module = module
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the worker does
        self._unread = bytearray()
        self.ready = False
        """Whether it has come up: if it dies before, no trial is to blame."""
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **_same_package(), **threads, **(environment or {})},
            process_group=0 if sys.platform != "win32" else None,
        )
        os.set_blocking(self.fileno(), False)

    def fileno(self) -> int:
        """Where its lines come from, to wait for."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died in this very moment: `receive` finds the closed pipe

    def receive(self) -> list[str] | None:
        """The events that are there, as lines; None if it has died. Only when there is something to read."""
        received = os.read(self.fileno(), 2**20)
        if not received:
            return None
        self._unread += received
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        events = [line.decode() for line in lines]
        if _READY in events:
            self.ready = True
            events.remove(_READY)
        return events

    def last_words(self) -> str:
        """Why a worker that has died did so, as far as its exit and what it printed tell."""
        code = self.process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip().splitlines()
        return _why(code, said)

    def try_by_hand(self) -> str:
        """What to do to see the whole message of one that does not come up."""
        return (
            f"Try `python -P -m {self._module} --parent {os.getpid()}` with {sys.executable} "
            "to see the whole message."
        )

    def discard(self) -> None:
        """End it at once, whatever it is at."""
        assert self.process.stdout is not None and self.process.stdin is not None
        if self.alive():
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._errors.close()


def _same_package() -> dict[str, str]:
    """Where this very package was imported from, for a worker that would not find it or would find another.

    The folder of all installed packages stays where it is: looked through first, it could hide parts of Python.
    """
    root = Path(__file__).resolve().parents[2]
    if root.name in ("site-packages", "dist-packages"):
        return {}
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), *([others] if others else [])])}


def _why(code: int, said: list[str]) -> str:
    last = f"; its last words: {said[-1]}" if said else ""
    if code >= 0:
        return f"the worker ended with exit code {code}{last}"
    name = signal.Signals(-code).name
    hint = " (perhaps the machine ran out of memory)" if name == "SIGKILL" else ""
    return f"the worker was killed by {name}{hint}{last}"
