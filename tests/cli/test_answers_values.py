"""Answers: the right seeds, the right metric, every reason to trust them less."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairtrial.analysis import answers
from fairtrial.analysis.progress import progress
from fairtrial.engine.precision import resolve
from fairtrial.errors import FairtrialError
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Arm, Study
from fairtrial.study.schema import Claim as SaidClaim
from fairtrial.trial import ENGINE_VERSION, Lost, Trial

Put = Callable[..., Any]


def kinds(answer: Any) -> set[str]:
    return {caveat.kind for caveat in answer.caveats}


def test_an_untrained_study_still_lists_every_arm_and_every_question(study: Study, store: Store) -> None:
    """Readers of the JSON must not have to ask whether an arm is missing or merely untrained."""
    found = answers(study, store).as_dict()
    assert [(arm["name"], arm["parameters"], arm["trials"]) for arm in found["arms"]] == [
        ("narrow", 42310, []),
        ("wide", 199210, []),
    ]
    assert [(one["metric"], one["on"]) for one in found["answers"]] == [
        ("accuracy", "validation"),
        ("accuracy", "test"),
        ("loss", "validation"),
        ("loss", "test"),
        ("time", None),
    ]
    assert all(one["verdict"] == "undecided" and one["estimate"] is None for one in found["answers"])
    assert "no finished seed in common" in found["answers"][0]["sentence"]


def test_the_contrast_is_variant_minus_baseline_on_the_seeds_both_have(
    study: Study, store: Store, put: Put
) -> None:
    """The sign of everything that is said depends on it."""
    for seed, (narrow, wide) in enumerate([(0.960, 0.975), (0.970, 0.980), (0.965, 0.970)], start=1):
        put(study.arms["narrow"], seed, validation_accuracy_last_epoch=narrow)
        put(study.arms["wide"], seed, validation_accuracy_last_epoch=wide)
    put(study.arms["wide"], 4, validation_accuracy_last_epoch=0.5)
    found = answers(study, store)["Q"].accuracy
    assert found.seeds == 3
    assert found.estimate == pytest.approx(0.010)
    assert (found.baseline_mean, found.variant_mean) == (pytest.approx(0.965), pytest.approx(0.975))
    assert found.pairing_correlation == pytest.approx(0.5)
    assert found.sentence.startswith(
        "Validation accuracy rose from 96.50 to 97.50 % (mean over the last epoch), by 1.00 pp (a change of "
    )
    assert " pp, 3 seeds): undecided; any change is smaller than " in found.sentence


def test_over_end_takes_the_figures_at_the_very_end(study: Study, store: Store, put: Put) -> None:
    """`over: end` is what the notebook measured; taking the wrong one would go unnoticed."""
    at_end = replace(study, questions=(study.questions[0].model_copy(update={"over": "end"}),))
    put(study.arms["narrow"], 1, validation_accuracy=0.90, validation_accuracy_last_epoch=0.50)
    put(study.arms["wide"], 1, validation_accuracy=0.92, validation_accuracy_last_epoch=0.50)
    assert answers(at_end, store)["Q"].accuracy.estimate == pytest.approx(0.02)
    assert "at the end of training" in answers(at_end, store)["Q"].accuracy.sentence
    assert answers(study, store)["Q"].accuracy.estimate == pytest.approx(0.0)


def test_seeds_beyond_a_gap_are_not_used_and_it_is_said(study: Study, store: Store, put: Put) -> None:
    """Those that finished first are not a random choice of seeds."""
    for seed in (1, 2, 4):
        put(study.arms["narrow"], seed)
    for seed in (1, 2, 3, 4):
        put(study.arms["wide"], seed)
    found = answers(study, store)["Q"].accuracy
    assert found.seeds == 2
    (caveat,) = [one for one in found.caveats if one.kind == "missing seeds"]
    assert "1 seed beyond seed 3" in caveat.text
    assert "narrow" in caveat.text


def test_a_diverged_seed_makes_the_answer_unstable_and_is_counted(
    study: Study, store: Store, put: Put
) -> None:
    """A mean over the survivors alone would flatter an arm that cannot be trained reliably."""
    for seed in (1, 2, 3):
        put(study.arms["narrow"], seed)
        put(study.arms["wide"], seed, state="diverged" if seed == 2 else "finished")
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.seeds) == ("unstable", 2)
    assert "1 of 3 runs of wide diverged" in found.sentence
    assert "diverged" in kinds(found)
    trials = answers(study, store).as_dict()["arms"][1]["trials"]
    assert [(one["state"], one["validation_accuracy"]) for one in trials] == [
        ("finished", 0.96),
        ("diverged", None),
        ("finished", 0.96),
    ]


def test_the_loss_margin_is_a_share_of_the_baselines_first_three_seeds(
    study: Study, store: Store, put: Put
) -> None:
    """Frozen early, so that the margin cannot move with the data it judges."""
    for seed, loss in enumerate([0.1, 0.2, 0.3, 9.0], start=1):
        put(study.arms["narrow"], seed, validation_loss_last_epoch=loss)
        put(study.arms["wide"], seed)
        if seed == 2:
            assert answers(study, store)["Q"].loss.margin is None
    assert answers(study, store)["Q"].loss.margin == pytest.approx(0.02 * 0.2)
    assert answers(study, store)["Q"].accuracy.margin == study.margins.accuracy


def test_a_confound_and_its_change_of_updates_are_said_with_the_answer(
    study: Study, store: Store, make_arm: Callable[..., Arm]
) -> None:
    """An answer travels without the study file that would show what else differed."""
    wide = make_arm("wide", width=200, batch_size=1000)
    confused = replace(study, arms={"narrow": study.arms["narrow"], "wide": wide})
    found = answers(confused, store)["Q"].accuracy
    assert {"confounded", "implied change"} <= kinds(found)
    assert any("batch_size" in str(caveat) for caveat in found.caveats)
    assert kinds(answers(study, store)["Q"].accuracy) == set()


def test_leaked_validation_is_a_caveat_on_validation_alone(study: Study, store: Store, put: Put) -> None:
    """The test set is untouched by the leak; crying wolf there would teach readers to skip caveats."""
    put(study.arms["narrow"], 1, validation_seen=0.985)
    put(study.arms["wide"], 1)
    group = answers(study, store)["Q"]
    (caveat,) = [one for one in group.accuracy.caveats if one.kind == "leaked validation"]
    assert "98.5 %" in caveat.text
    assert "leaked validation" not in kinds(group.on("test"))
    assert "leaked validation" not in kinds(group.time)


def test_trials_of_another_engine_version_are_named_and_not_used(
    study: Study, store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of two engines are not of one experiment."""
    put(study.arms["narrow"], 1)
    put(study.arms["wide"], 1)
    for module in ("fairtrial.trial", "fairtrial.store.store", "fairtrial.store.outcomes"):
        monkeypatch.setattr(f"{module}.ENGINE_VERSION", ENGINE_VERSION + 1)
    every = answers(study, store)
    found = every["Q"].accuracy
    assert found.seeds == 0
    texts = [one.text for one in found.caveats if one.kind == "another engine version"]
    assert texts[0].startswith(
        f"1 trial of engine version {ENGINE_VERSION}, of wide, is in this store and not used"
    )
    assert len(texts) == 2
    assert every.not_used.startswith(
        f"2 trials of engine version {ENGINE_VERSION} are in this store and not used"
    )
    assert every.as_dict()["other_engine_versions"] == {
        name: {str(ENGINE_VERSION): 1} for name in ("narrow", "wide")
    }
    (narrow, _) = progress(study, store, workers=1).arms
    assert narrow.other_engine_versions == {ENGINE_VERSION: 1}


