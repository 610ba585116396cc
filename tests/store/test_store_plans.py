"""Plans and looks: kept as they were written, in order, and never written over."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import finished, trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store, StoredLook, StoredVerdict
from fairtrial.trial import ENGINE_VERSION, Trial

LOOK = StoredLook(
    n=3, seeds=(1, 2, 3), estimate=0.01, sd=0.001, margin=0.001, sign_level=0.005, low=None, high=None,
    equivalence_level=0.01, equivalence_low=0.009, equivalence_high=0.011, alone="undecided", verdict="undecided",
)  # fmt: skip
JUDGED = StoredVerdict(sha256="a" * 64, study="s", question="Q", terms="{}", looks=(LOOK,))


def put(store: Store, trial: Trial) -> None:
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    store.record(claim, finished(trial), trial=trial, weights=False)


def test_plans_come_back_in_the_order_they_were_registered(store: Store) -> None:
    """Which plan came first is what they are kept for."""
    for number, study in enumerate(("one", "two", "one")):
        store.add_plan(study=study, sha256=str(number), plan=f'{{"n":{number}}}', seen={"arm": number})
    assert [plan.sha256 for plan in store.plans("one")] == ["0", "2"]
    assert [(plan.study, dict(plan.seen)) for plan in store.plans()] == [
        ("one", {"arm": 0}), ("two", {"arm": 1}), ("one", {"arm": 2}),
    ]  # fmt: skip


def test_a_plan_made_without_knowing_the_last_one_is_not_kept(store: Store) -> None:
    """Two runs that start at once read that there is none; one of them must look again."""
    assert store.add_plan(study="s", sha256="0", plan="{}", seen={}, after=0)
    assert not store.add_plan(study="s", sha256="1", plan="{}", seen={}, after=0)
    assert store.add_plan(study="another", sha256="2", plan="{}", seen={}, after=0)
    assert store.add_plan(study="s", sha256="3", plan="{}", seen={}, after=1)
    assert [plan.sha256 for plan in store.plans()] == ["0", "2", "3"]


def test_a_look_once_stored_is_never_written_over(store: Store) -> None:
    """A history that can be rewritten proves nothing."""
    store.add_looks([JUDGED])
    later = replace(LOOK, n=4, seeds=(1, 2, 3, 4), verdict="increase that matters")
    store.add_looks([replace(JUDGED, question="R", looks=(replace(LOOK, verdict="another"), later))])
    assert store.verdicts("s") == store.verdicts() == [replace(JUDGED, looks=(LOOK, later))]
    assert store.verdicts("another") == []


def test_trials_seen_are_counted_by_arm_without_those_that_answer_no_question(store: Store) -> None:
    """A plan is held against what it could have been made from: a search's seeds show none of its contrasts."""
    for trial in (trial_of(1), trial_of(2), trial_of(1001), trial_of(1, width=20)):
        put(store, trial)
    first, other, never = trial_of(1), trial_of(1, width=20), trial_of(1, width=99)
    assert store.seen([first.arm_key, other.arm_key, never.arm_key]) == {first.arm_key: 2, other.arm_key: 1}


def test_trials_from_before_plans_were_kept_are_held_against_none(tmp_path: Path) -> None:
    """Nobody can say any more which came first, the plan or the trial; and nobody did wrong."""
    old = Path(shutil.copy(Path(__file__).with_name("v1.db"), tmp_path / "old.db"))
    with Store.open(old) as store:
        assert store.seen([trial_of(1).arm_key]) == {}
        put(store, trial_of(7))
        assert store.seen([trial_of(1).arm_key]) == {trial_of(1).arm_key: 1}


def test_an_arms_trials_are_found_by_its_key_alone(store: Store) -> None:
    """A store must be checkable without the study file it was made from."""
    for seed in (3, 1):
        put(store, trial_of(seed))
    key = trial_of(1).arm_key
    found = store.stored_of_arms([key, "never trained"], engine_version=ENGINE_VERSION, last_seed=999)
    assert [trial.seed for trial in found[key]] == [1, 3]
    assert found["never trained"] == ()
    assert [trial.seed for trial in store.stored_of_arms([key], last_seed=2)[key]] == [1]
    assert store.stored_of_arms([key], engine_version=ENGINE_VERSION + 1, last_seed=999) == {key: ()}


def test_what_was_changed_by_hand_into_nonsense_is_refused_in_words(store: Store) -> None:
    """A traceback would look like a fault of the program."""
    store.add_looks([JUDGED])
    store._connection.execute("UPDATE looks SET seeds = 'one, two'")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match=r"\(the seeds of a look cannot be read.*changed by hand"):
        store.verdicts()
