"""Questions whose arms are tuned first: what is tried, what is chosen, on which seeds, and what is compared then."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_executor import FakeExecutor, finished

from fairtrial.analysis import Answers, Retuned, answers
from fairtrial.analysis.replaying import replay_store
from fairtrial.errors import StudyError
from fairtrial.searching import following
from fairtrial.searching.work import telling
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.studyfile import study_from_dict
from fairtrial.trial import METRICS, Event, Lost, Outcome, Trial

RATE = "optimizer.learning_rate"


def study(**changed: Any) -> Study:
    """Two widths, a question on them as they are, and the same with the learning rate of each tuned."""
    tuned = {"id": "T", "variant": "wide", "baseline": "narrow", "factors": ["network.mlp.width"]}
    return study_from_dict(
        {
            "schema": "fairtrial/1",
            "name": "widths",
            "base": {"epochs": 1},
            "arms": {"narrow": {"network.mlp.width": 50}, "wide": {"network.mlp.width": 200}},
            "questions": [
                {"id": "Q", "variant": "wide", "baseline": "narrow", "factors": ["network.mlp.width"]},
                {**tuned, "retune": {RATE: [0.0003, 0.001, 0.003]}, **changed},
            ],
            "seeds": {"min": 3, "max": 20},
        }
    )


def settings_of(trial: Trial) -> tuple[int, float]:
    mlp, rate = trial.arm.settings.network.mlp, trial.arm.settings.optimizer.learning_rate
    assert mlp is not None and isinstance(rate, float)
    return mlp.width, rate


def truth(trial: Trial) -> float:
    """At 0.001 width changes nothing; wide does best at 0.0003 (0.93), narrow at 0.003 (0.91)."""
    return {
        (200, 0.0003): 0.93, (200, 0.001): 0.90, (200, 0.003): 0.85,
        (50, 0.0003): 0.86, (50, 0.001): 0.90, (50, 0.003): 0.91,
    }[settings_of(trial)]  # fmt: skip


def drawn(trial: Trial, name: str = "") -> float:
    """A draw for the settings and the seed's number, whatever the arm is called."""
    return float(np.random.default_rng([trial.number, *f"{settings_of(trial)} {name}".encode()]).normal())


def ending(trial: Trial) -> Outcome:
    values = {name: truth(trial) + 0.0005 * drawn(trial, name[:4]) for name in METRICS if "accuracy" in name}
    values |= {name: 1 - truth(trial) + 0.0005 * drawn(trial, name[:4]) for name in METRICS if "loss" in name}
    return replace(finished(trial), metrics={**values, "validation_seen": 0.0})


def run(
    store: Store, study: Study, ending: Callable[[Trial], Event] = ending, **how: Any
) -> tuple[FakeExecutor, following.FollowedRun]:
    executor = how.pop("executor", None) or FakeExecutor(ending)
    watch = telling(how.pop("on_event", lambda _: None))
    return executor, following.run(study, store=store, executor=executor, watch=watch, **how)


def found_in(store: Store, study: Study) -> Retuned:
    (found,) = answers(study, store).retuned
    return found


def numbers(executor: FakeExecutor) -> list[tuple[tuple[int, float], int]]:
    return [(settings_of(order.trial), order.trial.number) for order in executor.trials]


def test_each_arm_is_compared_at_the_setting_that_is_best_for_it(store: Store) -> None:
    """At one rate for both the widths are alike; each at its own, the wide one is two points better."""
    executor, done = run(store, study())
    found = found_in(store, study())
    assert (found.variant.chosen, found.baseline.chosen) == ({RATE: 0.0003}, {RATE: 0.003})
    (answer,) = found.answers
    assert answer.verdict == "increase that matters"
    assert answer.estimate == pytest.approx(0.02, abs=0.001)
    assert answer.question == "T"
    assert (answer.variant, answer.baseline) == (f"wide at {RATE} 0.0003", f"narrow at {RATE} 0.003")
    plain = answers(study(), store)["Q"].accuracy
    assert abs(plain.estimate or 0) < 0.001
    assert done.followed[0].lacking == ""
    assert len({order.key for order in executor.trials}) == len(executor.trials)


def test_another_chosen_rate_is_no_confound_but_is_said(store: Store) -> None:
    """It is what was asked for; whoever reads the answer must know it all the same."""
    run(store, study())
    found = found_in(store, study())
    assert f"wide at {RATE} 0.0003, narrow at {RATE} 0.003" in found.sentence
    assert (
        "the smallest optimizer.learning_rate tried did best: one beyond it might do better" in found.sentence
    )
    assert re.match(rf"wide: 9[23]\.\d\d % at {RATE} 0\.0003 \(chosen\), ", found.tuning_sentence)
    (answer,) = found.answers
    assert [one.kind for one in answer.caveats] == []
    assert answer.held_fixed_line.endswith("other settings re-tuned for wide might change the answer")
    undeclared = found_in(store, study(factors=None))
    assert [one.kind for one in undeclared.answers[0].caveats] == []