def test_without_another_engine_nothing_is_said_of_one(study: Study, store: Store, put: Put) -> None:
    """A line that is always there is not read when it matters."""
    put(study.arms["narrow"], 1)
    every = answers(study, store)
    assert every.not_used == ""
    assert every.as_dict()["other_engine_versions"] == {}
    assert every.as_dict()["engine_version"] == ENGINE_VERSION


def test_a_seed_that_failed_is_said_with_its_reason(study: Study, store: Store, put: Put) -> None:
    """A seed that ran out of memory is the reason why the answer stops short."""
    put(study.arms["narrow"], 1)
    trial = Trial(arm=study.arms["wide"], seed=1, precision=resolve("auto"))
    for _ in range(2):
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record_lost(claim, Lost(key=trial.key, state="failed", reason="out of memory"), trial=trial)
    (caveat,) = [one for one in answers(study, store)["Q"].accuracy.caveats if one.kind == "failed"]
    assert caveat.text == "seed 1 of wide failed 2 times: out of memory"


def test_without_trials_claims_are_not_settled_and_go_with_their_own_metric(
    study: Study, store: Store
) -> None:
    """A claim about time must not be judged by an accuracy."""
    claims = (
        SaidClaim.model_validate({"says": "increase", "from": 0.97, "to": 0.988}),
        SaidClaim.model_validate({"metric": "time", "says": "increase"}),
    )
    claimed = replace(study, questions=(study.questions[0].model_copy(update={"claims": claims}),))
    group = answers(claimed, store)["Q"]
    assert [one.as_dict() for one in group.accuracy.claims] == [
        {"says": "increase", "from": 0.97, "to": 0.988, "verdict": "not settled"}
    ]
    assert [one.claim.metric for one in group.time.claims] == ["time"]
    assert group.on("test").claims == ()


def test_answers_are_plain_json_with_the_history(study: Study, store: Store, put: Put) -> None:
    """Other programs read it; NaN or a missing history would break them late."""
    trial = put(study.arms["narrow"], 1)
    text = json.dumps(answers(study, store).as_dict(), allow_nan=False)
    (stored,) = json.loads(text)["arms"][0]["trials"]
    assert (stored["seed"], stored["key"], stored["train_seconds"]) == (1, trial.key, 1.0)
    assert [epoch["epoch"] for epoch in stored["history"]] == [1]


def test_asking_for_what_was_not_asked_says_what_was(study: Study, store: Store) -> None:
    """A KeyError would leave the reader guessing at names."""
    found = answers(study, store)
    with pytest.raises(FairtrialError, match=r"no question 'Q9'.*its questions: Q"):
        found["Q9"]
    only = replace(study, questions=(study.questions[0].model_copy(update={"metrics": ("accuracy",)}),))
    with pytest.raises(FairtrialError, match="does not ask about time"):
        _ = answers(only, store)["Q"].time


def test_frames_have_a_row_per_trial_and_per_epoch(study: Study, store: Store, put: Put) -> None:
    """The way into pandas is the way out of this tool; it must lose nothing."""
    put(study.arms["narrow"], 1)
    put(study.arms["wide"], 1, train=2.0)
    found = answers(study, store)
    frame = found.trials()
    assert list(frame["arm"]) == ["narrow", "wide"]
    assert list(frame["train_seconds"]) == [1.0, 2.0]
    assert list(found.history()["epoch"]) == [1, 1]


def test_html_escapes_what_a_study_file_says(study: Study, store: Store) -> None:
    """A notebook runs whatever script gets into its output."""
    evil = replace(
        study,
        arms={"<b>": replace(study.arms["narrow"], name="<b>"), "wide": study.arms["wide"]},
        questions=(study.questions[0].model_copy(update={"baseline": "<b>", "id": "<script>"}),),
    )
    page = answers(evil, store)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
