"""Trials on this machine: one warm, pinned, single-threaded worker process per core.

Our own workers and no process pool: a pool runs the user's script again in each worker, passes
pickles, and cannot say which trial a dead process took with it.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import Self

from fairtrial.errors import ExecutorError
from fairtrial.executors.pipes import Pipes
from fairtrial.executors.scratch import scratch
from fairtrial.executors.worker_process import COMMANDS, KILLED_STARTING, WORKER, WorkerProcess
from fairtrial.pair import PairTimes
from fairtrial.trial import Event, Idle, Lost, Outcome, Ready, Started
from fairtrial.wire import Order, TimingOrder, decode_event, encode_order

IDLE_SECONDS = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    number: int
    worker: WorkerProcess
    command: bool = False
    """Whether it runs programs of the user's own, and knows nothing of torch."""
    key: str | None = None

    @property
    def process(self) -> Popen[bytes]:
        return self.worker.process


class LocalExecutor:
    """Runs up to `workers` trials at once, each on a core of its own with one thread."""

    def __init__(self, *, workers: int | None = None, module: str = WORKER) -> None:
        if os.environ.get("FAIRTRIAL_WORKER"):
            raise ExecutorError(
                "this script was imported by a worker that looks for its network, and would run its study again: put "
                'what runs it under `if __name__ == "__main__":`'
            )
        self._cores = available_cores()
        self.workers = len(self._cores) if workers is None else workers
        if self.workers < 1:
            raise ExecutorError(f"-j must be at least 1, got {workers}")
        self._module = module
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
        for worker in [one for one in self._pool if one.key is None and not one.worker.alive()]:
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
        worker.worker.send(encode_order(order))
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
        # Pinned only while every worker has a core to itself; otherwise the kernel shares better.
        core = self._cores[number] if self.workers <= len(self._cores) else None
        module = COMMANDS if command else self._module
        started = WorkerProcess(core=core, module=module, scratch=self._scratch_folder() if command else None)
        worker = _Worker(number=number, worker=started, command=command)
        self._pipes.add(started.output, worker)
        self._pool.append(worker)
        return worker

    def _scratch_folder(self) -> Path:
        """Where commands get their folders; it goes with this executor."""
        if self._scratch is None:
            try:
                self._scratch = tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True)
            except OSError as error:
                raise ExecutorError(f"no folder for commands can be made: {error}") from error
        return Path(self._scratch.name)

    def _read(self, worker: _Worker, received: bytes) -> None:
        if worker not in self._pool:
            return  # it was given up meanwhile
        lines = worker.worker.take(received)
        if lines is None:
            self._buried(worker)
            return
        if worker.worker.ready:
            self._killed_starting = 0
        for line in lines:
            event = decode_event(line)
            if isinstance(event, Ready):
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
        death = worker.worker.death()
        self._discard(worker)
        if not worker.worker.ready and death.killed and self._killed_starting < KILLED_STARTING:
            self._killed_starting += 1  # somebody else's doing, most likely: another worker tries
        elif not worker.worker.ready:
            raise ExecutorError(f"no worker can start: {death.reason}. {worker.worker.try_by_hand()}")
        if worker.key is not None:
            self._ready.append(Lost(key=worker.key, state="failed", reason=death.reason, retry=death.retry))

    def _discard(self, worker: _Worker) -> None:
        self._pipes.remove(worker.worker.output)
        self._pool.remove(worker)
        # A command's ends what it runs, with all that this has started, and then itself.
        worker.worker.discard(gently=worker.command)


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
