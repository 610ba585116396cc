"""One trial of a command arm: the command is run, what it prints is read, and an outcome comes of it."""

from __future__ import annotations

import contextlib
import math
import platform
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from time import monotonic, perf_counter
from typing import IO

from fairtrial.bounded import read_bounded
from fairtrial.commands.handing import write_data
from fairtrial.commands.process import (
    THREADS,
    children_seconds,
    end_group,
    environment_of,
    exit_words,
    found,
    last_words,
    on_cores,
)
from fairtrial.commands.reading import Lines, Result, result_of
from fairtrial.durations import duration
from fairtrial.engine.machine import machine, processor
from fairtrial.errors import FairtrialError, OwnCodeError, StudyError
from fairtrial.executors.programs import noted
from fairtrial.study import commands
from fairtrial.study.layers import named
from fairtrial.trial import ENGINE_VERSION, EpochRecord, Outcome, Trial

LONGEST_LINE = 2**20
"""Bytes of a line that are read as one; the figures of a hundred epochs have fewer."""

LARGEST_RESULT = 2**24
LAST_WORDS = 12
"""Lines of what a command said that are kept for the message when it fails."""

CLOSING_SECONDS = 5.0
"""How long to wait for the output of a command that has ended: something it started may hold it open."""


class CommandFailed(FairtrialError):
    """An attempt that may go better another time: the program ended with an error, or was killed."""


@dataclass(slots=True)
class Runner:
    """Runs commands one after the other. `scratch` is where each gets a folder; `running` is what runs now."""

    scratch: Path
    every_core: frozenset[int] = frozenset()
    running: subprocess.Popen[bytes] | None = None
    process_seconds: float = field(default=0.0)
    """Processor time of all that has been run, as far as the system tells."""

    def run(
        self,
        trial: Trial,
        *,
        needs: Sequence[str] = (),
        on_record: Callable[[EpochRecord], bool] = lambda _: True,
    ) -> Outcome | None:
        """The trial's outcome, or None if `on_record` says after an epoch that it is not worth going on.

        Raises CommandFailed for an attempt that failed, OwnCodeError where another would fail as well.
        """
        if trial.arm.sources is None:
            raise OwnCodeError(
                "the command's files were not looked for: make the study with fairtrial.load or Study"
            )
        if changed := trial.arm.sources.changed():
            raise OwnCodeError(changed)
        with tempfile.TemporaryDirectory(
            dir=self.scratch, prefix=f"{trial.key[:12]}-", ignore_cleanup_errors=True
        ) as made:
            folder = Path(made)
            output = folder / "output"
            output.mkdir()
            began = perf_counter()
            lines = Lines()
            went_on = self._run(trial, folder, lines, on_record)
            if not went_on:
                return None
            result = result_of(lines, _written(output / "results.json"), needs=needs)
            return _outcome(trial, result, wall=perf_counter() - began)

    def end(self) -> None:
        """End what runs now with everything it has started."""
        process = self.running
        if process is not None:
            end_group(process)

    def _run(
        self, trial: Trial, folder: Path, lines: Lines, on_record: Callable[[EpochRecord], bool]
    ) -> bool:
        """Whether it ran to its end; its output goes to `lines`."""
        process = self._started(trial, folder)
        self.running = process
        before = children_seconds()
        last: deque[str] = deque(maxlen=LAST_WORDS)
        with noted(self.scratch, process.pid):
            try:
                went_on = _follow(process, lines, last, trial.arm.settings.timeout, on_record)
            finally:
                end_group(process)
                self.running = None
                self.process_seconds += children_seconds() - before
        if went_on and process.returncode:
            raise CommandFailed(f"{exit_words(process.returncode)}{last_words(last)}")
        return went_on

    def _started(self, trial: Trial, folder: Path) -> subprocess.Popen[bytes]:
        arm, output = trial.arm, folder / "output"
        names = commands.placeholders(arm.settings.command or "")
        given = {"seed": str(trial.number), "arm": arm.name, "output": str(output)}
        if "data" in names:
            given["data"] = str(write_data(trial, folder / "data.npz"))
        if "settings" in names:
            layers = named(arm.settings.network.hidden(), classes=arm.settings.data.facts.classes)
            text = commands.settings_json(
                arm.settings, [layer.model_dump(mode="json", exclude_none=True) for layer in layers]
            )
            (folder / "settings.json").write_text(text, encoding="utf-8")
            given["settings"] = str(folder / "settings.json")
        environment = environment_of(trial, output)
        if arm.settings.cores == "all":
            for name in THREADS:
                environment.pop(name, None)
        try:
            words = commands.filled(arm.settings, given)
        except StudyError as error:
            raise OwnCodeError(str(error)) from None
        assert arm.sources is not None
        program = found(words[0], arm.sources.folder, environment["PATH"])
        if program is None:
            raise OwnCodeError(
                f"there is no program {words[0]!r} that could be run; name one that is on PATH, or write "
                "{python} for the interpreter of fairtrial"
            )
        try:
            with on_cores(self.every_core if arm.settings.cores == "all" else frozenset()):
                return subprocess.Popen(
                    [program, *words[1:]],
                    cwd=arm.sources.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    process_group=0 if sys.platform != "win32" else None,
                )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OwnCodeError(f"{words[0]!r} in {arm.sources.folder} cannot be run: {reason}") from None


