"""Where a run stands, kept up to date event by event: what both screens draw from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite

from fairtrial.durations import duration
from fairtrial.pair import PairTimes
from fairtrial.trial import Event, Lost, Outcome, Progress, Started, Trial, Unsaved

METRIC = "validation_accuracy"


@dataclass(slots=True, kw_only=True)
class RunningTrial:
    """A trial that trains now. `loss` is the training loss of its last finished epoch."""

    trial: Trial
    began: float
    epoch: int = 0
    loss: float | None = None


@dataclass(slots=True, kw_only=True)
class ArmTally:
    """One arm: validation accuracies of its finished trials, stored ones included, and what went wrong."""

    values: list[float] = field(default_factory=list)
    diverged: int = 0
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class Tally:
    """`planned` are the trials this run may train, by key; `due` those it will train in any case.

    `open_ended`: how many of the others follow depends on the answers. `seconds`: what a trial of each arm takes.
    Arms are called by all names that share a key, so that an arm listed twice is counted twice.
    """

    planned: dict[str, Trial]
    due: frozenset[str]
    open_ended: bool
    names: dict[str, tuple[str, ...]]
    arms: dict[str, ArmTally]
    seconds: dict[str, float]
    workers: int
    budget_seconds: float | None
    now: Callable[[], float] = time.monotonic
    began: float = 0.0
    done: int = 0
    last: str = ""
    running: dict[str, RunningTrial] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.began = self.now()
        self.waiting = set(self.due)

    def take(self, event: Event) -> str | None:
        """Note what happened; a line to print if a trial or a pair ended by it."""
        match event:
            case Started():
                self.waiting.discard(event.key)
                self.running[event.key] = RunningTrial(trial=self.planned[event.key], began=self.now())
            case Progress() if event.key in self.running:
                self.running[event.key].epoch = event.record.epoch
                told = event.record.train_loss
                self.running[event.key].loss = told if isfinite(told) else None
            case Outcome():
                return self._ended(event)
            case Lost():
                return self._lost(event)
            case Unsaved() if event.key in self.running:
                trial = self.running[event.key].trial
                return f"{trial.arm.name} seed {trial.number}: {event}"
            case PairTimes():
                return timed_line(event)
            case _:
                pass
        return None

    def _ended(self, outcome: Outcome) -> str:
        running = self.running.pop(outcome.key)
        name = running.trial.arm.name
        # `fit` is a sum of other phases; waiting for a worker to start is no part of a trial.
        took = sum(seconds for phase, seconds in outcome.seconds.items() if phase != "fit")
        self.done += 1
        self.seconds[name] = took
        tallies = [self.arms[known] for known in self.names[outcome.key]]
        if outcome.state == "finished":
            value = outcome.metrics.get(METRIC)
            for tally in tallies:
                tally.values.extend([] if value is None else [value])
            said = "finished" if value is None else f"validation accuracy {100 * value:.2f} %"
        else:
            for tally in tallies:
                tally.diverged += 1
            said = f"diverged: {outcome.reason}"
        count = f"{self.done}" if self.open_ended else f"{self.done}/{len(self.planned)}"
        return f"[{count}] {name} seed {running.trial.number}: {said}, {took:.1f} s"

    def _lost(self, lost: Lost) -> str:
        running = self.running.pop(lost.key)
        self.waiting.add(lost.key)
        for known in self.names[lost.key]:
            self.arms[known].failed += lost.state == "failed"
        return f"{running.trial.arm.name} seed {running.trial.number}: {lost_line(lost)}"

    def seconds_left(self) -> float:
        """Work that is left spread over the workers, and never more than what is left of the budget."""
        waiting = sum(self._cost(self.planned[key]) for key in self.waiting)
        running = sum(self._rest(one) for one in self.running.values())
        left = (waiting + running) / self.workers
        if self.budget_seconds is None:
            return left
        return min(left, max(0.0, self.budget_seconds - (self.now() - self.began)))

    def _rest(self, one: RunningTrial) -> float:
        """Seconds a running trial still needs, by its own pace as soon as it has shown one."""
        spent = self.now() - one.began
        if one.epoch:
            return spent / one.epoch * max(0, one.trial.arm.settings.epochs - one.epoch)
        return max(0.0, self._cost(one.trial) - spent)

    def _cost(self, trial: Trial) -> float:
        return self.seconds.get(trial.arm.name, 0.0)


def lost_line(lost: Lost) -> str:
    """What ended an attempt, and what comes of its trial."""
    if lost.state == "stopped":
        return f"stopped: {lost.reason}"
    return f"failed: {lost.reason}; {'it is tried again' if lost.retry else 'it is given up for this time'}"


def timed_line(pair: PairTimes) -> str:
    """`timed wide and narrow in turn, pair 2: 3.10 s and 1.20 s for a training`"""
    first, second = (duration(side.train_seconds) for side in (pair.first, pair.second))
    return (
        f"timed {pair.first.arm_name} and {pair.second.arm_name} in turn, pair {pair.seed}: {first} and {second} "
        "for a training"
    )


def names_by_key(planned: Sequence[Trial], arm_keys: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """The names of all arms that each planned trial belongs to; `arm_keys` gives each arm's identity."""
    return {
        trial.key: tuple(name for name, key in arm_keys.items() if key == trial.arm_key) for trial in planned
    }
