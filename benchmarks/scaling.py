"""From what clocks said to seconds of the whole row, where less than the whole row was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Way = Literal["whole", "fewer epochs", "sampled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Seconds of one contender on one row, in one round, for the row's number of epochs.

    For a peer they are seconds of the machine. For fairtrial, which trains one trial per core at once, they are those of
    one trial divided by the number of trials: what a trial costs while all cores are busy.
    """

    way: Way
    """All epochs; fewer, the rest taken to be like the median of those after the first; or some steps."""
    measured: str
    """What was run, in words."""
    fit_seconds: float
    """Training with one validation per epoch: what Keras's `fit` and the notebook time."""
    epoch_seconds: float
    """A steady epoch with its validation: set-up and compile time apart."""
    setup_seconds: float
    """Before the fit: imports, data, network. For fairtrial what a warm worker does before the first step."""
    whole_seconds: float | None = None
    """fairtrial alone: the whole trial, from order to outcome, with its evaluations on last epoch and test set."""
    test_accuracy: float | None = None
    """In [0, 1], of whole trainings; proof that what was timed has learnt."""

    def start_seconds(self, epochs: int) -> float:
        """What the fit takes beyond its steady epochs: tracing, compiling, warming up."""
        return max(0.0, self.fit_seconds - epochs * self.epoch_seconds)


def steady(epoch_seconds: Sequence[float]) -> float:
    """The median of all epochs after the first, which may compile; the first if there is no other.

    >>> steady([9.0, 2.0, 3.0, 2.5]), steady([9.0])
    (2.5, 9.0)
    """
    return median(epoch_seconds[1:] or epoch_seconds)


def of_peer(clocks: Mapping[str, Any], *, epochs: int, steps: int) -> Measurement:
    """The figures of a peer's program for a row of so many epochs of so many steps."""
    if clocks["way"] == "sampled":
        return _of_steps(clocks, epochs=epochs, steps=steps)
    run, epoch = len(clocks["epoch_seconds"]), steady(clocks["epoch_seconds"])
    return Measurement(
        way="whole" if run == epochs else "fewer epochs",
        measured=_epochs_run(run, epochs),
        fit_seconds=clocks["fit_seconds"] + (epochs - run) * epoch,
        epoch_seconds=epoch,
        setup_seconds=clocks["setup_seconds"],
        test_accuracy=clocks["test_accuracy"] if run == epochs else None,
    )


def _of_steps(clocks: Mapping[str, Any], *, epochs: int, steps: int) -> Measurement:
    """An epoch is its beginning, the row's steps, and a validation; compiling happens once.

    The beginning (filling a shuffle buffer, say) is what the shorter stretch took beyond its steps.
    """
    more = clocks["long_steps"] - clocks["short_steps"]
    step = (clocks["long_seconds"] - clocks["short_seconds"]) / more
    beginning = max(0.0, clocks["short_seconds"] - clocks["short_steps"] * step)
    epoch = beginning + steps * step + clocks["validation_seconds"]
    compiling = max(0.0, clocks["warm_seconds"] - beginning - clocks["warm_steps"] * step) + max(
        0.0, clocks["first_validation_seconds"] - clocks["validation_seconds"]
    )
    return Measurement(
        way="sampled",
        measured=f"{more} of {steps} steps and one validation",
        fit_seconds=compiling + epochs * epoch,
        epoch_seconds=epoch,
        setup_seconds=clocks["setup_seconds"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialClocks:
    """What one of our trials took, trained beside others: its own clocks, and the wall from order to outcome."""

    epoch_seconds: tuple[float, ...]
    setup_seconds: float
    fit_seconds: float
    wall_seconds: float
    test_accuracy: float


def of_trials(trials: Sequence[TrialClocks], *, epochs: int) -> Measurement:
    """Seconds per trial with all cores busy: the mean of trials that ran at once, divided by how many they were."""
    run = len(trials[0].epoch_seconds)

    def each(values: Sequence[float]) -> float:
        return sum(values) / len(trials) ** 2

    epoch = each([steady(trial.epoch_seconds) for trial in trials])
    left = (epochs - run) * epoch
    return Measurement(
        way="whole" if run == epochs else "fewer epochs",
        measured=_epochs_run(run, epochs),
        fit_seconds=each([trial.fit_seconds for trial in trials]) + left,
        epoch_seconds=epoch,
        setup_seconds=each([trial.setup_seconds for trial in trials]),
        whole_seconds=each([trial.wall_seconds for trial in trials]) + left,
        test_accuracy=sum(t.test_accuracy for t in trials) / len(trials) if run == epochs else None,
    )


def middle(rounds: Sequence[Measurement]) -> Measurement:
    """The median of each figure over rounds of one contender on one row, all measured the same way."""
    first = rounds[0]
    if any((one.way, one.measured) != (first.way, first.measured) for one in rounds):
        raise ValueError(f"rounds measured in different ways: {sorted({one.measured for one in rounds})}")
    whole = [one.whole_seconds for one in rounds if one.whole_seconds is not None]
    right = [one.test_accuracy for one in rounds if one.test_accuracy is not None]
    return Measurement(
        way=first.way,
        measured=first.measured,
        fit_seconds=median(one.fit_seconds for one in rounds),
        epoch_seconds=median(one.epoch_seconds for one in rounds),
        setup_seconds=median(one.setup_seconds for one in rounds),
        whole_seconds=median(whole) if whole else None,
        test_accuracy=median(right) if right else None,
    )


def _epochs_run(run: int, epochs: int) -> str:
    return f"all {epochs} epochs" if run == epochs else f"{run} of {epochs} epochs"
