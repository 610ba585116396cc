"""Trials on this machine: one warm, pinned, single-threaded worker process per core.

Our own workers and no process pool: a pool runs the user's script again in each worker, passes
pickles, and cannot say which trial a dead process took with it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from fairtrial.errors import ExecutorError
from fairtrial.executors.deaths import short_of_memory, why
from fairtrial.executors.pipes import Pipes
from fairtrial.pair import PairTimes
from fairtrial.trial import Event, Idle, Lost, Outcome, Ready, Started
from fairtrial.wire import Order, TimingOrder, decode_event, encode_order

IDLE_SECONDS = 0.5
LONGEST_LINE = 2**25
"""Bytes of an event: the outcome of a hundred thousand epochs has fewer."""

ENDING_SECONDS = 5.0
"""How long a worker may take to end the program that it runs."""

KILLED_STARTING = 2
"""Workers in a row that may be killed while they start; the next one means that none will come up."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    command: bool = False
    """Whether it runs programs of the user's own, and knows nothing of torch."""
    key: str | None = None
    ready: bool = False
    unread: bytearray = field(default_factory=bytearray)


class LocalExecutor:
    """Runs up to `workers` trials at once, each on a core of its own with one thread."""

    def __init__(self, *, workers: int | None = None) -> None:
        if os.environ.get("FAIRTRIAL_WORKER"):
            raise ExecutorError(
                "this script was imported by a worker that looks for its network, and would run its study again: put "
                'what runs it under `if __name__ == "__main__":`'
            )
        self._cores = available_cores()
        self.workers = len(self._cores) if workers is None else workers
        if self.workers < 1:
            raise ExecutorError(f"-j must be at least 1, got {workers}")
        self._pool: list[_Worker] = []
        self._ready: deque[Event] = deque()
        self._killed_starting = 0
        self._pipes: Pipes[_Worker] = Pipes()
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def free(self) -> int:
        """How many trials could be started now."""
        return self.workers - sum(worker.key is not None for worker in self._pool)

    def start(self, order: Order | TimingOrder) -> None:
        """Begin a trial, or a pair to time, on a worker that is free. Raises ExecutorError if none is.

        That nothing else runs while a pair is timed is for the caller to see to.
        """
        for worker in [one for one in self._pool if one.key is None and one.process.poll() is not None]:
            self._discard(worker)  # it died with nothing to do: nobody has lost anything
        command = order.is_command
        if self.free and len(self._pool) == self.workers:
            others = [one for one in self._pool if one.key is None]
            if all(one.command != command for one in others):
                self._discard(others[0])  # one of the other kind makes room
        idle = [worker for worker in self._pool if worker.key is None and worker.command == command]
        if not idle and len(self._pool) < self.workers:
            idle = [self._spawn(command=command)]
        if not idle:
            raise ExecutorError(
                f"all {self.workers} workers are busy; wait for an event before starting more"
            )
        worker = idle[0]
        worker.key = order.key
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(encode_order(order).encode() + b"\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died in this very moment: events() finds the closed pipe and says why
        self._ready.append(Started(key=order.key, worker=worker.number))

    def stop(self, key: str) -> None:
        """Give up on a running trial; its worker is replaced. A trial that is not running is left alone."""
        for worker in self._pool:
            if worker.key == key:
                worker.key = None
                self._discard(worker)
                self._ready.append(
                    Lost(key=key, state="stopped", reason="stopped before its end", retry=True)
                )
                return

    def events(self) -> Iterator[Event]:
        """What happens, as it happens, until nothing is running any more.

        Yields Idle when nothing has happened for half a second.
        """
        while True:
            while self._ready:
                yield self._ready.popleft()
            if all(worker.key is None for worker in self._pool):
                return
            happened = self._pipes.wait(IDLE_SECONDS)
            for worker, received in happened:
                self._read(worker, received)
            if not happened:
                yield Idle()

    def close(self) -> None:
        """End all workers at once; what they were training can be resumed from its checkpoint."""
        for worker in list(self._pool):
            self._discard(worker)
        self._pipes.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _spawn(self, *, command: bool = False) -> _Worker:
        taken = {worker.number for worker in self._pool}
        number = next(slot for slot in range(self.workers) if slot not in taken)
        # -P: a file called random.py in the user's folder is not what torch means by `import random`.
        module = "fairtrial.commands.worker" if command else "fairtrial.engine.worker"
        words = [sys.executable, "-P", "-m", module, "--parent", str(os.getpid())]
        if command:
            words += ["--scratch", self._scratch_folder()]
        # Pinned only while every worker has a core to itself; otherwise the kernel shares better.
        if self.workers <= len(self._cores):
            words += ["--core", str(self._cores[number])]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        with contextlib.ExitStack() as opened:
            try:
                errors = opened.enter_context(tempfile.TemporaryFile())
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, **same_package(), **threads},
                    process_group=0 if sys.platform != "win32" else None,
                )
            except OSError as error:
                what = f" ({error.filename})" if error.filename else ""
                raise ExecutorError(
                    f"no worker can start: {error.strerror}{what}; end other programs or free some space, and run "
                    "again: nothing finished is lost"
                ) from error
            opened.pop_all()  # the file lives as long as the worker does
        worker = _Worker(number=number, process=process, errors=errors, command=command)
        assert process.stdout is not None
        self._pipes.add(process.stdout, worker)
        self._pool.append(worker)
        return worker

    def _scratch_folder(self) -> str:
        """Where commands get their folders; it goes with this executor."""
        if self._scratch is None:
            try:
                self._scratch = tempfile.TemporaryDirectory(prefix="fairtrial-", ignore_cleanup_errors=True)
            except OSError as error:
                raise ExecutorError(f"no folder for commands can be made: {error}") from error
        return self._scratch.name

    def _read(self, worker: _Worker, received: bytes) -> None:
        if worker not in self._pool:
            return  # it was given up meanwhile
        if not received:
            self._buried(worker)
            return
        worker.unread += received
        if len(worker.unread) > LONGEST_LINE:
            raise ExecutorError(
                f"a worker sent more than {LONGEST_LINE} bytes in one line, which no event needs"
            )
        *lines, rest = worker.unread.split(b"\n")
        worker.unread = bytearray(rest)
        for line in lines:
            event = decode_event(line.decode(errors="replace"))
            if isinstance(event, Ready):
                worker.ready = True
                self._killed_starting = 0
                continue
            if not isinstance(event, PairTimes | Idle) and event.key != worker.key:
                raise ExecutorError(f"a worker told of trial {event.key[:12]!r}, which it was not given")
            if isinstance(event, Outcome | Lost | PairTimes):
                worker.key = None
            self._ready.append(event)

    def _buried(self, worker: _Worker) -> None:
        """A worker has died: say what it took with it, and make room for another.

        Raises ExecutorError if it could not come up: then no trial is to blame, and no other worker will do better.
        """
        key = worker.key
        code = worker.process.wait()
        worker.errors.seek(0)
        said = worker.errors.read()[-2000:].decode(errors="replace").strip().splitlines()
        self._discard(worker)
        if not worker.ready and code < 0 and self._killed_starting < KILLED_STARTING:
            self._killed_starting += 1  # somebody else's doing, most likely: another worker tries
        elif not worker.ready:
            raise ExecutorError(
                f"no worker can start: {why(code, said)}. Try `python -P -m fairtrial.engine.worker --parent "
                f"{os.getpid()}` with {sys.executable} to see the whole message."
            )
        if key is not None:
            # With no more memory than this the next worker would fail the trial as well.
            self._ready.append(
                Lost(
                    key=key,
                    state="failed",
                    reason=why(code, said),
                    retry=code < 0 or not short_of_memory(said),
                )
            )

    def _discard(self, worker: _Worker) -> None:
        process = worker.process
        assert process.stdout is not None and process.stdin is not None
        self._pipes.remove(process.stdout)
        self._pool.remove(worker)
        if process.poll() is None and worker.command:
            # It ends what it runs, with all that this has started, and then itself.
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=ENDING_SECONDS)
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        worker.errors.close()


def same_package() -> dict[str, str]:
    """Where this very package was imported from, for a worker that would not find it or would find another.

    The folder of all installed packages stays where it is: looked through first, it could hide parts of Python.
    """
    root = Path(__file__).resolve().parents[2]
    if root.name in ("site-packages", "dist-packages"):
        return {}
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), *([others] if others else [])])}


def available_cores() -> list[int]:
    """One processor number for each core this process may run on.

    Two hardware threads of a core share its arithmetic units: a second trial there slows the first.
    """
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))
    allowed = sorted(os.sched_getaffinity(0))
    return [cpu for cpu in allowed if not any(other < cpu for other in siblings(cpu) & set(allowed))]


def siblings(cpu: int) -> set[int]:
    """The hardware threads of the core that `cpu` is one of; itself alone where the system does not tell."""
    try:
        text = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
        ranges = [part.partition("-") for part in text.strip().split(",")]
        return {n for low, _, high in ranges for n in range(int(low), int(high or low) + 1)}
    except (OSError, ValueError):
        return {cpu}