def _follow(
    process: subprocess.Popen[bytes],
    lines: Lines,
    last: deque[str],
    timeout: float | None,
    on_record: Callable[[EpochRecord], bool],
) -> bool:
    """Hear what it says until it has ended, True, or is not worth going on with, False. `last`: the end of what it said."""
    said: queue.Queue[tuple[str, str] | None] = queue.Queue(maxsize=10_000)
    for stream, name in ((process.stdout, "out"), (process.stderr, "error")):
        assert stream is not None
        threading.Thread(target=_listen, args=(stream, name, said), daemon=True).start()
    deadline = math.inf if timeout is None else monotonic() + timeout
    open_streams, ended_at = 2, math.inf
    while open_streams or process.poll() is None:
        now = monotonic()
        if now > deadline:
            raise OwnCodeError(
                f"the command took longer than its timeout of {duration(timeout or 0.0)} and was ended{last_words(last)}"
            )
        if not open_streams:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
            continue
        if ended_at == math.inf and process.poll() is not None:
            ended_at = now
        if now - ended_at > CLOSING_SECONDS:
            break
        try:
            item = said.get(timeout=0.2)
        except queue.Empty:
            continue
        if item is None:
            open_streams -= 1
            continue
        stream, text = item
        if text.strip():
            last.append(text.rstrip())
        record = lines.take(text) if stream == "out" else None
        if record is not None and not on_record(record):
            return False
    return True


def _listen(stream: IO[bytes], name: str, said: queue.Queue[tuple[str, str] | None]) -> None:
    with stream:
        while line := stream.readline(LONGEST_LINE):
            said.put((name, line.decode(errors="replace")))
    said.put(None)


def _written(path: Path) -> str | None:
    """The file of results, where the command has written one."""
    try:
        return read_bounded(path, largest=LARGEST_RESULT).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OwnCodeError(f"results.json cannot be read: {error.strerror}") from None


def _outcome(trial: Trial, result: Result, *, wall: float) -> Outcome:
    seconds = {"train": wall, **result.seconds}
    seconds.setdefault("fit", seconds["train"] + seconds.get("validation", 0.0))
    facts = {
        **_facts(),
        "command": trial.arm.settings.command or "",
        "threads": "1" if trial.arm.settings.cores == "one" else "all",
        "clock": "the command's own" if "train" in result.seconds else "that of its process",
    }
    if not result.means:
        facts["last_epoch"] = "the end alone"
    return Outcome(
        key=trial.key,
        state="diverged" if result.diverged else "finished",
        epochs=len(result.history),
        metrics=result.metrics,
        seconds=seconds,
        history=result.history,
        provenance=facts,
        reason=result.diverged,
    )


@cache
def _facts() -> dict[str, str]:
    return {
        "fairtrial": metadata.version("fairtrial"),
        "engine": str(ENGINE_VERSION),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "machine": machine(),
    }