def test_what_both_arms_are_tuned_in_counts_as_held_fixed_for_neither(store: Store) -> None:
    """Where both come to the same rate, the reminder to tune it would be untrue."""

    def alike(trial: Trial) -> Outcome:
        figure = (0.9 if settings_of(trial)[1] == 0.001 else 0.8) + 0.0005 * drawn(trial)
        return replace(finished(trial), metrics=dict.fromkeys(METRICS, figure) | {"validation_seen": 0.0})

    run(store, study(), alike)
    (answer,) = found_in(store, study()).answers
    assert RATE not in answer.held_fixed_line and RATE not in {one.path for one in answer.held_fixed}
    assert "one beyond it" not in found_in(store, study()).sentence


def test_tuning_has_seeds_of_its_own_and_shares_the_ordinary_ones(store: Store) -> None:
    """What is chosen on 2001 to 2003 owes nothing to seeds 1, 2, ..., which other questions may use as well."""
    executor, _ = run(store, study())
    tuning = [one for one in numbers(executor) if one[1] > 999]
    assert sorted(tuning) == sorted(
        ((width, rate), number)
        for width in (50, 200)
        for rate in (0.0003, 0.001, 0.003)
        for number in (2001, 2002, 2003)
    )
    assert {number for _, number in numbers(executor) if number <= 999} <= set(range(1, 21))


def test_a_tuned_arm_that_is_an_ordinary_one_is_not_trained_again(store: Store) -> None:
    """The same settings on the same seeds are the same trials, and asking beforehand needs no caveat for it."""
    tuned = study(retune={RATE: [0.001, 0.01]})

    def at_the_usual(trial: Trial) -> Outcome:
        width, rate = settings_of(trial)
        figure = 0.9 + width / 1e4 - (rate > 0.001) * 0.1 + 0.0005 * drawn(trial)
        return replace(finished(trial), metrics=dict.fromkeys(METRICS, figure) | {"validation_seen": 0.0})

    executor, done = run(store, tuned, at_the_usual)
    assert done.followed[0].reports[-1].trained == 0
    assert {number for (_, rate), number in numbers(executor) if rate == 0.01} == {2001, 2002, 2003}
    (answer,) = found_in(store, tuned).answers
    assert answer.settled and [one.kind for one in answer.caveats] == []


def test_a_question_that_was_added_after_trials_were_seen_says_so(store: Store) -> None:
    """Whoever has seen both arms and then asks has chosen the question by its answer, tuned or not."""
    tuned = study(retune={RATE: [0.001, 0.003]})
    run(store, replace(tuned, retuned=()))
    run(store, tuned)
    (answer,) = found_in(store, tuned).answers
    assert answer.baseline == f"narrow at {RATE} 0.003"
    (caveat,) = answer.caveats
    assert caveat.kind == "late plan" and "of these arms were seen" in caveat.text


def test_what_was_chosen_stays_chosen(store: Store) -> None:
    """The same call again trains nothing; other values are another choice; their order is none."""
    run(store, study())
    again, _ = run(store, study())
    assert again.trials == []
    turned, _ = run(store, study(retune={RATE: [0.003, 0.001, 0.0003]}))
    assert turned.trials == []
    fewer, done = run(store, study(retune={RATE: [0.001, 0.003]}))
    assert {number for _, number in numbers(fewer) if number > 999} == set()
    assert done.followed[0].lacking == ""
    found = found_in(store, study(retune={RATE: [0.001, 0.003]}))
    assert (found.variant.chosen, found.baseline.chosen) == ({RATE: 0.001}, {RATE: 0.003})
    assert replay_store(store).differences == ()


def test_diverged_is_worse_than_anything_that_is_not(store: Store) -> None:
    """The best mean of two seeds is no better than a third that diverged."""

    def diverging(trial: Trial) -> Event:
        if settings_of(trial) == (200, 0.0003) and trial.number == 2002:
            return replace(finished(trial), state="diverged", metrics={}, reason="loss became nan")
        return ending(trial)

    run(store, study(), diverging)
    found = found_in(store, study())
    assert found.variant.chosen == {RATE: 0.001}
    said = r"9[23]\.\d\d % where it did not diverge \(1 of 3 seeds\) at optimizer\.learning_rate 0\.0003,"
    assert re.search(said, found.tuning_sentence)


def test_what_always_fails_is_not_waited_for_and_not_chosen(store: Store) -> None:
    def failing(trial: Trial) -> Event:
        if settings_of(trial) == (200, 0.0003):
            return Lost(key=trial.key, state="failed", reason="out of memory", retry=False)
        return ending(trial)

    run(store, study(), failing)
    assert found_in(store, study()).variant.chosen == {RATE: 0.001}


def test_arms_are_tuned_for_the_first_metric_that_can_be(store: Store) -> None:
    """Of a loss less is better."""
    tuned = study(metrics=["loss", "accuracy"])
    run(store, tuned)
    found = found_in(store, tuned)
    assert (found.variant.chosen, found.baseline.chosen) == ({RATE: 0.0003}, {RATE: 0.003})
    assert "tuned on validation loss" in found.sentence
    assert [answer.verdict for answer in found.answers] == ["decrease that matters", "increase that matters"]


