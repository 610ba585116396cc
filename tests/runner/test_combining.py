"""Questions that combine others: what is taken, on which seeds it is judged, and whether the whole is the sum of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_executor import FakeExecutor, finished

from fairtrial.analysis import Combined, answers
from fairtrial.analysis.plan import plan_of
from fairtrial.analysis.register import arm_keys
from fairtrial.analysis.replaying import replay_store
from fairtrial.searching import following
from fairtrial.searching.work import telling
from fairtrial.store import Store
from fairtrial.study.check import findings
from fairtrial.study.schema import Combining, Study
from fairtrial.study.studyfile import load, study_from_dict
from fairtrial.trial import METRICS, Event, Outcome, Trial

ARMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "wide": {"network.mlp.width": 200},
    "wider": {"network.mlp.width": 400},
    "deep": {"network.mlp.depth": 4},
    "tanh": {"network.mlp.activation": "tanh"},
}
EFFECTS = {"wide": 0.010, "deep": 0.006, "tanh": -0.004}


def study(
    *questions: tuple[str, str],
    combine: Mapping[str, Any] | None = None,
    metric: str = "accuracy",
    seeds: int = 30,
) -> Study:
    """Questions (variant, baseline), called after their variants, and `all` that combines them."""
    asked = questions or (("wide", "plain"), ("deep", "plain"), ("tanh", "plain"))
    return study_from_dict(
        {
            "schema": "fairtrial/1",
            "name": "parts",
            "base": {"epochs": 1},
            "arms": ARMS,
            "questions": [
                *(
                    {"id": variant, "variant": variant, "baseline": baseline, "metrics": [metric]}
                    for variant, baseline in asked
                ),
                {
                    "id": "all",
                    "combine": [variant for variant, _ in asked],
                    "metric": metric,
                    **(combine or {}),
                },
            ],
            "seeds": {"min": 3, "max": seeds},
        }
    )


def gains(trial: Trial, effects: Mapping[str, float]) -> list[float]:
    mlp = trial.arm.settings.network.mlp
    assert mlp is not None
    has = {
        "wide": mlp.width == 200, "wider": mlp.width == 400, "deep": mlp.depth == 4, "tanh": mlp.activation == "tanh",
    }  # fmt: skip
    return [effect for name, effect in effects.items() if has[name]]


def drawn(trial: Trial, name: str) -> float:
    return float(np.random.default_rng([trial.number, *f"{trial.arm_key} {name}".encode()]).normal())


def measuring(
    effects: Mapping[str, float] = EFFECTS, *, together: float = 0.0, spread: float = 0.0005
) -> Callable[[Trial], Outcome]:
    """Accuracies where effects add up, and `together` on top where two of them meet."""

    def ending(trial: Trial) -> Outcome:
        found = gains(trial, effects)
        true = 0.9 + sum(found) + (together if len(found) > 1 else 0.0)
        shares = {name: true + spread * drawn(trial, name[:4]) for name in METRICS if "accuracy" in name}
        values = {name: min(1.0, share) for name, share in shares.items()}
        values |= {name: 1 - true + spread * drawn(trial, name[:4]) for name in METRICS if "loss" in name}
        return replace(finished(trial), metrics={**values, "validation_seen": 0.0})

    return ending


def run(
    store: Store, study: Study, ending: Callable[[Trial], Event] | None = None, **how: Any
) -> tuple[FakeExecutor, following.FollowedRun]:
    executor = how.pop("executor", None) or FakeExecutor(ending or measuring())
    watch = telling(how.pop("on_event", lambda _: None))
    return executor, following.run(study, store=store, executor=executor, watch=watch, **how)


def found_in(store: Store, study: Study) -> Combined:
    (found,) = answers(study, store).combined
    return found


def test_it_takes_what_is_settled_as_an_improvement_and_names_the_rest(store: Store) -> None:
    """Two of three are better, one is worse: the combination has the two."""
    run(store, study())
    found = found_in(store, study())
    assert [(one.question, dict(one.changes)) for one in found.parts] == [
        ("wide", {"network.mlp.width": 200}),
        ("deep", {"network.mlp.depth": 4}),
    ]
    assert [(one.question, one.because) for one in found.left_out] == [("tanh", "decrease that matters")]
    assert found.baseline == "plain"
    assert (
        "puts wide (network.mlp.width 200) and deep (network.mlp.depth 4) together on plain" in found.sentence
    )


def test_the_whole_is_judged_against_the_baseline_on_fresh_seeds_and_both_sets_of_images(
    store: Store,
) -> None:
    """What was chosen on seeds 1, 2, ... is not judged on them."""
    executor, done = run(store, study())
    found = found_in(store, study())
    assert [(one.on, one.verdict) for one in found.gain] == [
        ("test", "increase that matters"),
        ("validation", "increase that matters"),
    ]
    for answer in found.gain:
        assert answer.estimate == pytest.approx(0.016, abs=0.001)
        assert (answer.variant, answer.baseline) == ("all", "plain")
        assert answer.caveats == ()
    judged = {order.trial.number for order in executor.trials if order.trial.number > 999}
    assert judged <= set(range(3001, 3031)) and 3001 in judged
    assert done.followed[0].lacking == ""
    assert replay_store(store).differences == ()


def test_what_each_part_adds_to_the_others_is_measured_by_leaving_it_out(store: Store) -> None:
    run(store, study())
    found = found_in(store, study())
    assert {name: answer.estimate for name, answer in found.added.items()} == {
        "wide": pytest.approx(0.010, abs=0.001),
        "deep": pytest.approx(0.006, abs=0.001),
    }
    assert found.added["wide"].baseline == "all without wide"
    assert {answer.on for answer in found.added.values()} == {"test"}


def test_effects_that_add_up_make_the_whole_the_sum_of_its_parts(store: Store) -> None:
    run(store, study())
    seen = found_in(store, study()).interaction
    assert seen is not None and seen.verdict == "no difference that matters"
    assert seen.whole == pytest.approx(0.016, abs=0.001) and seen.parts == pytest.approx(0.016, abs=0.001)
    assert "the whole is the sum of its parts to within 0.1 pp" in seen.sentence
    assert seen.interval is not None and seen.interval.low < 0 < seen.interval.high


@pytest.mark.parametrize(
    ("together", "verdict", "words"),
    [
        (-0.008, "decrease that matters", "less than the sum of its parts by 0.8"),
        (0.008, "increase that matters", "more than the sum of its parts by 0."),
    ],
)
def test_effects_that_do_not_add_up_are_told_with_sign_and_size(
    store: Store, together: float, verdict: str, words: str
) -> None:
    """Whole: 1.6 pp and what comes of meeting; parts: 1.0 and 0.6 pp."""
    run(store, study(), measuring(together=together))
    seen = found_in(store, study()).interaction
    assert seen is not None and seen.verdict == verdict
    assert seen.estimate == pytest.approx(together, abs=0.0015)
    assert seen.interval is not None and seen.interval.low < together < seen.interval.high
    assert words[:35] in seen.sentence
    assert "not part of the error guarantee" in seen.guarantee


def test_of_a_loss_less_is_more(store: Store) -> None:
    """Losses that fall by less together than one by one: the whole is less than the sum of its parts."""
    lossy = study(metric="loss")
    run(store, lossy, measuring(together=-0.008))
    found = found_in(store, lossy)
    assert [one.question for one in found.parts] == ["wide", "deep"]
    assert [one.because[:8] for one in found.left_out] == ["increase"]
    assert found.gain[0].verdict == "decrease that matters"
    assert found.interaction is not None and found.interaction.verdict.direction < 0
    assert "less than the sum of its parts" in found.interaction.sentence


def test_it_goes_on_for_the_interaction_alone_until_that_is_settled_or_seeds_are_used_up(
    store: Store,
) -> None:
    """A faint one among much noise: the gain is settled early, the sum after many more seeds or never."""
    noisy = measuring({"wide": 0.05, "deep": 0.05}, spread=0.004)
    pair = study(("wide", "plain"), ("deep", "plain"), seeds=12)
    run(store, pair, noisy)
    found = found_in(store, pair)
    seen = found.interaction
    assert found.gain[0].settled and seen is not None
    assert seen.seeds == 12 and seen.open
    assert "not settled whether the whole is more or less" in seen.sentence


def test_of_two_that_set_the_same_the_one_that_goes_on_from_the_other_is_taken(store: Store) -> None:
    """400 units gained less over 200 than 200 over 50, and are better than both all the same."""
    chain = study(("wide", "plain"), ("wider", "wide"), ("deep", "plain"), combine={"baseline": "plain"})
    run(store, chain, measuring({"wide": 0.010, "wider": 0.013, "deep": 0.006}))
    found = found_in(store, chain)
    assert [one.question for one in found.parts] == ["wider", "deep"]
    (out,) = found.left_out
    assert out.question == "wide"
    assert out.because == "wider goes on from where it ends, and both set network.mlp.width"
    assert any(one.kind == "same setting" and "wider goes on from" in one.message for one in findings(chain))


def test_of_two_others_that_set_the_same_the_larger_one_is_taken(store: Store) -> None:
    rivals = study(("wide", "plain"), ("wider", "plain"), ("deep", "plain"))
    run(store, rivals, measuring({"wide": 0.013, "wider": 0.010, "deep": 0.006}))
    found = found_in(store, rivals)
    assert [one.question for one in found.parts] == ["wide", "deep"]
    assert found.left_out_lines == ("left out: wider (wide gained more, and both set network.mlp.width)",)
    assert any("the larger one is taken" in one.message for one in findings(rivals))


def test_fewer_than_two_improvements_are_nothing_to_combine(store: Store) -> None:
    """It says so, trains nothing for it, and is not what keeps `--strict` from being content."""
    executor, done = run(store, study(), measuring({"wide": 0.01, "deep": -0.01, "tanh": -0.01}))
    assert {order.trial.number // 1000 for order in executor.trials} == {0}
    found = found_in(store, study())
    assert (
        found.sentence
        == "There is nothing to combine: only wide is settled as an improvement that can be taken."
    )
    assert found.judgement is None and found.settled
    assert done.followed[0].lacking == ""


def test_nothing_is_combined_while_a_question_is_open(store: Store) -> None:
    """Three seeds settle the large effect and not the faint one: what is not known yet is not left out for good."""
    faint = measuring({"wide": 0.05, "deep": 0.003, "tanh": 0.0}, spread=0.003)
    _, done = run(store, study(), faint, seeds=3)
    assert "nothing is combined yet" in done.followed[0].lacking
    found = found_in(store, study())
    assert "deep" in found.open and not found.settled
    assert found.sentence.startswith("Nothing is combined yet: ")


def test_a_question_that_is_out_of_seeds_is_left_out_as_undecided(store: Store) -> None:
    noisy = measuring({"wide": 0.05, "deep": 0.05, "tanh": 0.001}, spread=0.004)
    run(store, study(seeds=10), noisy)
    found = found_in(store, study(seeds=10))
    assert [one.question for one in found.parts] == ["wide", "deep"]
    assert found.left_out_lines == ("left out: tanh (undecided)",)


def test_what_was_taken_stays_taken(store: Store) -> None:
    """The same call again trains nothing, and later seeds of the questions change nothing."""
    run(store, study())
    again, _ = run(store, study())
    assert again.trials == []
    run(store, replace(study(), combined=()), seeds=12)
    assert [one.question for one in found_in(store, study()).parts] == ["wide", "deep"]


class Killed(Exception):
    """Where a kill would strike."""


@pytest.mark.parametrize("after", [2, 14, 20, 30])
def test_a_run_that_was_killed_comes_to_the_same(tmp_path: Path, after: int) -> None:
    with Store.open(tmp_path / "whole.db") as store:
        whole, _ = run(store, study())
        expected = found_in(store, study()).as_dict()
    assert len(whole.trials) > after
    with Store.open(tmp_path / "killed.db") as store:
        ended = 0

        def strike(event: Event) -> None:
            nonlocal ended
            ended += isinstance(event, Outcome)
            if ended == after:
                raise Killed

        with pytest.raises(Killed):
            run(store, study(), on_event=strike)
        second, _ = run(store, study())
        assert len(second.trials) == len(whole.trials) - after
        assert found_in(store, study()).as_dict() == expected


def test_naming_it_answers_the_questions_it_lists_first(store: Store) -> None:
    """And no others."""
    some = replace(study(), combined=(Combining(id="all", combine=("wide", "deep")),))
    executor, done = run(store, some, questions=["all"])
    assert [one.question for one in done.followed] == ["all"]
    ordinary = {order.trial.arm.name for order in executor.trials if order.trial.number < 1000}
    assert ordinary == {"plain", "wide", "deep"}
    assert found_in(store, some).gain[0].settled


def test_a_diverging_arm_makes_no_statement_on_the_sum(store: Store) -> None:
    """What an arm gains on average is not defined where it may diverge."""

    def diverging(trial: Trial) -> Event:
        if trial.number == 3002 and gains(trial, EFFECTS) == [EFFECTS["deep"]]:
            return replace(finished(trial), state="diverged", metrics={}, reason="loss became nan")
        return measuring()(trial)

    run(store, study(), diverging)
    found = found_in(store, study())
    seen = found.interaction
    assert seen is not None and seen.verdict == "unstable" and seen.interval is None
    assert "runs of plain with deep diverged or failed" in seen.sentence
    assert found.added["wide"].verdict == "unstable" and found.gain[0].settled


def test_it_is_no_part_of_the_studys_plan(store: Store) -> None:
    """The evidence of a study stands when such a question is added: the course's too."""
    course = load("course")
    more = replace(
        course, combined=(Combining(id="Q10-combine", combine=("Q1-200", "Q1-better"), baseline="width-50"),)
    )
    assert plan_of(more, arm_keys(more)).text == plan_of(course, arm_keys(course)).text
    run(store, replace(study(), combined=()))
    before = [one.as_dict() for one in answers(replace(study(), combined=()), store)]
    assert [one.as_dict() for one in answers(study(), store)] == before
