"""A command in a pair that is timed in turn: each of its turns is a whole run of it."""

from __future__ import annotations

from time import perf_counter

from fairtrial.commands.running import Runner
from fairtrial.engine.turns import Contender, in_turn
from fairtrial.errors import OwnCodeError
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.trial import Trial
from fairtrial.wire import TimingOrder


class CommandContender:
    """A command arm: it is not warmed up, since whoever runs it starts cold, and so is every turn."""

    device = "a command"

    def __init__(self, trial: Trial, runner: Runner) -> None:
        self.trial, self.runner = trial, runner
        self.train: list[float] = []
        self.fit: list[float] = []
        self.wall = self.process = 0.0

    def warm_up(self) -> None:
        """Nothing to do."""

    def turn(self) -> None:
        """One whole run; what counts is the seconds that it tells, else those of its process."""
        began, before = perf_counter(), self.runner.process_seconds
        outcome = self.runner.run(self.trial)
        if outcome is None or outcome.state != "finished":
            why = "" if outcome is None else f": {outcome.reason}"
            raise OwnCodeError(f"arm {self.trial.arm.name} diverged while it was timed{why}")
        self.wall += perf_counter() - began
        self.process += self.runner.process_seconds - before
        if outcome.seconds["train"] <= 0:
            raise OwnCodeError(f"arm {self.trial.arm.name}: train_seconds must be more than 0 to be timed")
        self.train.append(outcome.seconds["train"])
        self.fit.append(max(outcome.seconds["fit"], outcome.seconds["train"]))

    def times(self) -> ArmTimes:
        """The mean of its turns. A step is a run, of which nothing smaller is known."""
        turns = len(self.train)
        return ArmTimes(
            arm_key=self.trial.arm_key,
            arm_name=self.trial.arm.name,
            train_seconds=sum(self.train) / turns,
            fit_seconds=sum(self.fit) / turns,
            process_seconds=self.process / turns,
            timed_steps=turns,
            timed_seconds=self.wall,
        )


def time_commands(order: TimingOrder, runner: Runner) -> PairTimes:
    """Time two arms in turn, of which one at least is a command; the other may be one of ours, timed as ours are."""
    began = perf_counter()
    first, second = (_contender(trial, runner) for trial in (order.first, order.second))
    return in_turn(order.first.number, first, second, began=began, provenance={"command": "timed"})


def _contender(trial: Trial, runner: Runner) -> Contender:
    if trial.arm.is_command:
        return CommandContender(trial, runner)
    from fairtrial.engine.timing import engine_contender

    return engine_contender(trial)
