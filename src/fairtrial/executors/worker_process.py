"""A warm worker process as whoever started it sees it: lines to it, lines from it, and why it ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fairtrial.errors import ExecutorError
from fairtrial.executors import programs
from fairtrial.executors.deaths import short_of_memory, why
from fairtrial.trial import Ready
from fairtrial.wire import encode_event

WORKER = "fairtrial.engine.worker"
"""The module that a worker runs."""

COMMANDS = "fairtrial.commands.worker"
"""The same for programs of the user's own."""

ENDING_SECONDS = 5.0
"""How long a worker may take to end the program that it runs."""

LONGEST_LINE = 2**25
"""Bytes of an event: the outcome of a hundred thousand epochs has fewer."""

KILLED_STARTING = 2
"""Workers in a row that may be killed while they start; the next one means that none will come up."""

_READY = encode_event(Ready())


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Why a worker has ended. `killed`: by a signal, hence by somebody else. `memory`: it says it found no room."""

    reason: str
    killed: bool
    memory: bool

    @property
    def retry(self) -> bool:
        """Whether another may do better: with no more memory than this it would fail the trial as well."""
        return self.killed or not self.memory


class WorkerProcess:
    """A process of its own that trains what it is sent; it dies with the thread that started it."""

    def __init__(
        self,
        *,
        core: int | None = None,
        module: str = WORKER,
        scratch: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`scratch`: where one for commands makes a folder for each. Raises ExecutorError if the system does not let it start."""
        # -P: a file called random.py in the user's folder is not what torch means by `import random`.
        command = [sys.executable, "-P", "-m", module, "--parent", str(os.getpid())]
        if scratch is not None:
            command += ["--scratch", str(scratch)]
        if core is not None:
            command += ["--core", str(core)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._module, self._scratch = module, scratch
        self._unread = bytearray()
        self.ready = False
        """Whether it has come up: if it dies before, no trial is to blame."""
        with contextlib.ExitStack() as opened:
            try:
                self._errors = opened.enter_context(tempfile.TemporaryFile())
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    env={**os.environ, **same_package(), **threads, **(environment or {})},
                    process_group=0 if sys.platform != "win32" else None,
                )
            except OSError as error:
                what = f" ({error.filename})" if error.filename else ""
                raise ExecutorError(
                    f"no worker can start: {error.strerror}{what}; end other programs or free some space, and run "
                    "again: nothing finished is lost"
                ) from error
            opened.pop_all()  # the file lives as long as the worker does

    @property
    def output(self) -> IO[bytes]:
        """Where its lines come from, for `Pipes` to read."""
        assert self.process.stdout is not None
        return self.process.stdout

    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died in this very moment: `receive` finds the closed pipe

    def take(self, received: bytes) -> list[str] | None:
        """The events in what came from it, as lines; None if nothing did, which means that it has died.

        Raises ExecutorError for a line longer than any event.
        """
        if not received:
            return None
        self._unread += received
        if len(self._unread) > LONGEST_LINE:
            raise ExecutorError(
                f"a worker sent more than {LONGEST_LINE} bytes in one line, which no event needs"
            )
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        events = [line.decode(errors="replace") for line in lines]
        if _READY in events:
            self.ready = True
            events.remove(_READY)
        return events

    def death(self) -> Death:
        """Why a worker that has died did so, as far as its exit and what it printed tell."""
        code = self.process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip().splitlines()
        return Death(reason=why(code, said), killed=code < 0, memory=bool(short_of_memory(said)))

    def try_by_hand(self) -> str:
        """What to do to see the whole message of one that does not come up."""
        return (
            f"Try `python -P -m {self._module} --parent {os.getpid()}` with {sys.executable} "
            "to see the whole message."
        )

    def discard(self, *, gently: bool = False) -> None:
        """End it at once, whatever it is at; `gently`: it may end what it runs first."""
        assert self.process.stdout is not None and self.process.stdin is not None
        if gently and self.alive():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=ENDING_SECONDS)
        if self.alive():
            self.process.kill()
        self.process.wait()
        if self._scratch is not None:
            programs.end_left(self._scratch, self.process.pid)
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._errors.close()


def same_package() -> dict[str, str]:
    """Where this very package was imported from, for a worker that would not find it or would find another.

    The folder of all installed packages stays where it is: looked through first, it could hide parts of Python.
    """
    root = Path(__file__).resolve().parents[2]
    if root.name in ("site-packages", "dist-packages"):
        return {}
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), *([others] if others else [])])}
