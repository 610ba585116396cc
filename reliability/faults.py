"""What may befall a run, one fault at a time, each on a real run of the small study."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from reliability import places
from reliability.case import Case, Found, signal_all
from reliability.disk_faults import (
    damaged_weights,
    failing_disk,
    full_disk,
    read_only_folder,
    weights_not_saved,
)
from reliability.kills import Reference
from reliability.small import Command, new_study, run

PATIENCE = 3.0
"""Seconds that a run waits here for a locked store; a minute unless told, which a test need not wait for."""

IMPATIENT = (
    "-c",
    "import fairtrial.store.explaining as explaining\n"
    f"explaining.BUSY_SECONDS = {PATIENCE}\n"
    "from fairtrial.__main__ import main\n"
    "main()",
)
CLOCK_LIBRARIES = ("libfaketimeMT.so.1", "libfaketime.so.1")


def clock_put_back(case: Case) -> None:
    """The clock is put back by a day in mid-run, and by a year after a run that was killed."""
    library = next((found for name in CLOCK_LIBRARIES if (found := _library(name))), None)
    if library is None:
        raise places.NotHere("needs libfaketime (apt-get install libfaketime)")
    case.found.way = "libfaketime: a year ahead, killed; then the right time; then a day back in mid-run"
    new_study(case.folder)
    clock = case.folder / "clock"
    clock.write_text("+365d\n")
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with run(case.folder, environment=environment) as first:
        first.wait_for_finished(2)
        first.kill_family()
        first.wait()
    case.look(first)
    with closing(sqlite3.connect(case.store)) as connection:
        (newest,) = connection.execute("SELECT max(recorded_at) FROM trials").fetchone()
    if int(newest[:4]) <= time.gmtime().tm_year:
        case.found.complaints.append(f"the clock was not put forward: {newest}")
    clock.write_text("+0\n")
    with run(case.folder, environment=environment) as second:
        second.wait_for_finished(2)
        clock.write_text("-1d\n")
        code = second.wait()
    case.expect(second, "was ended from outside in the midst of", status=0)
    case.found.told = "(nothing: the run goes on; of the kill: " + case.found.told + ")"
    if code or case.found.complaints:
        case.found.complaints.append(f"{second.lines[-3:]}")
    case.finish(first, second)


def _library(name: str) -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob(f"**/faketime/{name}"))), None)


def locked_store(case: Case) -> None:
    """Another program keeps the store locked: for a moment, and for longer than a run waits."""
    case.found.way = (
        f"BEGIN EXCLUSIVE in another process, for 1 s and for good; a run waits {PATIENCE:.0f} s here"
    )
    new_study(case.folder)
    with run(case.folder, program=IMPATIENT) as first:
        first.wait_for_finished(1)
        with _lock(case.store):
            time.sleep(1)
        first.wait_for_finished(3)
        with _lock(case.store):
            began = time.monotonic()
            first.wait()
            took = time.monotonic() - began
            case.expect(first, "another process has kept the store locked", status=2)
            if took > 2 * PATIENCE + 6:
                case.found.complaints.append(f"it took {took:.0f} s to say so")
            status = Command(case.folder, "status", "study.yaml", "--store", "store.db")
            if status.wait():
                case.found.complaints.append(f"status cannot be read meanwhile: {status.lines[-2:]}")
    case.finish(first)


_LOCKER = (
    "import sqlite3, sys\n"
    "connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n"
    "connection.execute('BEGIN EXCLUSIVE')\n"
    "print('locked', flush=True)\n"
    "sys.stdin.read()\n"
)


@contextmanager
def _lock(store: Path) -> Generator[None]:
    """Another process in an exclusive transaction."""
    with subprocess.Popen(
        [sys.executable, "-c", _LOCKER, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"locked\n":
            raise RuntimeError("the store could not be locked")
        try:
            yield
        finally:
            process.communicate()


def sleeping_machine(case: Case) -> None:
    """Everything stands still for a while, and a second run comes along before the first wakes up."""
    case.found.way = "SIGSTOP to the command and its workers for 6 s, SIGCONT; a second run begins meanwhile"
    new_study(case.folder)
    with run(case.folder) as first:
        first.wait_for_finished(2)
        family = first.family()
        signal_all(family, signal.SIGSTOP)
        with run(case.folder, "-j", "1") as second:
            time.sleep(6)
            signal_all(family, signal.SIGCONT)
            codes = [first.wait(), second.wait()]
    case.found.told = "(nothing: both go on, and share what is left)"
    if any(codes) or "Traceback" in first.errors + second.errors:
        case.found.complaints.append(f"exit statuses {codes}: {first.lines[-2:]} {second.lines[-2:]}")
    case.finish(first, second)


def little_memory(case: Case) -> None:
    """The command is given too little memory for its workers."""
    case.found.way = f"an address space of {LITTLE_MEGABYTES} MB (RLIMIT_AS, `ulimit -v`)"
    new_study(case.folder)
    limit = ("prlimit", f"--as={LITTLE_MEGABYTES * 2**20}")
    with run(case.folder, "-j", "1", before=limit, environment={"OPENBLAS_NUM_THREADS": "1"}) as command:
        command.wait()
    case.expect(
        command, f"too little memory for a worker: a process may use {LITTLE_MEGABYTES / 1024:.1f} GiB"
    )
    case.finish(command)


LITTLE_MEGABYTES = 900


def moved_store(case: Case) -> None:
    """The store is renamed while a run uses it."""
    case.found.way = "store.db and what belongs to it renamed after the second trial, and put back afterwards"
    new_study(case.folder)
    with run(case.folder) as command:
        command.wait_for_finished(2)
        away = [path for path in case.folder.iterdir() if path.name.startswith("store.db")]
        for path in away:
            path.rename(path.with_name(f"away-{path.name}"))
        command.wait()
    case.expect(command, "the store was moved, deleted or replaced while it was in use", status=2)
    for path in case.folder.glob("away-store.db*"):
        path.rename(path.with_name(path.name.removeprefix("away-")))
    case.finish(command)


FAULTS: dict[str, Callable[[Case], None]] = {
    act.__name__: act
    for act in (
        full_disk,
        failing_disk,
        read_only_folder,
        weights_not_saved,
        damaged_weights,
        little_memory,
        locked_store,
        moved_store,
        clock_put_back,
        sleeping_machine,
    )
}


def befall(name: str, folder: Path, whole: Reference) -> Found:
    """Let this befall a study in the folder. Raises NotHere where the machine does not permit it."""
    act = FAULTS[name]
    found = Found(fault=(act.__doc__ or "").splitlines()[0])
    act(Case(folder=folder, whole=whole, found=found))
    return found
