"""Two stores become one: nothing is lost, nothing is joined twice, nothing that was here is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_store_fixture import MOMENT, TRIALS, fill, given_back
from safetensors.numpy import save_file
from store_samples import PROVENANCE, diverged, finished, trial_of
from test_store_pairs import times

from fairtrial.analysis.plan import Plan, Planned
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.errors import StoreError
from fairtrial.merging import Merged, merge
from fairtrial.store import Claim, Proposal, StaleClaim, Store, connection
from fairtrial.store.joining import Joining
from fairtrial.store.migrations import newest
from fairtrial.trial import Lost, Outcome, Trial

PARTS = ("trials", "attempts", "plans", "pairs", "proposals", "selections")
KEPT = Path(__file__).parent


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return tmp_path / "ours.db"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    return tmp_path / "there" / "other.db"


def merged(other: Path, ours: Path, **more: Any) -> Merged:
    with Store.open(ours) as store:
        return merge(other, store, **more)


def put(path: Path, trial: Trial, *, weights: bool = False, at: datetime = MOMENT, **changed: Any) -> Outcome:
    outcome = replace(finished(trial), **changed)
    with Store.open(path, now=lambda: at) as store:
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, outcome, trial=trial, weights=weights)
    return outcome


def with_weights(path: Path, trial: Trial) -> bytes:
    """Record a trial whose weights are really beside the store; returns the file."""
    weights = {"dense-1/kernel": np.full((2, 3), float(trial.seed), np.float32)}
    put(path, trial, weights=True, weights_sha256=fingerprint(weights))
    with Store.open(path) as store:
        file = store.weights_path(trial.key)
    file.parent.mkdir(exist_ok=True)
    save_file(weights, file)
    return file.read_bytes()


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [line for line in opened.iterdump() if "claims" not in line]


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute(statement)


def test_everything_of_the_other_store_is_here_afterwards(ours: Path, other: Path) -> None:
    """Outcomes with epochs and predictions, the attempts before them, plans, pairs, searches, selections."""
    put(ours, trial_of(9))
    with Store.open(other, now=lambda: MOMENT) as store:
        fill_plannable(store)
    before = other.read_bytes()
    found = merged(other, ours)
    keys = [trial.key for trial in TRIALS]
    assert (found.trials, found.pairs, found.plans, found.searches, found.selections) == (3, 2, 1, 1, 1)
    assert (found.conflicts, found.alike, found.dry) == ((), 0, False)
    with Store.open(ours) as store, Store.open(other) as theirs:
        here, there = given_back(store, keys, PARTS), given_back(theirs, keys, PARTS)
        # Attempts that led to no outcome say something of the machine they were made on, and stay there.
        there["attempts"][TRIALS[2].key] = []
        assert here == there
        for trial in (TRIALS[0], TRIALS[4]):
            one, same = store.predictions(trial.key), theirs.predictions(trial.key)
            assert one is not None and same is not None
            assert one.probabilities.tolist() == same.probabilities.tolist()
        assert store.known([trial_of(9).key])
        assert not store.holders(keys), "who trains what over there is none of ours"
    assert other.read_bytes() == before or not before


def fill_plannable(store: Store) -> None:
    """The samples, with a plan that can be read as one."""
    fill(store)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as opened:
        plan = plan_of(TRIALS[0], TRIALS[4])
        opened.execute("UPDATE plans SET plan = ?, sha256 = ?", (plan.text, plan.sha256))


def plan_of(variant: Trial, baseline: Trial, *, margin: float = 0.001) -> Plan:
    planned = Planned(
        variant=variant.arm_key, baseline=baseline.arm_key, metric="accuracy", on="validation", over="last_epoch",
        goal="change", margin=margin,
    )  # fmt: skip
    return Plan(verdicts=(planned,), confidence=0.95, first=3, horizon=50)


def test_merging_again_joins_nothing(ours: Path, other: Path) -> None:
    """Two machines meet more than once."""
    with Store.open(other, now=lambda: MOMENT) as store:
        fill_plannable(store)
    merged(other, ours)
    before = dump(ours)
    again = merged(other, ours)
    assert (again.trials, again.pairs, again.plans, again.searches, again.selections) == (0, 0, 0, 0, 0)
    assert (again.alike, again.conflicts, again.notes) == (3, (), ())
    assert dump(ours) == before


def test_a_conflict_is_listed_with_both_figures_and_nothing_is_overwritten(ours: Path, other: Path) -> None:
    """The same key with other numbers means that one of two machines cannot be trusted, or both differ in the last digit."""
    trial, same = trial_of(1), trial_of(2)
    mine = put(ours, trial)
    metrics = {**mine.metrics, "test_loss": mine.metrics["test_loss"] + 1e-16}
    assert metrics["test_loss"] != mine.metrics["test_loss"]
    history = (*mine.history[:-1], mine.history[-1]._replace(validation_loss=0.25, train_seconds=9.0))
    put(
        other,
        trial,
        metrics=metrics,
        history=history,
        weights_sha256="f" * 64,
        provenance={"machine": "there"},
    )
    for path in (ours, other):
        put(path, same)
    before = dump(ours)
    found = merged(other, ours)
    assert (found.trials, found.alike) == (0, 1)
    (conflict,) = found.conflicts
    assert (conflict.key, conflict.arm, conflict.seed) == (trial.key, "width-50", 1)
    assert {(one.what, one.stored, one.again) for one in conflict.differences} == {
        ("test_loss", mine.metrics["test_loss"], metrics["test_loss"]),
        ("weights_sha256", mine.weights_sha256, "f" * 64),
        ("epoch 5, validation_loss", mine.history[-1].validation_loss, 0.25),
    }
    assert (conflict.made_here, conflict.made_there) == (PROVENANCE, {"machine": "there"})
    assert dump(ours) == before


def test_predictions_that_differ_are_a_conflict_and_missing_ones_are_none(ours: Path, other: Path) -> None:
    """The metrics may agree while single images do not; a store that never kept predictions says nothing against it."""
    first, second = trial_of(1), trial_of(2)
    kept = put(ours, first).predictions
    assert kept is not None
    put(other, first, predictions=replace(kept, classes=(kept.classes + 1) % 10))
    put(ours, second)
    put(other, second, predictions=None)
    found = merged(other, ours)
    assert [one.key for one in found.conflicts] == [first.key]
    assert str(found.conflicts[0].differences[0]).startswith("predictions, classes: stored of 100 images")
    assert found.alike == 1


def test_a_dry_run_says_the_same_and_changes_nothing(ours: Path, other: Path) -> None:
    """Before two months of training are joined one may want to see what would happen."""
    with_weights(other, trial_of(7))
    with Store.open(other, now=lambda: MOMENT) as store:
        fill_plannable(store)
    put(ours, TRIALS[0], metrics={**finished(TRIALS[0]).metrics, "test_loss": 0.5})
    before = dump(ours)
    dry = merged(other, ours, dry_run=True)
    assert dump(ours) == before
    assert not ours.with_suffix(".weights").exists()
    real = merged(other, ours)
    assert replace(dry, dry=False) == real
    assert (real.trials, real.weights, len(real.conflicts)) == (3, 1, 1)


def test_weights_come_along_where_they_are_whole(ours: Path, other: Path) -> None:
    """Pictures of weights need them; a damaged file would be another network."""
    whole, damaged, missing, late = (trial_of(seed) for seed in (1, 2, 3, 4))
    content = with_weights(other, whole)
    for trial in (damaged, missing, late):
        with_weights(other, trial)
    with Store.open(other) as theirs, Store.open(ours) as store:
        theirs.weights_path(damaged.key).write_bytes(content[:-4] + b"\x01\x02\x03\x04")
        theirs.weights_path(missing.key).unlink()
        files = {trial.key: store.weights_path(trial.key) for trial in (whole, damaged, missing, late)}
        same = theirs.stored([late.key])[late.key].outcome
    # Trained here as well, without keeping its weights.
    put(ours, late, weights_sha256=same.weights_sha256)
    found = merged(other, ours)
    assert (found.weights, found.no_weights) == (2, 2)
    assert files[whole.key].read_bytes() == content
    with Store.open(ours) as store:
        assert set(store.saved_weights(files)) == {whole.key, late.key}
    assert sorted(files[whole.key].parent.iterdir()) == sorted([files[whole.key], files[late.key]])


@pytest.mark.parametrize("number", range(1, newest() + 1))
def test_a_store_of_every_version_is_joined_and_left_as_it_is(
    number: int, ours: Path, tmp_path: Path
) -> None:
    """The other machine may not have been upgraded yet, and must not be by this."""
    old = tmp_path / "old.db"
    if (KEPT / f"v{number}.db").exists():
        old.write_bytes((KEPT / f"v{number}.db").read_bytes())
    else:
        with closing(sqlite3.connect(old)) as opened:
            opened.executescript((KEPT / f"v{number}.sql").read_text(encoding="utf-8"))
            opened.execute("DELETE FROM plans")  # theirs are no plans that anybody could have made
            opened.commit()
    before = old.read_bytes()
    found = merged(old, ours)
    assert found.trials == (2 if number == 1 else 3)
    assert found.no_weights == 1
    assert old.read_bytes() == before
    assert not list(tmp_path.glob("old.db-*"))
    notes = [note for note in found.notes if "engine version 1" in note]
    assert bool(notes) is (number < 4), "numbers of another engine are kept, named, and not used"


def newer(path: Path) -> None:
    put(path, trial_of(1))
    change(path, f"PRAGMA user_version = {newest() + 1}")


def foreign(path: Path) -> None:
    change(path, "CREATE TABLE notes (x)")


def changed_by_hand(path: Path) -> None:
    put(path, trial_of(1))
    change(path, "UPDATE arms SET settings = replace(settings, '50', '51')")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (newer, f"was written by a newer fairtrial (store version {newest() + 1}"),
        (foreign, "is a database of another program"),
        (lambda path: path.write_text("name: width\n"), "is not a fairtrial store"),
        (lambda path: None, "there is no store here"),
        (changed_by_hand, "under a key that does not follow from its settings"),
    ],
    ids=["newer", "foreign", "no database", "missing", "changed by hand"],
)
def test_what_is_no_sound_store_is_refused_and_ours_stays_as_it_is(
    make: Callable[[Path], object], said: str, ours: Path, other: Path
) -> None:
    """Damage must not spread from one machine to the next."""
    put(ours, trial_of(3))
    make(other)
    before = dump(ours)
    with pytest.raises(StoreError) as caught:
        merged(other, ours)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(other))
    assert dump(ours) == before


def test_a_store_is_not_joined_to_itself(ours: Path) -> None:
    """A slip of the fingers, and harmless: but it would look like a merge."""
    put(ours, trial_of(1))
    with pytest.raises(StoreError, match="is this very store"):
        merged(ours, ours)


def test_a_trial_that_is_being_trained_here_is_joined_and_its_end_is_no_error(
    ours: Path, other: Path
) -> None:
    """Whoever merges while a run goes on must not break the run."""
    trial = trial_of(1)
    theirs = put(other, trial)
    with Store.open(ours) as training:
        claim = training.claim(trial)
        assert isinstance(claim, Claim)
        assert merged(other, ours).trials == 1
        assert training.heartbeat([claim]) == (claim,)
        with pytest.raises(StaleClaim):
            training.record(claim, diverged(trial), trial=trial, weights=False)
        assert training.stored([trial.key])[trial.key].outcome.metrics == theirs.metrics


def test_attempts_before_an_outcome_follow_on_ours(ours: Path, other: Path) -> None:
    """How often it failed on either machine is part of what is known of a trial."""
    trial = trial_of(1)
    for path, reasons in ((ours, ["here"]), (other, ["first there", "second there"])):
        with Store.open(path) as store:
            for reason in reasons:
                claim = store.claim(trial)
                assert isinstance(claim, Claim)
                store.record_lost(claim, Lost(key=trial.key, state="failed", reason=reason), trial=trial)
    put(other, trial)
    merged(other, ours)
    with Store.open(ours) as store:
        found = store.attempts([trial.key])[trial.key]
    assert [(one.number, one.reason) for one in found] == [
        (1, "here"), (2, "first there"), (3, "second there"),
    ]  # fmt: skip


def test_a_merge_that_is_cut_short_is_completed_by_the_next(
    ours: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some hundred trials go into one transaction: all of it is there, or nothing."""
    monkeypatch.setattr(connection, "_KEYS_PER_STATEMENT", 2)
    for seed in range(1, 6):
        put(other, trial_of(seed))
    join = Joining.join_trials
    calls: list[int] = []

    def failing(joining: Joining, keys: Any, *, weights: Any) -> int:
        calls.append(len(keys))
        if len(calls) == 2:
            joining.connection.set_progress_handler(lambda: 1, 1)  # SQLite gives up in mid-transaction
        return join(joining, keys, weights=weights)

    monkeypatch.setattr(Joining, "join_trials", failing)
    with pytest.raises(StoreError):
        merged(other, ours)
    keys = [trial_of(seed).key for seed in range(1, 6)]
    with Store.open(ours) as store:
        assert len(store.known(keys)) == 2
        assert all(
            len(one.outcome.history) == 5 for one in store.stored(store.known(keys), history=True).values()
        )
    monkeypatch.setattr(Joining, "join_trials", join)
    found = merged(other, ours)
    assert (found.trials, found.alike) == (3, 2)