def test_several_settings_are_tried_in_every_combination(store: Store) -> None:
    both = study(retune={RATE: [0.0003, 0.001], "batch_size": [50, 100, 200]}, retune_seeds=2)
    executor, _ = run(store, both)
    tried = {
        (*settings_of(order.trial), order.trial.arm.settings.batch_size, order.trial.number)
        for order in executor.trials
        if order.trial.number > 999
    }
    assert len(tried) == 2 * 2 * 3 * 2
    chosen = found_in(store, both).variant.chosen
    assert chosen is not None and chosen[RATE] == 0.0003 and set(chosen) == {RATE, "batch_size"}


class Killed(Exception):
    """Where a kill would strike."""


@pytest.mark.parametrize("after", [1, 8, 20, 26])
def test_a_run_that_was_killed_goes_on_with_the_same_choice(tmp_path: Path, after: int) -> None:
    """Nothing is trained twice, whatever it was doing."""
    with Store.open(tmp_path / "whole.db") as store:
        whole, _ = run(store, study())
        expected = found_in(store, study())
    with Store.open(tmp_path / "killed.db") as store:
        ended = 0

        def strike(event: Event) -> None:
            nonlocal ended
            ended += isinstance(event, Outcome)
            if ended == after:
                raise Killed

        first = FakeExecutor(ending)
        with pytest.raises(Killed):
            run(store, study(), executor=first, on_event=strike)
        second, _ = run(store, study())
        found = found_in(store, study())
    assert ended == after
    keys = [order.key for order in second.trials]
    assert len(keys) == len(whole.trials) - after
    assert (found.variant.chosen, found.baseline.chosen) == (
        expected.variant.chosen,
        expected.baseline.chosen,
    )
    assert [one.as_dict() for one in found.answers] == [one.as_dict() for one in expected.answers]


def test_only_what_is_named_is_done(store: Store) -> None:
    """`--question T` tunes and compares; `--question Q` and `--arm` do not."""
    executor, done = run(store, study(), questions=["Q"])
    assert done.followed == () and {number // 1000 for _, number in numbers(executor)} == {0}
    assert found_in(store, study()).comparison is None
    executor, done = run(store, study(), questions=["T"])
    assert [one.question for one in done.followed] == ["T"] and done.run.trained == 0
    assert found_in(store, study()).settled
    with pytest.raises(StudyError, match="no question 'P' in study 'widths'; it has Q, T"):
        run(store, study(), questions=["P"])


def test_a_budget_that_ends_before_leaves_the_question_open_and_says_so(store: Store) -> None:
    """Nothing is begun once the time is over, and a later run goes on."""
    slow = FakeExecutor(ending, seconds=0.06)
    began = time.monotonic()
    _, done = run(store, study(), executor=slow, budget_seconds=0.1)
    assert time.monotonic() - began < 10
    assert "the budget ended" in done.followed[0].lacking
    found = found_in(store, study())
    assert found.comparison is None and not found.settled
    assert (
        "are not compared yet: first optimizer.learning_rate of each is chosen, and 0 of 18 trials"
        in found.sentence
    )
    run(store, study())
    assert found_in(store, study()).settled


def test_the_time_that_is_left_is_not_overrun_for_the_least_number_of_seeds(store: Store) -> None:
    """Ordinary questions may take minutes more to have three seeds; of what follows there may be many."""
    slow = FakeExecutor(ending, seconds=0.2)
    began = time.monotonic()
    _, done = run(store, study(), executor=slow, questions=["T"], budget_seconds=0.3)
    assert time.monotonic() - began < 1.5
    assert 0 < len(slow.trials) < 18 and "the budget ended" in done.followed[0].lacking
    run(store, study(), questions=["T"])
    assert found_in(store, study()).settled


def test_the_answers_hold_what_was_tried_and_chosen(store: Store) -> None:
    """Programs read the JSON."""
    run(store, study())
    found: Answers = answers(study(), store)
    (told,) = found.as_dict()["retuned"]
    assert told["question"] == "T" and told["variant"]["chosen"] == {RATE: 0.0003}
    assert [one["settings"][RATE] for one in told["baseline"]["tried"]] == [0.0003, 0.001, 0.003]
    assert told["answers"][0]["verdict"] == "increase that matters"
    assert [answer.question for answer in found.selected] == ["T"]
    assert [answer.question for answer in found] == ["Q"]


def test_such_questions_are_no_part_of_the_studys_own_promise(store: Store) -> None:
    """Adding one neither changes what is planned nor makes any interval wider."""
    plain = replace(study(), retuned=())
    run(store, plain)
    before = answers(plain, store)["Q"].accuracy
    with_it = answers(study(), store)["Q"].accuracy
    assert with_it.as_dict() == before.as_dict()
    run(store, study())
    assert len(store.plans("widths")) == 1
