"""The small real study that is disturbed here, and the command that runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

import fairtrial

STUDY = """\
schema: fairtrial/1
name: small
data: {train: 6000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 4}
arms:
  narrow: {}
  wide: {network.mlp.width: 200}
questions:
  - {id: clear, variant: wide, baseline: narrow, on: [validation, test]}
seeds: {min: 3, max: 4}
"""
SEEDS = ("--seeds", "4")
"""All seeds of both arms, so that every run is due the same eight trials."""

TRIALS = 8

_FINISHED = re.compile(r"^\[\d+(?:/\d+)?\] (\S+) seed (\d+): (?:validation|diverged)")


def new_study(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder


class Command:
    """`fairtrial WORDS` in a folder, with what it has said so far."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        program: Sequence[str] = ("-m", "fairtrial"),
        environment: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        source = str(Path(fairtrial.__file__).parents[1])
        self.process = subprocess.Popen(
            [*before, sys.executable, *program, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": source, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.began = time.monotonic()
        self.lines: list[str] = []
        self.output = ""
        self._said = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read_errors, daemon=True),
            threading.Thread(target=self._read_output, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as errors:
            for line in errors:
                with self._said:
                    self.lines.append(line.rstrip("\n"))
                    self._said.notify_all()
        with self._said:
            self._said.notify_all()

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.output = output.read()

    @property
    def errors(self) -> str:
        return "\n".join(self.lines)

    @property
    def finished(self) -> list[tuple[str, int]]:
        """Arm and seed of each trial that the user was told is done."""
        return [(found[1], int(found[2])) for line in self.lines if (found := _FINISHED.match(line))]

    def wait_for_finished(self, count: int, *, seconds: float = 120) -> bool:
        """Until so many trials are done; False if the command ended before, or took too long."""
        with self._said:
            self._said.wait_for(
                lambda: len(self.finished) >= count or self.process.poll() is not None, timeout=seconds
            )
            return len(self.finished) >= count

    def wait(self, *, seconds: float = 240) -> int:
        """Its exit status when it has ended by itself, and all it said has been read."""
        code = self.process.wait(timeout=seconds)
        for reader in self._readers:
            reader.join(timeout=30)
        return code

    def family(self) -> list[psutil.Process]:
        """The command and its workers, which are in process groups of their own."""
        with suppress(psutil.NoSuchProcess):
            command = psutil.Process(self.process.pid)
            return [command, *command.children(recursive=True)]
        return []

    def workers(self) -> list[psutil.Process]:
        return [one for one in self.family() if one.pid != self.process.pid and _is_worker(one)]

    def kill_family(self) -> None:
        for one in self.family():
            with suppress(psutil.NoSuchProcess):
                one.kill()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


def hear_ctrl_c() -> None:
    """Shells start what runs in the background with Ctrl-C ignored, and so would be all that is started here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "fairtrial.engine.worker" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return False


@contextmanager
def run(folder: Path, *more: str, **settings: object) -> Iterator[Command]:
    """`fairtrial run` of the small study, ended with all its workers at the latest when the block ends."""
    words = ("run", "study.yaml", "--store", "store.db", *SEEDS, *more)
    command = Command(folder, *words, **settings)  # pyright: ignore[reportArgumentType]
    try:
        yield command
    finally:
        command.kill_family()
        command.wait(seconds=60)
