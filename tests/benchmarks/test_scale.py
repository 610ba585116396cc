"""The simulated cluster on studies whose course can be worked out by hand, and the page made of it."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.cluster.__main__ import STORE
from benchmarks.cluster.costs import Asked, Measured, measured
from benchmarks.cluster.drawing import figure
from benchmarks.cluster.page import stops_at
from benchmarks.cluster.simulation import Driver, Problem, problem, simulate, sweep

from fairtrial.study import studyfile

NOBODY = Driver()


def posed(*questions: tuple[int, int, int], arms: int = 2, seconds: float = 1.0) -> Problem:
    return Problem(seconds=np.full((arms, 50), seconds), questions=questions, least=3, horizon=50)


@pytest.mark.parametrize(
    ("workers", "ahead", "wall", "trials"),
    [
        (1, 0, 20, 20),
        (2, 0, 10, 20),  # two arms side by side, ten seeds
        (6, 0, 8, 20),  # three seeds at once, then seven one after the other
        (10_000, 0, 8, 20),
        (10_000, 1, 5, 22),  # 4 seeds, 2 at a time from the fifth on
        (10_000, 50, 1, 100),  # everything at once, most of it for nothing
    ],
)
def test_one_question_takes_as_long_as_its_seeds_wait_for_each_other(
    workers: int, ahead: int, wall: float, trials: int
) -> None:
    """Two arms, a second a trial, settled at ten seeds."""
    came = simulate(posed((1, 0, 10)), workers=workers, ahead=ahead, driver=NOBODY)
    assert (came.wall, came.trials, came.trials - came.unneeded) == (pytest.approx(wall), trials, 20)


def test_a_shared_baseline_is_trained_once() -> None:
    """Nine questions, ten arms, all settled at three seeds: thirty trials and no more."""
    many = posed(*((arm, 0, 3) for arm in range(1, 10)), arms=10)
    came = simulate(many, workers=30, ahead=0, driver=NOBODY)
    assert (came.wall, came.trials, came.unneeded) == (1.0, 30, 0)


def test_the_driver_does_one_thing_after_the_other() -> None:
    """Recording a second each, a hundred workers are no faster than one."""
    came = simulate(posed((1, 0, 3), seconds=0.0), workers=100, ahead=0, driver=Driver(start=0.5, record=1.0))
    assert came.wall == pytest.approx(6 * 1.5)


def test_reading_the_answers_costs_by_the_question_and_only_beyond_the_least_seeds() -> None:
    """The first seeds of all arms are due whatever they say."""
    came = simulate(posed((1, 0, 5)), workers=100, ahead=0, driver=Driver(read=1.0))
    assert came.wall == pytest.approx(1 + 2 * (1 + 2))


MEASURED = Measured(
    study="two", seconds=(1.0, 2.0), spread=0.3, trials=6, verdicts=1, least=3, horizon=50,
    questions=(Asked(variant=1, baseline=0, settles=(4, 9)),),
)  # fmt: skip


def test_a_larger_study_has_copies_with_noise_of_their_own() -> None:
    """Or all questions would settle at once, as no study's do."""
    made = problem(MEASURED, copies=200, seed=1)
    assert made.seconds.shape == (400, 50) and len(made.questions) == 200
    assert {settled for _, _, settled in made.questions} == {4, 9}
    assert np.mean(made.seconds[1::2]) == pytest.approx(2.0, rel=0.02)
    assert len({round(float(one), 9) for one in made.seconds[:, 0]}) == 400


def test_where_it_stops_scaling_is_found_and_drawn() -> None:
    """One question of two arms: six workers train its first seeds, more have nothing to do."""
    swept = list(
        sweep(MEASURED, copies=(1,), workers=(1, 2, 4, 8, 16, 32), ahead=(0, 3), driver=Driver(record=0.001))
    )
    stops = stops_at(swept, 0)
    assert stops is not None and 2 <= stops <= 8
    assert max(one["speedup"] for one in swept if one["ahead"] == 3) > max(
        one["speedup"] for one in swept if not one["ahead"]
    )
    assert figure(swept).svg().startswith("<svg")


def test_costs_and_verdicts_are_drawn_from_the_courses_own_store() -> None:
    """A distribution that somebody made up would show whatever was put into it."""
    found = measured("course", STORE)
    assert found.trials >= len(found.seconds) == len(studyfile.load("course").arms)
    assert min(found.seconds) > 0 and found.spread > 0 and found.verdicts >= len(found.questions)
    settled = [one for question in found.questions for one in question.settles]
    assert found.least <= min(settled) < max(settled) <= found.horizon
