"""What the screen of a run counts and expects, event by event."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from fairtrial.cli.live import screen
from fairtrial.cli.tally import ArmTally, Tally, names_by_key
from fairtrial.durations import duration, seconds_in
from fairtrial.errors import FairtrialError
from fairtrial.study.schema import Arm
from fairtrial.trial import EpochRecord, Lost, Outcome, Progress, Started, Trial, Unsaved


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tally(arm: Arm, clock: Clock, *, seeds: int = 2, budget: float | None = None) -> Tally:
    planned = [Trial(arm=arm, seed=seed, precision="float32") for seed in range(1, seeds + 1)]
    return Tally(
        planned={trial.key: trial for trial in planned},
        due=frozenset(trial.key for trial in planned),
        open_ended=budget is not None,
        names=names_by_key(planned, {arm.name: planned[0].arm_key}),
        arms={arm.name: ArmTally()},
        seconds={arm.name: 10.0},
        workers=1,
        budget_seconds=budget,
        now=clock,
    )


def outcome(key: str, accuracy: float) -> Outcome:
    return Outcome(
        key=key,
        state="finished",
        epochs=1,
        metrics={"validation_accuracy": accuracy},
        seconds={"train": 3.0, "validation": 1.0, "fit": 4.0},
        history=(),
        provenance={},
    )


def epoch(number: int) -> EpochRecord:
    return EpochRecord(
        epoch=number,
        train_accuracy=0.9,
        train_loss=0.25,
        validation_accuracy=0.9,
        validation_loss=0.3,
        train_seconds=1.0,
        validation_seconds=0.1,
    )


def test_the_time_left_follows_what_was_measured(make_arm: Callable[..., Arm]) -> None:
    """A guess made before the first trial must not outlive it."""
    clock = Clock()
    watched = tally(make_arm("a"), clock)
    first, second = watched.planned
    assert watched.seconds_left() == 20.0
    watched.take(Started(key=first, worker=0))
    clock.now = 2.0
    assert watched.seconds_left() == 18.0
    watched.take(Progress(key=first, record=epoch(1), epochs=5))
    assert watched.seconds_left() == 2.0 * 4 + 10.0
    assert watched.take(outcome(first, 0.9)) == "[1/2] a seed 1: validation accuracy 90.00 %, 4.0 s"
    assert watched.seconds_left() == 4.0
    watched.take(Started(key=second, worker=0))
    watched.take(outcome(second, 0.8))
    assert watched.seconds_left() == 0.0
    assert watched.arms["a"].values == [0.9, 0.8]


def test_a_budget_caps_the_time_left(make_arm: Callable[..., Arm]) -> None:
    """With a budget the run may stop long before all that could be trained."""
    clock = Clock()
    watched = tally(make_arm("a"), clock, seeds=50, budget=60.0)
    clock.now = 50.0
    assert watched.seconds_left() == pytest.approx(10.0)


def test_a_lost_trial_waits_again_and_its_reason_is_said(make_arm: Callable[..., Arm]) -> None:
    """It is tried again, and somebody should know why it took longer."""
    watched = tally(make_arm("a"), Clock())
    key = next(iter(watched.planned))
    watched.take(Started(key=key, worker=0))
    assert (
        watched.take(Lost(key=key, state="failed", reason="out of memory"))
        == "a seed 1: failed: out of memory; it is tried again"
    )
    assert (watched.running, key in watched.waiting, watched.arms["a"].failed) == ({}, True, 1)


def test_the_screen_shows_what_runs_and_each_arms_mean(make_arm: Callable[..., Arm]) -> None:
    """Everything a waiting person asks, in a terminal however narrow."""
    watched = tally(make_arm("a"), Clock())
    first, second = watched.planned
    watched.take(Started(key=first, worker=0))
    watched.take(outcome(first, 0.9))
    watched.take(Started(key=second, worker=0))
    watched.take(Progress(key=second, record=epoch(2), epochs=5))
    for width in (80, 25):
        console = Console(width=width, file=io.StringIO())
        with console.capture() as captured:
            console.print(screen(watched))
        text = captured.get()
        assert "90.00 %" in text
        assert "0.2500" in text
    assert "1 of 2 new trials done, 1 running" in " ".join(text.split())


@pytest.mark.parametrize("text", ["", "5", "m", "5x", "1m1h", "5m5m", "-5m", "0s", "1h 30", "nan s"])
def test_what_is_not_a_length_of_time_is_refused(text: str) -> None:
    """A budget misread by a factor of sixty costs an evening."""
    with pytest.raises(FairtrialError, match="60s, 5m or 1h30m"):
        seconds_in(text)


def test_durations_round_without_sixty_seconds_or_ten_point_oh_oh() -> None:
    """`1 min 60 s` is how rounding shows."""
    assert [duration(seconds) for seconds in (9.996, 99.96, 119.6, 3599.6)] == [
        "10.0 s",
        "1 min 40 s",
        "2 min 00 s",
        "1 h 00 min",
    ]


def test_what_becomes_of_a_failed_trial_and_of_a_file_that_is_not_saved_is_said(
    make_arm: Callable[..., Arm],
) -> None:
    """A line that only says "failed" leaves open whether something is to be done."""
    arm = make_arm("narrow")
    shown = tally(arm, Clock())
    key = next(iter(shown.planned))
    said: list[str | None] = []
    for retry in (True, False):
        shown.take(Started(key=key, worker=0))
        said.append(shown.take(Lost(key=key, state="failed", reason="killed", retry=retry)))
    shown.take(Started(key=key, worker=0))
    said.append(shown.take(Unsaved(key=key, what="weights", reason="No space left on device")))
    name = f"{arm.name} seed 1"
    assert said == [
        f"{name}: failed: killed; it is tried again",
        f"{name}: failed: killed; it is given up for this time",
        f"{name}: its weights could not be saved (No space left on device); its outcome is kept without them",
    ]
