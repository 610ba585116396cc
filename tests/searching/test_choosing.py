"""Hurdles, the race, proposals: small functions with known answers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fairtrial.analysis.points import Point
from fairtrial.searching.halving import hurdles
from fairtrial.searching.proposing import _told, propose  # pyright: ignore[reportPrivateUsage]
from fairtrial.searching.racing import due, leader, ranked
from fairtrial.searching.simulation import study_of
from fairtrial.study.candidates import candidate
from fairtrial.study.searches import Search
from fairtrial.study.space import departures
from fairtrial.trial import METRICS, SEARCH, EpochRecord, Outcome, StoredTrial

STUDY = study_of(trials=50)
SEARCHED = STUDY.search[0]
BASELINE = STUDY.arms["width-200"]


def trial(seed: int, accuracy: float | None, curve: tuple[float, ...] = ()) -> StoredTrial:
    history = tuple(
        EpochRecord(
            epoch=place, train_accuracy=one, train_loss=1 - one, validation_accuracy=one,
            validation_loss=1 - one, train_seconds=1.0, validation_seconds=0.1,
        )
        for place, one in enumerate(curve, start=1)
    )  # fmt: skip
    outcome = Outcome(
        key=f"{seed}", state="diverged" if accuracy is None else "finished", epochs=len(history),
        metrics={} if accuracy is None else dict.fromkeys(METRICS, accuracy) | {"validation_loss_last_epoch": 1 - accuracy},
        seconds={"train": 1.0}, history=history, provenance={},
    )  # fmt: skip
    return StoredTrial(
        key=f"{seed}", arm_key="", arm_name="", seed=seed, precision="float32", engine_version=1, outcome=outcome
    )  # fmt: skip


def point(
    number: int, *results: float | None, scores: tuple[float, ...] | None = None, width: int | None = None
) -> Point:
    """A point with these results on seeds 1, 2, ..."""
    values = {"network.mlp.width": width or 20 + number}
    arm = candidate(BASELINE, departures(SEARCHED.space, values), name=f"S-{number}", block=SEARCH)
    trials = tuple(trial(seed, value, (value or 0.1,) * 4) for seed, value in enumerate(results, start=1))
    return Point(number=number, arm=arm, values=values, trials=trials, scores=scores)


def test_there_is_no_hurdle_before_three_have_come_that_far() -> None:
    assert hurdles(SEARCHED, [point(0, 0.9)], epochs=5) == ()


def test_a_hurdle_is_the_best_third_of_those_that_came_that_far() -> None:
    """Eight points and the one to come are nine: it must be among the best three, as good as the third of the eight."""
    seen = [point(number, 0.90 + number / 100) for number in range(6)]
    seen += [point(6, scores=(0.50,)), point(7, scores=(0.51,))]
    found = hurdles(SEARCHED, seen, epochs=5)
    assert [(one.epoch, one.bound) for one in found] == [(1, pytest.approx(0.93)), (3, pytest.approx(0.94))]
    assert hurdles(SEARCHED.model_copy(update={"halving": False}), seen, epochs=5) == ()
    assert [one.epoch for one in hurdles(SEARCHED, seen, epochs=1)] == []


def test_of_a_loss_less_is_better() -> None:
    on_loss = SEARCHED.model_copy(update={"metric": "loss"})
    seen = [replace(point(number, 0.90 + number / 100), metric="loss") for number in range(5)]
    (first, _) = hurdles(on_loss, seen, epochs=5)
    assert first.bound == pytest.approx(0.07)
    assert [one.number for one in ranked(on_loss, seen, seeds=1)] == [4, 3, 2, 1, 0]


def test_five_race_on_then_three_then_two() -> None:
    points = {number: point(number, 0.90 + number / 100) for number in range(8)}

    def step(*results: tuple[int, float]) -> list[tuple[int, int]]:
        for number, value in results:
            old = points[number]
            seed = old.seeds + 1
            points[number] = replace(old, trials=(*old.trials, trial(seed, value)))
        return [(one.number, seed) for one, seed in due(SEARCHED, list(points.values()))]

    assert step() == [(7, 2), (6, 2), (5, 2), (4, 2), (3, 2)]
    assert step((7, 0.97), (6, 0.96), (5, 0.95), (4, 0.94)) == [(3, 2)]
    # Number 3 does well on the second seed and overtakes: means .985, .97, .96 go on.
    assert step((3, 1.04)) == [(3, 3), (7, 3), (6, 3)]
    assert step((3, 0.90), (7, 0.99), (6, 0.99)) == [(7, 4), (6, 4)]
    assert step((7, 0.95), (6, 0.96)) == [(7, 5), (6, 5)]
    assert step((7, 0.95), (6, 0.99)) == []
    assert (best := leader(SEARCHED, list(points.values()))) is not None
    assert best.number == 6


def test_the_leader_is_who_came_furthest_not_who_was_lucky_once() -> None:
    """One seed of 0.99 does not beat a mean of 0.985 over two; a race cut short is judged where all are level."""
    one, other, third = point(0, 0.99, 0.95), point(1, 0.98, 0.99), point(2, 0.97)
    field = [one, other, third]
    assert (best := leader(SEARCHED, field)) is not None
    assert best.number == 0, "not all have their second seed: the first alone decides"
    field[2] = point(2, 0.97, 0.97)
    assert (best := leader(SEARCHED, field)) is not None
    assert best.number == 1


def test_diverged_stopped_and_open_points_never_lead() -> None:
    assert leader(SEARCHED, [point(0, None), point(1, scores=(0.99,)), point(2)]) is None
    # One that diverges on its second seed is out, however good the first was.
    found = leader(SEARCHED, [point(0, 0.99, None), point(1, 0.9, 0.9)])
    assert found is not None and found.number == 1


def test_a_proposal_follows_from_the_search_its_number_and_what_is_known() -> None:
    seen = [point(number, 0.9 + number / 1000, width=30 * (number + 1)) for number in range(12)]
    first, again = (propose(SEARCHED, BASELINE, seen, key="k", number=12) for _ in range(2))
    assert first is not None and first == again
    assert first != propose(SEARCHED, BASELINE, seen, key="other", number=12)
    assert first != propose(SEARCHED, BASELINE, seen, key="k", number=13)


def test_no_point_is_proposed_twice_and_never_the_baseline() -> None:
    """A space of five widths, the baseline's among them, has four points, whoever proposes."""
    for sampler in ("tpe", "random", "grid"):
        search = Search.model_validate(
            {"id": "S", "baseline": "width-200", "sampler": sampler,
             "space": {"network.mlp.width": {"int": [100, 300], "step": 50}}}
        )  # fmt: skip
        seen: list[Point] = []
        while (made := propose(search, BASELINE, seen, key="k", number=len(seen))) is not None:
            values, arm = made
            seen.append(Point(number=len(seen), arm=arm, values=values))
        assert sorted(one.values["network.mlp.width"] for one in seen) == [100, 150, 250, 300], sampler


def test_what_cannot_be_built_is_not_proposed() -> None:
    """Pooling four times leaves nothing of 28 pixels."""
    search = Search.model_validate(
        {"id": "S", "baseline": "width-200", "sampler": "grid",
         "space": {"network.layers": [{"repeat": {"int": [1, 6]}, "pool": 2}, "flatten"]}}
    )  # fmt: skip
    seen: list[Point] = []
    while (made := propose(search, BASELINE, seen, key="k", number=len(seen))) is not None:
        values, arm = made
        seen.append(Point(number=len(seen), arm=arm, values=values))
    assert [one.values["network.layers.0.repeat"] for one in seen] == [1, 2, 3, 4]


def test_what_diverged_is_worse_for_the_sampler_than_what_was_stopped() -> None:
    """Of many stopped and a few diverged points the good ones are sought among the former."""
    from optuna.trial import TrialState

    told = [_told(SEARCHED, one) for one in (point(0, 0.9), point(1, None), point(2, scores=(0.5,)))]
    assert [one.state for one in told] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]
    assert told[1].last_step == 0 and told[2].last_step == 1
    assert told[1].intermediate_values == {0: -math.inf}
