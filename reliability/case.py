"""One study that something befalls: what the user was told, what is kept, and what it comes to in the end."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from reliability.kills import Reference
from reliability.small import Command, run
from reliability.sound import NOTHING, Contents, complain_of_difference, complain_of_loss, contents, held


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


def signal_all(family: Iterable[psutil.Process], number: signal.Signals) -> None:
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(number)
