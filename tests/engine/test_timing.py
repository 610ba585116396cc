"""Two arms timed in turn: in proportion to their work, scaled to a whole training, with the load beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairtrial.data.catalog import Dataset
from fairtrial.engine import timing
from fairtrial.engine.load import Reading, other_load, read
from fairtrial.engine.timing import time_pair
from fairtrial.engine.train import Trained, train
from fairtrial.pair import PairTimes
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Trial
from fairtrial.wire import TimingOrder

SMALL: dict[str, Any] = {
    "network": {"mlp": {"width": 64, "depth": 2}},
    "data": {"train": 6000, "validation": 500},
    "batch_size": 100,
    "epochs": 5,
}


def trial(name: str, seed: int = 1, **changes: Any) -> Trial:
    settings = ArmSettings.model_validate({**SMALL, **changes})
    return Trial(arm=Arm(name=name, settings=settings), seed=seed, precision="float32")


def timed(first: Trial, second: Trial, data: Dataset, **more: Any) -> PairTimes:
    return time_pair(TimingOrder(first=first, second=second), lambda _: data, provenance={}, **more)


def ratio(pair: PairTimes) -> float:
    return pair.first.train_seconds / pair.second.train_seconds


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"epochs": 20}, 4.0),
        ({"data": {"train": 24_000, "validation": 500}}, 4.0),
        ({"batch_size": 10}, 10.0),
    ],
    ids=["epochs", "images", "batch size"],
)
def test_an_arm_with_so_many_times_the_steps_takes_about_so_many_times_as_long(
    changes: dict[str, Any], times: float, mnist: Dataset
) -> None:
    """The ratio is the answer. A step on fewer images is a shorter one, so that bound is a loose one."""
    found = ratio(timed(trial("long", **changes), trial("short"), mnist))
    assert (times / 2 if "batch_size" not in changes else 2.0) < found < 2 * times


def test_what_is_timed_is_what_a_trial_takes(mnist: Dataset) -> None:
    """Blocks that left out part of an epoch's work would make a ratio of something nobody waits for."""
    arm = trial("arm", epochs=10)
    *_, ended = train(arm, mnist, provenance={})
    assert isinstance(ended, Trained)
    pair = timed(arm, trial("arm", seed=2, epochs=10), mnist)
    whole = (pair.first.train_seconds + pair.second.train_seconds) / 2
    assert ended.outcome.seconds["train"] / 3 < whole < ended.outcome.seconds["train"] * 3


def test_moving_the_images_is_part_of_an_epochs_time(mnist: Dataset) -> None:
    """A question on what augmentation costs would otherwise be answered with nothing."""
    short = {"network": {"mlp": {"width": 8, "depth": 1}}, "batch_size": 6000, "epochs": 20}
    moved = trial("moved", **short, data={**SMALL["data"], "augment": {"rotate": 10}})
    pair = timed(moved, trial("still", **short), mnist)
    assert ratio(pair) > 1.5
    *_, ended = train(moved, mnist, provenance={})
    assert isinstance(ended, Trained)
    assert ended.outcome.seconds["train"] / 3 < pair.first.train_seconds < ended.outcome.seconds["train"] * 3
    assert pair.first.fit_seconds > pair.first.train_seconds


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"batch_size": 1}, 6000),
        ({"batch_size": 6000}, 1),
        ({"batch_size": 4000}, 2),
        ({"data": {"train": 7}}, 1),
    ],
    ids=["one image", "all images", "a short last batch", "seven images"],
)
def test_every_batch_size_is_timed_in_blocks_of_whole_steps(
    changes: dict[str, Any], most: int, mnist: Dataset
) -> None:
    """From 54 000 steps an epoch to a single one: a pair takes seconds, and each arm has its turns."""
    arm = timing.EngineContender(
        trial("arm", **changes), timing.images(mnist.train_images, mnist.train_labels)
    )
    arm.warm_up()
    assert 1 <= arm.block_steps <= min(most, timing.BLOCK_STEPS)
    arm.turn()
    times = arm.times()
    assert times.timed_steps >= arm.block_steps
    assert times.timed_seconds >= timing.TURN_SECONDS
    assert times.process_seconds > 0
    assert times.fit_seconds > times.train_seconds > 0


def test_an_epoch_timed_as_a_whole_is_scaled_by_nothing_but_the_epochs(mnist: Dataset) -> None:
    """With a short last batch, seconds per step times steps would be too much."""
    arm = timing.EngineContender(
        trial("arm", batch_size=4000), timing.images(mnist.train_images, mnist.train_labels)
    )
    arm.block_steps = 2
    arm.turn()
    spent = arm.spent
    assert spent.images == 6000 * spent.epochs
    assert arm.times().train_seconds == pytest.approx(5 * spent.seconds / spent.epochs)


def test_the_first_arm_has_the_first_and_the_last_turn(
    mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A B B A: a machine that grows slower meets both arms alike."""
    turns: list[str] = []
    turn: Callable[[Any], None] = timing.EngineContender.turn

    def noted(self: Any) -> None:
        turns.append(self.trial.arm.name)
        turn(self)

    monkeypatch.setattr(timing.EngineContender, "turn", noted)
    pair = timed(trial("a"), trial("b", batch_size=50), mnist)
    assert turns == ["a", "b", "b", "a"]
    assert (pair.first.arm_name, pair.second.arm_name) == ("a", "b")


@pytest.mark.parametrize("others", [0.0, 1.5])
def test_other_work_on_the_machine_is_measured_beside_the_pair(others: float, mnist: Dataset) -> None:
    """A clock read while somebody else computes is worth less, and the pair has to say so."""
    began = read()

    def beside() -> Reading:
        now = read()
        return replace(now, busy=1000 + (now.own - began.own) + others * (now.wall - began.wall))

    pair = timed(trial("a"), trial("b"), mnist, read=beside)
    assert pair.other_load == pytest.approx(others, abs=1e-6)


def test_a_clock_that_stands_still_is_not_taken_for_a_quiet_machine() -> None:
    """Some sandboxes show one; the load average then stands for it, and without that nothing is known."""
    still = Reading(wall=0.0, busy=0.0, own=0.0, average=3.0)
    later = replace(still, wall=10.0, own=10.0)
    assert other_load(still, later) == pytest.approx(2.0)
    assert other_load(replace(still, average=None), replace(later, average=None)) is None
    unknown = replace(still, busy=None, average=0.5)
    assert other_load(unknown, replace(unknown, wall=10.0, own=10.0)) == 0.0


def test_this_machine_counts_its_processors_work() -> None:
    """The reading that all of it rests on: working for a while shows on both clocks."""
    before = read()
    while read().own - before.own < 0.2:
        pass
    after = read()
    found = other_load(before, after)
    assert found is not None
    assert found >= 0
