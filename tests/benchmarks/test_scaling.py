"""From clocks to seconds of the whole row: a peer of known speed is found to have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.peers import measuring
from benchmarks.peers.measuring import Asked
from benchmarks.rows import rows
from benchmarks.scaling import Measurement, TrialClocks, middle, of_peer, of_trials

from benchmarks import ours

COMPILING, BEGINNING, STEP, VALIDATION = 8.0, 0.5, 0.01, 0.25
EPOCHS, STEPS = 5, 540
WHOLE = COMPILING + EPOCHS * (BEGINNING + STEPS * STEP + VALIDATION)


class Clock:
    """Time that passes only when somebody works."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SteadyPeer:
    """Compiles in its first epoch and is as fast as the constants say from then on."""

    versions: dict[str, str] = {"steady": "1"}  # noqa: RUF012

    def __init__(self, clock: Clock) -> None:
        self.clock, self.compiled = clock, False

    def fit(self, epochs: int, ended: Callable[[], None]) -> None:
        for _ in range(epochs):
            self.train(STEPS)
            self.validate()
            ended()

    def train(self, steps: int) -> None:
        self.clock.now += BEGINNING + steps * STEP + (0.0 if self.compiled else COMPILING)
        self.compiled = True

    def validate(self) -> None:
        self.clock.now += VALIDATION

    def test_accuracy(self) -> float:
        return 0.97


def measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, epochs: int, sampled_steps: int
) -> Measurement:
    clock = Clock()
    monkeypatch.setattr(measuring, "perf_counter", clock)
    row = {"train": 54_000, "batch_size": 100, "epochs": EPOCHS}
    asked = Asked(row=row, mnist=Path(), epochs=epochs, sampled_steps=sampled_steps, longest=60.0)
    measuring.measure(SteadyPeer(clock), asked, began=clock.now - 3.0)
    clocks: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert clocks["versions"] == {"steady": "1"}
    return of_peer(clocks, epochs=EPOCHS, steps=STEPS)


@pytest.mark.parametrize(
    ("epochs", "sampled_steps", "way", "said"),
    [
        (5, 0, "whole", "all 5 epochs"),
        (2, 0, "fewer epochs", "2 of 5 epochs"),
        (5, 300, "sampled", "300 of 540 steps and one validation"),
    ],
)
def test_whole_shortened_and_sampled_runs_of_one_peer_come_to_the_same_seconds(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    epochs: int,
    sampled_steps: int,
    way: str,
    said: str,
) -> None:
    """What is scaled must be what would have been measured, compiling counted once and not once an epoch."""
    found = measured(monkeypatch, capsys, epochs=epochs, sampled_steps=sampled_steps)
    assert (found.way, found.measured) == (way, said)
    assert found.fit_seconds == pytest.approx(WHOLE)
    assert found.epoch_seconds == pytest.approx(BEGINNING + STEPS * STEP + VALIDATION)
    assert found.start_seconds(EPOCHS) == pytest.approx(COMPILING)
    assert found.setup_seconds == pytest.approx(3.0)
    assert found.test_accuracy == (0.97 if way == "whole" else None)


def trial(*epochs: float, wall: float) -> TrialClocks:
    return TrialClocks(
        epoch_seconds=epochs,
        setup_seconds=0.2,
        fit_seconds=sum(epochs),
        wall_seconds=wall,
        test_accuracy=0.9,
    )


def test_two_trials_at_once_cost_half_their_seconds_each() -> None:
    """Seconds per trial with all cores busy are what a study pays for one more trial."""
    found = of_trials([trial(2.0, 2.0, wall=5.0), trial(4.0, 4.0, wall=9.0)], epochs=2)
    assert found.fit_seconds == pytest.approx((4.0 + 8.0) / 2 / 2)
    assert found.epoch_seconds == pytest.approx((2.0 + 4.0) / 2 / 2)
    assert found.whole_seconds == pytest.approx((5.0 + 9.0) / 2 / 2)
    assert (found.way, found.test_accuracy) == ("whole", pytest.approx(0.9))


def test_a_trial_of_fewer_epochs_is_scaled_by_its_later_ones() -> None:
    """The first epoch may be slower; nobody would see it fifty times."""
    found = of_trials([trial(3.0, 2.0, 2.0, wall=10.0)], epochs=50)
    assert found.fit_seconds == pytest.approx(7.0 + 47 * 2.0)
    assert found.whole_seconds == pytest.approx(10.0 + 47 * 2.0)
    assert (found.way, found.measured, found.test_accuracy) == ("fewer epochs", "3 of 50 epochs", None)


def test_the_median_of_rounds_is_taken_figure_by_figure_and_never_over_unlike_rounds() -> None:
    """One disturbed round must not move the result; a scaled one is another kind of figure."""
    alike = [of_trials([trial(s, s, wall=3 * s)], epochs=2) for s in (1.0, 1.2, 9.0)]
    found = middle(alike)
    assert (found.fit_seconds, found.whole_seconds) == (pytest.approx(2.4), pytest.approx(3.6))
    with pytest.raises(ValueError, match=r"2 of 9 epochs.*all 2 epochs"):
        middle([alike[0], of_trials([trial(1.0, 1.0, wall=3.0)], epochs=9)])


def test_of_our_rows_only_fifty_epochs_and_batch_size_one_are_cut_short() -> None:
    """Everything else is run as it is, so that nothing is scaled without need."""
    arms = rows()
    short = {
        name: n for name, arm in arms.items() if (n := ours.epochs_to_run(arm, most=5)) < arm.settings.epochs
    }
    assert short == {"batch-1": 1, "combined": 5}
    assert [t.arm.settings.epochs for t in ours.of_arm(arms["combined"], [1, 2], epochs=5)] == [5, 5]
