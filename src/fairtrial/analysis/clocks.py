"""Whose clocks are shown: seconds of two machines have no mean, so that those of one machine stand for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from fairtrial.engine.machine import machine
from fairtrial.trial import StoredTrial


def clock_of(trials: Iterable[StoredTrial]) -> str:
    """The machine whose seconds are shown of these trials: this one if it has finished any, else the one that finished most."""
    counts = Counter(_machine(trial) for trial in trials if trial.outcome.state == "finished")
    here = machine()
    if here in counts or not counts:
        return here
    return max(sorted(counts), key=lambda name: counts[name])


def seconds_of(trials: Sequence[StoredTrial], phase: str, *, clock: str | None = None) -> list[float]:
    """Seconds of a phase of those trials that finished on the machine `clock`; on that of `clock_of` unless given."""
    by = clock_of(trials) if clock is None else clock
    return [trial.outcome.seconds[phase] for trial in of_clock(trials, by) if phase in trial.outcome.seconds]


def of_clock(trials: Iterable[StoredTrial], clock: str) -> list[StoredTrial]:
    """Those that finished on that machine."""
    return [trial for trial in trials if trial.outcome.state == "finished" and _machine(trial) == clock]


def _machine(trial: StoredTrial) -> str:
    return trial.outcome.provenance.get("machine", "")
