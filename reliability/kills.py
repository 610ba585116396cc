"""Real runs killed at random moments, study after study, until there were enough kills."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reliability.kinds import KINDS, NEXT_RUN, Kind
from reliability.small import TRIALS, Command, new_study, run
from reliability.sound import (
    NOTHING,
    Contents,
    Held,
    complain_of_difference,
    complain_of_loss,
    contents,
    held,
)

MOST_IN_A_STUDY = 14
"""Kills of one study; then it is left to finish."""

SIDE_BY_SIDE = 2

BEFORE_ITS_START = 0.25
"""Share of the kills that come while a command or its workers are still starting."""


@dataclass(kw_only=True)
class Reference:
    """A run that nobody disturbed: what it held, seconds to its first finished trial, and a trial's seconds after it."""

    held: Held
    starting: float
    trial: float


@dataclass(kw_only=True)
class Tally:
    """What came of it, by kind where that makes sense. `unnoticed`: memory was taken from a worker that needed none.

    `told`: kills that cost an attempt or ended a run, and were told; `nothing to tell`: the others, such as that of a
    worker without a trial, or of a command that had not begun.
    """

    kills: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    nothing_to_tell: Counter[str] = field(default_factory=Counter)
    unnoticed: int = 0
    studies: int = 0
    commands: int = 0
    finished: int = 0
    complaints: list[str] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.kills.total()

    def as_dict(self) -> dict[str, Any]:
        return {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }

    def add(self, other: Tally) -> None:
        """Put another's counts to these."""
        for name, value in vars(other).items():
            if isinstance(value, dict) and not isinstance(value, Counter):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Tally:
        counters = {name: Counter[str](stored[name]) for name in ("kills", "told", "nothing_to_tell")}
        return cls(**{**stored, **counters})


def undisturbed(folder: Path) -> Reference:
    complaints: list[str] = []
    new_study(folder)
    with run(folder) as command:
        if not command.wait_for_finished(1):
            raise RuntimeError(f"the undisturbed run did not even begin:\n{command.errors}")
        starting = time.monotonic() - command.began
        code = command.wait()
        lasted = time.monotonic() - command.began
    found = held(folder, complaints)
    if code or complaints or found.contents.done != TRIALS:
        raise RuntimeError(f"the undisturbed run is not whole: {code} {complaints}\n{command.errors}")
    return Reference(held=found, starting=starting, trial=(lasted - starting) / (TRIALS - 1))


def kill_at_random(
    whole: Reference, tally: Tally, *, kills: int, seed: int, say: Callable[[str], None], seconds: float
) -> None:
    """Add so many kills to the tally, or as many as begin within `seconds`; every complaint ends up in it.

    Two studies go on side by side, each in a folder of its own: a run spends its first seconds on one core.
    """
    until, wanted, begun = time.monotonic() + seconds, tally.total + kills, tally.studies
    lock, under_way = threading.Lock(), 0

    def go_on() -> None:
        nonlocal begun, under_way
        while True:
            with lock:
                most = min(MOST_IN_A_STUDY, wanted - tally.total - under_way)
                if most < 1 or time.monotonic() > until:
                    return
                number, begun, under_way = begun, begun + 1, under_way + most
            one = Tally(studies=1)
            with tempfile.TemporaryDirectory() as place:
                # Named by what was done before, so that a campaign in pieces draws on.
                rng = random.Random(f"{seed} {number}")
                _one_study(new_study(Path(place) / "study"), whole, one, rng=rng, most=most, until=until)
            with lock:
                under_way -= most
                tally.add(one)
                say(f"{tally.total} kills, study {tally.studies}: {'; '.join(one.complaints) or 'whole'}")

    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        for done in [threads.submit(go_on) for _ in range(SIDE_BY_SIDE)]:
            done.result()