def test_pairs_are_joined_once_and_keep_their_machine(ours: Path, other: Path) -> None:
    """An answer on time uses those of one machine; what tells them apart must come along."""
    for path in (ours, other):
        with Store.open(path, now=lambda: MOMENT) as store:
            fill_plannable(store)
    change(other, "UPDATE pairs SET machine = 'another' WHERE seed = 2")
    assert merged(other, ours).pairs == 1
    with Store.open(ours) as store:
        found = store.pairs(TRIALS[0].arm_key, TRIALS[4].arm_key)
    assert [(one.times.seed, one.times.machine) for one in found] == [
        (1, "a-machine"), (2, "a-machine"), (2, "another"),
    ]  # fmt: skip
    assert found[2].times.provenance == PROVENANCE


def plan(path: Path, study: str, planned: Plan, *, at: datetime) -> None:
    with Store.open(path, now=lambda: at) as store:
        store.add_plan(study=study, sha256=planned.sha256, plan=planned.text, seen={})


def test_a_plan_from_there_counts_what_had_been_trained_here_before_it(ours: Path, other: Path) -> None:
    """A plan promises something only if nobody had seen what it is about."""
    one, two = trial_of(1), trial_of(1, width=100)
    day = timedelta(days=1)
    put(ours, one, at=MOMENT)
    put(ours, trial_of(2), at=MOMENT + 2 * day)
    plan(other, "width", plan_of(two, one), at=MOMENT + day)
    put(other, two, at=MOMENT + 2 * day)
    assert merged(other, ours).plans == 1
    with Store.open(ours) as store:
        (kept,) = store.plans("width")
    assert kept.registered_at == MOMENT + day
    assert kept.seen == {one.arm_key: 1}


