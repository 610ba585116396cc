"""What kills a run, and what its user is told."""

from __future__ import annotations

import random
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from reliability.small import Command


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to die. `ends_run`: the command itself goes, not one of its workers alone.

    `deal` strikes and says whether there was anything to strike. One of `told` is in what the user reads: of a worker, where
    it had a trial; of a command that may still speak, before its end; of one that may not, from the next run.
    """

    name: str
    ends_run: bool
    deal: Callable[[Command, random.Random], bool]
    told: tuple[str, ...]
    takes_memory: bool = False
    status: int | None = None


def _a_worker(act: Callable[[psutil.Process], None]) -> Callable[[Command, random.Random], bool]:
    def deal(command: Command, rng: random.Random) -> bool:
        workers = command.workers()
        if not workers:
            return False
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            act(rng.choice(sorted(workers, key=lambda one: one.pid)))
            return True
        return False

    return deal


def _sending(number: signal.Signals) -> Callable[[psutil.Process], None]:
    return lambda process: process.send_signal(number)


def _take_memory(process: psutil.Process) -> None:
    """From here on it gets no more address space: its next large allocation fails, wherever that is."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_AS)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (process.memory_info().vms, hard))


def _the_command(number: signal.Signals) -> Callable[[Command, random.Random], bool]:
    def deal(command: Command, rng: random.Random) -> bool:
        if command.process.poll() is not None:
            return False
        command.send(number)
        return True

    return deal


def _all(command: Command, rng: random.Random) -> bool:
    if command.process.poll() is not None:
        return False
    command.kill_family()
    return True


NEXT_RUN = "was ended from outside in the midst of"

KINDS = (
    Kind(
        name="a worker, SIGKILL",
        ends_run=False,
        deal=_a_worker(_sending(signal.SIGKILL)),
        told=("the worker was killed by SIGKILL",),
    ),
    Kind(
        name="a worker, SIGTERM",
        ends_run=False,
        deal=_a_worker(_sending(signal.SIGTERM)),
        told=("the worker was killed by SIGTERM",),
    ),
    Kind(
        name="a worker, no more memory (RLIMIT_AS)",
        ends_run=False,
        deal=_a_worker(_take_memory),
        told=("memory", "the worker ended with exit code", "no worker can start"),
        takes_memory=True,
    ),
    Kind(name="the command, SIGKILL", ends_run=True, deal=_the_command(signal.SIGKILL), told=(NEXT_RUN,)),
    Kind(
        name="the command, SIGTERM",
        ends_run=True,
        deal=_the_command(signal.SIGTERM),
        told=("ended by SIGTERM; nothing finished is lost. Go on with:",),
        status=143,
    ),
    Kind(
        name="the command, SIGINT (Ctrl-C)",
        ends_run=True,
        deal=_the_command(signal.SIGINT),
        told=("interrupted; nothing finished is lost. Go on with:",),
        status=130,
    ),
    Kind(name="command and workers, SIGKILL (power cut)", ends_run=True, deal=_all, told=(NEXT_RUN,)),
)