def _one_study(
    folder: Path, whole: Reference, tally: Tally, *, rng: random.Random, most: int, until: float
) -> None:
    """One study to its end through up to `most` kills, and none in commands begun after `until`."""
    store, complaints = folder / "store.db", tally.complaints
    kept: Contents = NOTHING
    told_done: Counter[tuple[str, int]] = Counter()
    struck, owed = 0, False
    for _ in range(10 * MOST_IN_A_STUDY):
        more = ("-j", str(rng.choice((1, 2))))
        with run(folder, *more) as command:
            tally.commands += 1
            kinds = list(_strike(command, whole, rng, most=0 if time.monotonic() > until else most - struck))
            code = command.wait()
        now = contents(store, complaints)
        told_done.update(command.finished)
        complain_of_loss(
            now, before=kept, told=command.finished, whole=whole.held.contents, complaints=complaints
        )
        _complain_of_words(command, kinds, code, now, kept, owed=owed, tally=tally)
        struck += len(kinds)
        dead = {command.process.pid} & now.claimed_by
        # Who is told in a run that then ends as well need not be told once more.
        told = any(NEXT_RUN in line for line in command.lines)
        owed, kept = bool(dead) or (owed and not told and not command.finished), now
        if kept.done == TRIALS and not code:
            break
    else:
        complaints.append(f"the study came to no end: {kept.done} of {TRIALS} trials")
    complaints += [f"trained twice: {one}" for one, times in told_done.items() if times > 1]
    complain_of_difference(held(folder, complaints), whole.held, complaints)
    tally.finished += kept.done


def _strike(command: Command, whole: Reference, rng: random.Random, *, most: int) -> Iterator[Kind]:
    """Kill at random moments of the command's life until it is dead, or nothing more is to be killed."""
    for _ in range(most):
        kind = rng.choice(KINDS)
        done = len(command.finished)
        # Workers that have trained once have the memory that they need.
        early = rng.random() < BEFORE_ITS_START or kind.takes_memory
        if early and not done:
            _sleep(command, rng.uniform(0, 1.2 * whole.starting))
        else:
            if not command.wait_for_finished(done + rng.choice((0, 1, 1, 2)) or 1):
                return
            _sleep(command, rng.uniform(0, whole.trial))
        if not kind.deal(command, rng):
            return
        yield kind
        if kind.ends_run:
            return


def _sleep(command: Command, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while command.process.poll() is None and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))


def _complain_of_words(
    command: Command, kinds: list[Kind], code: int, now: Contents, kept: Contents, *, owed: bool, tally: Tally
) -> None:
    """The user must have been told, in a sentence, of whatever had a consequence; and never with a traceback."""
    said = command.lines
    if "Traceback" in command.errors and not _before_it_began(command, code):
        tally.complaints.append(f"a traceback was shown: {command.errors[-600:]}")
    failed = [line for line in said if ": failed: " in line]
    if not (kinds and kinds[-1].ends_run) and now.attempts - kept.attempts != len(failed):
        tally.complaints.append(f"{now.attempts - kept.attempts} attempts failed and {len(failed)} were told")
    if owed and command.finished and not any(NEXT_RUN in line for line in said):
        tally.complaints.append("the run after one that was killed did not say so")
    unused = [line for line in said if not line.startswith("given up:")]  # said once more at the end
    for kind in kinds:
        sentence = next((line for line in unused if any(one in line for one in kind.told)), None)
        if kind.told == (NEXT_RUN,):
            sentence = NEXT_RUN if command.process.pid in now.claimed_by else None
        elif sentence is not None:
            unused.remove(sentence)  # two kills are two sentences
            tally.sentences[kind.name] = sentence
        elif kind.ends_run and not _before_it_began(command, code) and not (code == 0 and now.done == TRIALS):
            tally.complaints.append(f"{kind.name}: exit status {code}, and nobody was told: {said[-3:]}")
        if kind.takes_memory and sentence is None:
            tally.unnoticed += 1
            continue
        tally.kills[kind.name] += 1
        (tally.nothing_to_tell if sentence is None else tally.told)[kind.name] += 1
    for line in said:
        if NEXT_RUN in line:
            tally.sentences |= {kind.name: line for kind in KINDS if kind.told == (NEXT_RUN,)}
    if (code not in (0, 2, 130, 143, -9) and not _before_it_began(command, code)) or (
        code == 2 and not any("fairtrial:" in line for line in said)
    ):
        tally.complaints.append(f"exit status {code}: {said[-3:]}")


def _before_it_began(command: Command, code: int) -> bool:
    """Whether Python itself was still starting when a signal came: nothing of ours had run that could say anything.

    It ends as that signal makes it end; a crash that says nothing is none of this.
    """
    asked_to_end = code in (-2, -15, 130, 143) or (code == 1 and "KeyboardInterrupt" in command.errors)
    ours = [line for line in command.lines if "/fairtrial/" in line and "/fairtrial/__init__.py" not in line]
    return asked_to_end and not command.finished and not ours and all(map(_of_a_traceback, command.lines))


def _of_a_traceback(line: str) -> bool:
    return line.startswith((" ", "Traceback ", "KeyboardInterrupt"))