def test_a_plan_of_ours_stands_and_what_may_have_been_seen_there_is_said(ours: Path, other: Path) -> None:
    """Trained there first and planned here afterwards: nobody can tell whether somebody looked."""
    one, two = trial_of(1), trial_of(1, width=100)
    day = timedelta(days=1)
    put(other, one, at=MOMENT)
    plan(other, "width", plan_of(two, one, margin=0.01), at=MOMENT)
    plan(ours, "width", plan_of(two, one), at=MOMENT + day)
    found = merged(other, ours)
    assert found.plans == 0
    assert found.notes == (
        "study width was planned otherwise there: the plan of this store stands",
        "1 trial of the arms of study width had been trained there before it was planned here: if somebody looked at "
        "them, its error guarantee does not hold",
    )
    with Store.open(ours) as store:
        assert [one.sha256 for one in store.plans("width")] == [plan_of(two, trial_of(1)).sha256]


def test_the_same_study_of_other_arms_is_another_and_brings_its_plan(ours: Path, other: Path) -> None:
    """`--set epochs=1` under one name: what was promised there must not look planned late here."""
    plan(ours, "width", plan_of(trial_of(1, width=100), trial_of(1)), at=MOMENT)
    apart = plan_of(trial_of(1, width=30), trial_of(1, width=20))
    plan(other, "width", apart, at=MOMENT)
    put(other, trial_of(1, width=30), at=MOMENT + timedelta(days=1))
    found = merged(other, ours)
    assert (found.plans, found.notes) == (1, ())
    with Store.open(ours) as store:
        assert [one.sha256 for one in store.plans("width")][1:] == [apart.sha256]
    assert merged(other, ours).plans == 0


