"""What may befall a run, one fault at a time, each on a real run of the small study."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from reliability import places
from reliability.kills import Reference
from reliability.small import TRIALS, Command, new_study, run
from reliability.sound import NOTHING, Contents, complain_of_difference, complain_of_loss, contents, held

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


@dataclass(kw_only=True)
class Found:
    """What came of one fault: the way it was brought about here, what the user was told, and what was wrong."""

    fault: str
    way: str = ""
    told: str = ""
    finished: int = 0
    kept: int = 0
    complaints: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Case:
    """One study that something befalls. `folder` holds it; what it must come to is `whole`."""

    folder: Path
    whole: Reference
    found: Found
    before: Contents = NOTHING

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def expect(self, command: Command, sentence: str, *, status: int | None = None) -> None:
        """The user must have been told so, and not by a traceback."""
        line = next((line for line in command.lines if sentence in line), "")
        self.found.told = self.found.told or line
        if not line:
            self.found.complaints.append(f"nobody was told {sentence!r}: {command.lines[-4:]}")
        if "Traceback" in command.errors:
            self.found.complaints.append(f"a traceback was shown: {command.errors[-600:]}")
        if status is not None and command.process.returncode != status:
            self.found.complaints.append(f"exit status {command.process.returncode}, expected {status}")

    def look(self, *commands: Command) -> None:
        """Nothing stored or told may be gone."""
        now = contents(self.store, self.found.complaints)
        told = [one for command in commands for one in command.finished]
        complain_of_loss(
            now,
            before=self.before,
            told=told,
            whole=self.whole.held.contents,
            complaints=self.found.complaints,
        )
        if not self.found.finished:
            known = {*self.before.trials, *told}
            self.found.finished, self.found.kept = len(known), len(known & now.trials.keys())
        self.before = now

    def finish(self, *earlier: Command) -> Command:
        """The next run must complete the study, train nothing twice, and come to what an undisturbed one came to."""
        self.look(*earlier)
        with run(self.folder) as command:
            code = command.wait()
        if code:
            self.found.complaints.append(f"the next run ended with {code}: {command.lines[-3:]}")
        done = [one for each in (*earlier, command) for one in each.finished]
        self.found.complaints += [f"trained twice: {one}" for one in set(done) if done.count(one) > 1]
        complain_of_difference(
            held(self.folder, self.found.complaints), self.whole.held, self.found.complaints
        )
        return command


def full_disk(case: Case) -> None:
    """The disk fills up while trials are trained."""
    with places.small_disk(case.folder, megabytes=8):
        case.found.way = "a disk of 8 MB in memory, filled to the last byte after the first trial"
        new_study(case.folder)
        with run(case.folder) as command:
            command.wait_for_finished(1)
            spare = places.fill(case.folder)
            command.wait()
        case.expect(command, "the disk is full; free some space and run again", status=2)
        spare.unlink()
        case.finish(command)


def failing_disk(case: Case) -> None:
    """The disk fails and is read-only from then on; afterwards the machine starts again."""
    image = case.folder.with_name("disk.img")
    with places.failing_disk(image, case.folder):
        case.found.way = f"an ext4 disk that the kernel gives up {LASTING:.0f} s after a trial, and never writes to again; mounted anew"
        new_study(case.folder)
        os.sync()
        with run(case.folder) as command:
            command.wait_for_finished(4)
            workers = command.workers()
            _signal_all(workers, signal.SIGSTOP)  # so that none is stored within the second before
            time.sleep(LASTING)
            places.fail(case.folder)
            _signal_all(workers, signal.SIGCONT)
            command.wait()
        case.expect(command, "has become read-only", status=2)
    with places.failing_disk(image, case.folder):
        case.finish(command)


LASTING = 2.0
"""Seconds after which an outcome must be on the disk, whatever comes then; a second is promised."""


def read_only_folder(case: Case) -> None:
    """The store's folder can be read and not be written when a run starts."""
    new_study(case.folder)
    with run(case.folder) as first:
        first.wait_for_finished(2)
        first.send(signal.SIGINT)
        first.wait()
    case.look(first)
    with places.read_only(case.folder) as way:
        case.found.way = way
        with run(case.folder) as command:
            command.wait()
        case.expect(command, "cannot be written; choose a --store in a place of your own", status=2)
        answers = Command(case.folder, "answers", "study.yaml", "--store", "store.db")
        if answers.wait():
            case.found.complaints.append(f"its answers could not be read: {answers.lines[-2:]}")
    case.finish(first)


def weights_not_saved(case: Case) -> None:
    """The files beside the store cannot be written, though the store can."""
    new_study(case.folder)
    (case.folder / "store.weights").write_text("a file where a folder should be")
    case.found.way = "a file stands where the folder of the weights would be"
    with run(case.folder) as command:
        code = command.wait()
    case.expect(command, "its weights could not be saved", status=0)
    case.look(command)
    if code or case.before.done != TRIALS:
        case.found.complaints.append(f"{case.before.done} of {TRIALS} outcomes were kept")
    case.finish(command)


def damaged_weights(case: Case) -> None:
    """A file of weights is cut short, another is gone, another has a wrong byte."""
    new_study(case.folder)
    with run(case.folder) as command:
        command.wait()
    case.look(command)
    files = sorted((case.folder / "store.weights").iterdir())
    saved = {path: path.read_bytes() for path in files}
    case.found.way = f"{len(files)} files: one cut in half, one deleted, the others with a wrong byte"
    for number, (path, content) in enumerate(saved.items()):
        if number == 0:
            path.write_bytes(content[: len(content) // 2])
        elif number == 1:
            path.unlink()
        else:
            path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    report = Command(case.folder, "report", "study.yaml", "--store", "store.db", "--html", "page.html")
    code = report.wait()
    page = (case.folder / "page.html").read_text(encoding="utf-8") if not code else ""
    sentence = "The final weights of this arm are not beside the store, or their files are damaged"
    if page.count(sentence) != 2:
        case.found.complaints.append(f"the page does not say so of both arms: {report.lines[-2:]}")
    if 'class="filters"' in page:
        case.found.complaints.append("the page shows a picture of damaged weights")
    case.found.told = f"(on the page) {sentence}, so its first layer cannot be shown."
    for path, content in saved.items():
        path.write_bytes(content)
    case.finish(command)


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
        _signal_all(family, signal.SIGSTOP)
        with run(case.folder, "-j", "1") as second:
            time.sleep(6)
            _signal_all(family, signal.SIGCONT)
            codes = [first.wait(), second.wait()]
    case.found.told = "(nothing: both go on, and share what is left)"
    if any(codes) or "Traceback" in first.errors + second.errors:
        case.found.complaints.append(f"exit statuses {codes}: {first.lines[-2:]} {second.lines[-2:]}")
    case.finish(first, second)


def _signal_all(family: Iterable[psutil.Process], number: signal.Signals) -> None:
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(number)


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