def test_two_machines_with_one_plan_are_nothing_to_speak_of(ours: Path, other: Path) -> None:
    """The ordinary case: the same study on two machines, half of the seeds each."""
    one, two = trial_of(1), trial_of(1, width=100)
    for path in (ours, other):
        plan(path, "width", plan_of(two, one), at=MOMENT + timedelta(days=path is ours))
    put(other, one, at=MOMENT)
    found = merged(other, ours)
    assert (found.trials, found.plans, found.notes) == (1, 0, ())


def test_searches_that_went_other_ways_are_not_mixed(ours: Path, other: Path) -> None:
    """A proposal's number means one point; two histories under one search would be neither."""
    for path, width in ((ours, 64), (other, 128)):
        with Store.open(path, now=lambda: datetime.now(UTC)) as store:
            store.propose(Proposal(search="s", number=0, parameters={"width": width}, arm_key="a"))
            if path is other:
                store.select(study="t", question="S1", basis="s", selected="{}", first_block=3000)
    found = merged(other, ours)
    assert (found.searches, found.selections) == (0, 0)
    assert [note.split(":")[0] for note in found.notes] == [
        "search s has made other proposals there",
        "what question S1 of study t selected there is not brought along",
    ]
    with Store.open(ours) as store:
        assert [one.parameters for one in store.proposals("s")] == [{"width": 64}]
        assert store.selections(study="t", question="S1") == []


def test_one_search_proposed_at_two_times_is_one(ours: Path, other: Path) -> None:
    """The same search from the same start proposes the same, on whichever day."""
    for path, day in ((ours, 0), (other, 1)):
        with Store.open(path, now=lambda day=day: MOMENT + timedelta(days=day)) as store:
            store.propose(Proposal(search="s", number=0, parameters={"width": 64}, arm_key="a"))
            store.select(study="t", question="S1", basis="s", selected="{}", first_block=3000)
    found = merged(other, ours)
    assert (found.searches, found.selections, found.notes) == (0, 0, ())


def test_two_stores_are_joined_one_after_the_other_into_an_open_one(ours: Path, other: Path) -> None:
    """In a notebook the store stays open; what was beside it is gone afterwards."""
    third = other.with_name("third.db")
    for path, seed in ((other, 1), (third, 2)):
        put(path, trial_of(seed))
    with Store.open(ours) as store:
        assert [merge(path, store).trials for path in (other, third, other)] == [1, 1, 0]
        assert store.known([trial_of(1).key, trial_of(2).key]) == {trial_of(1).key, trial_of(2).key}


def test_how_many_trials_were_joined_is_counted(ours: Path, other: Path) -> None:
    """Those that were lacking, and none of them twice."""
    keys = [trial_of(seed).key for seed in (1, 2)]
    for seed in (1, 2):
        put(other, trial_of(seed))
    put(ours, trial_of(2))
    with (
        Store.open(ours) as store,
        Store.open(other) as theirs,
        store.beside(theirs, source=other) as joining,
    ):
        assert joining.join_trials(keys, weights=()) == 1
        assert joining.join_trials(keys, weights=()) == 0
        assert store.known(keys) == set(keys)


def test_a_pair_brings_its_arms_and_its_machine_though_nothing_of_them_was_trained(
    ours: Path, other: Path
) -> None:
    """Questions on time alone train nothing."""
    narrow, wide = trial_of(1), trial_of(1, width=100)
    with Store.open(other) as store:
        store.record_pair(times(narrow, wide), first=narrow, second=wide)
    assert merged(other, ours).pairs == 1
    with Store.open(ours) as store:
        assert [one.times for one in store.pairs(wide.arm_key, narrow.arm_key)] == [times(narrow, wide)]


def test_where_something_was_trained_comes_along_whatever_its_number_there(ours: Path, other: Path) -> None:
    """Each store numbers its machines by itself: here the other's first one is the second."""
    here, there, narrow, wide = trial_of(1), trial_of(2), trial_of(1), trial_of(1, width=100)
    put(ours, here, provenance={"machine": "here"})
    put(other, there, provenance={"machine": "there"})
    pair = replace(times(narrow, wide), provenance={"machine": "there"})
    for path in (ours, other):
        with Store.open(path, now=lambda: MOMENT) as store:
            store.record_pair(pair, first=narrow, second=wide)
    found = merged(other, ours)
    assert (found.trials, found.pairs) == (1, 0), "the pair is here already, under another number"
    with Store.open(ours) as store:
        stored = store.stored([here.key, there.key])
        assert [one.outcome.provenance["machine"] for one in stored.values()] == ["here", "there"]
        assert [one.times for one in store.pairs(narrow.arm_key, wide.arm_key)] == [pair]
