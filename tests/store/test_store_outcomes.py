"""What goes into the store comes out of it, once."""

from __future__ import annotations

import math
import sqlite3
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import PROVENANCE, diverged, finished, trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Known, StaleClaim, Store, Taken
from fairtrial.store.outcomes import PHASES, SHARES
from fairtrial.trial import ENGINE_VERSION, METRICS, EpochRecord, Lost, Outcome, Trial


def claimed(store: Store, trial: Trial) -> Claim:
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    return claim


def record(store: Store, outcome: Outcome, trial: Trial, *, weights: bool = False) -> None:
    store.record(claimed(store, trial), outcome, trial=trial, weights=weights)


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    """As another program would read the file."""
    connection = sqlite3.connect(store.path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_finished_outcome_comes_back_as_it_was(store: Store) -> None:
    """Answers are computed from what the store gives back, never from what training returned."""
    trial = trial_of(1)
    outcome = finished(trial)
    record(store, outcome, trial)
    stored = store.stored([trial.key], history=True)[trial.key]
    assert stored.outcome == replace(outcome, predictions=None)
    assert (stored.arm_key, stored.arm_name, stored.seed) == (trial.arm_key, "width-50", 1)
    assert (stored.precision, stored.engine_version, stored.attempts) == ("float32", ENGINE_VERSION, ())


def test_a_diverged_outcome_comes_back_as_it_was(store: Store) -> None:
    """An arm that diverges is an answer; its reason and the epochs before it are the evidence."""
    trial = trial_of(1)
    record(store, diverged(trial), trial)
    assert store.stored([trial.key], history=True)[trial.key].outcome == diverged(trial)
    assert store.predictions(trial.key) is None


def test_histories_and_predictions_are_read_only_when_asked_for(store: Store) -> None:
    """A hundred thousand trials must not drag their histories through memory for one table of means."""
    trial = trial_of(1)
    record(store, finished(trial), trial)
    outcome = store.stored([trial.key])[trial.key].outcome
    assert outcome.history == ()
    assert outcome.predictions is None
    assert outcome.epochs == 5


ANY_FLOAT = st.floats(allow_nan=False) | st.sampled_from(
    [5e-324, 2.2250738585072e-308, sys.float_info.max, math.inf, 0.1 + 0.2]
)
ANY_SHARE = st.floats(0, 1) | st.sampled_from([5e-324, 2.2250738585072e-308, 1 - 2**-53, 0.1 + 0.2])
NUMBERS = st.fixed_dictionaries({name: ANY_SHARE if name in SHARES else ANY_FLOAT for name in METRICS})
EPOCH = st.tuples(*[ANY_FLOAT | st.just(math.nan)] * 6)


def bits(value: float) -> str:
    """The exact number; SQLite keeps no sign of zero, and none is needed."""
    return float.hex(value + 0.0)


def test_every_float_comes_back_bit_for_bit(tmp_path: Path) -> None:
    """'Same seed, same history' is checked on stored numbers: denormals, infinities and NaN included."""
    seeds = count(1)
    names = [name for name in EpochRecord._fields if name != "epoch"]
    with Store.open(tmp_path / "floats.db") as store:

        @settings(max_examples=60, deadline=None)
        @given(metrics=NUMBERS, epochs=st.lists(EPOCH, max_size=4))
        def comes_back(metrics: dict[str, float], epochs: list[tuple[float, ...]]) -> None:
            trial = trial_of(next(seeds))
            history = tuple(
                EpochRecord(epoch=number, **dict(zip(names, values, strict=True)))
                for number, values in enumerate(epochs, start=1)
            )
            outcome = replace(finished(trial), metrics=metrics, history=history, epochs=len(epochs))
            record(store, outcome, trial)
            back = store.stored([trial.key], history=True)[trial.key].outcome
            assert {name: bits(value) for name, value in back.metrics.items()} == {
                name: bits(value) for name, value in metrics.items()
            }
            assert [[bits(getattr(one, name)) for name in names] for one in back.history] == [
                [bits(value) for value in values] for values in epochs
            ]

        comes_back()


def test_a_reason_that_is_no_proper_unicode_is_stored_all_the_same(store: Store) -> None:
    """The last words of a dying process hold any bytes; they must not cost the record of its death."""
    trial = trial_of(1)
    lost = Lost(key=trial.key, state="failed", reason="killed: \udcff\x00 by signal 9 — out of memory")
    store.record_lost(claimed(store, trial), lost, trial=trial)
    (attempt,) = store.attempts([trial.key])[trial.key]
    assert attempt.reason == "killed: \\udcff\x00 by signal 9 — out of memory"


def test_the_same_key_is_never_stored_twice(store: Store) -> None:
    """A trial counted twice would be a seed counted twice in every answer."""
    trial = trial_of(1)
    claim = claimed(store, trial)
    store.record(claim, finished(trial), trial=trial, weights=False)
    assert store.claim(trial) == Known(key=trial.key)
    with pytest.raises(StaleClaim, match="nothing was stored"):
        store.record(claim, diverged(trial), trial=trial, weights=False)
    assert store.stored([trial.key])[trial.key].outcome.state == "finished"
    assert rows(store, "SELECT count(*) FROM trials") == [(1,)]


def test_a_refused_outcome_leaves_no_trace_and_keeps_the_claim(store: Store) -> None:
    """A fault half way through a record must not lose the right to record it properly."""
    trial = trial_of(1)
    claim = claimed(store, trial)
    outcome = finished(trial)
    assert outcome.predictions is not None
    for broken, complaint in (
        (replace(outcome, metrics=outcome.metrics | {"f1": 0.5}), "unknown metric 'f1'"),
        (replace(outcome, metrics=outcome.metrics | {"test_loss": math.nan}), "'test_loss' is not a number"),
        (replace(outcome, seconds={"lunch": 1.0}), "unknown phase 'lunch'"),
        (replace(outcome, epochs=6), "6 epochs need records 1 to 6"),
        (replace(outcome, key="0" * 64), "another trial"),
        (
            replace(outcome, predictions=replace(outcome.predictions, right=np.zeros(3, np.uint8))),
            "one entry per test image",
        ),
        (
            replace(
                outcome,
                predictions=replace(outcome.predictions, probabilities=np.full(100, np.nan, np.float32)),
            ),
            r"not in \[0, 1\]",
        ),
    ):
        with pytest.raises(StoreError, match=complaint):
            store.record(claim, broken, trial=trial, weights=False)
        for table in ("trials", "epochs", "predictions", "arms", "provenance"):
            assert rows(store, f"SELECT count(*) FROM {table}") == [(0,)], (complaint, table)
    store.record(claim, outcome, trial=trial, weights=False)
    assert store.known([trial.key]) == {trial.key}


def test_a_claim_records_its_own_trial_only(store: Store) -> None:
    """A mixed-up pair in the runner would file one arm's numbers under another."""
    first, second = trial_of(1), trial_of(2)
    claim = claimed(store, first)
    with pytest.raises(StoreError, match="claim is for another trial"):
        store.record(claim, finished(second), trial=second, weights=False)
    with pytest.raises(StoreError, match="claim is for another trial"):
        store.record_lost(claim, Lost(key=second.key, state="failed", reason=""), trial=second)
    with pytest.raises(StoreError, match="attempt is of another trial"):
        store.record_lost(claim, Lost(key=second.key, state="failed", reason=""), trial=first)


def test_attempts_are_kept_in_order_and_outlive_the_outcome(store: Store) -> None:
    """An answer over seeds of which some failed at first must be able to say so."""
    trial = trial_of(1)
    for lost in (
        Lost(key=trial.key, state="failed", reason="out of memory"),
        Lost(key=trial.key, state="stopped", reason="given up by a search"),
    ):
        store.record_lost(claimed(store, trial), lost, trial=trial)
    assert store.known([trial.key]) == set()
    record(store, finished(trial), trial)
    never = trial_of(2)
    made = store.attempts([trial.key, never.key])
    assert [(one.number, one.state, one.reason) for one in made[trial.key]] == [
        (1, "failed", "out of memory"),
        (2, "stopped", "given up by a search"),
    ]
    assert all(one.began <= one.ended and one.began.utcoffset() is not None for one in made[trial.key])
    assert made[never.key] == ()
    assert [lost.reason for lost in store.stored([trial.key])[trial.key].attempts] == [
        "out of memory",
        "given up by a search",
    ]


def test_stored_keeps_the_order_asked_for_and_leaves_out_what_is_unknown(store: Store) -> None:
    """Contrasts pair seeds by position; a dictionary in the order of the question is the safe one."""
    trials = [trial_of(seed) for seed in range(1, 8)]
    for trial in (trials[4], trials[0], trials[2]):
        record(store, finished(trial), trial)
    asked = [trial.key for trial in reversed(trials)]
    assert list(store.stored(asked)) == [trials[4].key, trials[2].key, trials[0].key]
    assert store.known(asked) == {trials[4].key, trials[2].key, trials[0].key}
    assert store.stored([]) == {}
    assert store.known(iter([])) == set()


def test_shared_provenance_is_stored_once(store: Store) -> None:
    """Thousands of trials of one machine and version share one description of it."""
    for seed in range(1, 6):
        trial = trial_of(seed)
        order = dict(PROVENANCE if seed % 2 else reversed(PROVENANCE.items()))
        record(store, replace(finished(trial), provenance=order), trial)
    other = trial_of(6)
    record(store, replace(finished(other), provenance=PROVENANCE | {"torch": "3.0"}), other)
    assert rows(store, "SELECT count(*) FROM provenance") == [(2,)]
    assert store.stored([other.key])[other.key].outcome.provenance["torch"] == "3.0"


def test_every_metric_and_phase_has_a_column_of_its_own_name(store: Store) -> None:
    """People read the store with SQL; the words there are the words of the report."""
    columns = {row[1] for row in rows(store, "PRAGMA table_info(trials)")}
    assert columns >= {*METRICS, *(f"{phase}_seconds" for phase in PHASES)}


def test_trials_of_other_engine_versions_are_counted_and_never_mixed_in(store: Store) -> None:
    """`status` names numbers of an older engine; an answer must not average over two engines."""
    for seed in (1, 2, 3):
        trial = trial_of(seed)
        record(store, finished(trial), trial)
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("UPDATE trials SET engine_version = 0, key = 'old-' || seed WHERE seed IN (2, 3)")
    connection.commit()
    connection.close()
    arm_key, unseen = trial_of(1).arm_key, trial_of(1, width=51).arm_key
    assert store.other_engine_versions([arm_key, unseen]) == {arm_key: {0: 2}}
    assert store.known([trial_of(seed).key for seed in (1, 2, 3)]) == {trial_of(1).key}


def test_weights_and_checkpoints_lie_beside_the_store(tmp_path: Path) -> None:
    """Moving a study elsewhere means moving things that stand together under one name."""
    with Store.open(tmp_path / "my.course.db") as store:
        assert store.path == tmp_path / "my.course.db"
        assert store.weights_path("ab") == tmp_path / "my.course.weights" / "ab.safetensors"
        assert store.checkpoint_path("ab") == tmp_path / "my.course.checkpoints" / "ab"


def test_whether_weights_were_saved_is_stored(store: Store) -> None:
    """`predict` and `export` need to know which trials still have their weights."""
    for seed, saved in ((1, True), (2, False)):
        trial = trial_of(seed)
        record(store, finished(trial), trial, weights=saved)
    assert rows(store, "SELECT seed, weights_saved FROM trials ORDER BY seed") == [(1, 1), (2, 0)]


def test_leaving_the_store_releases_what_was_not_recorded(tmp_path: Path) -> None:
    """In a notebook one process runs a study, is interrupted and runs it again: nothing may stay taken."""
    trial = trial_of(1)
    with Store.open(tmp_path / "fairtrial.db") as store:
        claimed(store, trial)
        assert isinstance(store.claim(trial), Taken)
    with Store.open(tmp_path / "fairtrial.db") as store:
        assert isinstance(store.claim(trial), Claim)


def test_an_epoch_without_its_trial_is_refused_by_the_file_itself(store: Store) -> None:
    """Whatever a later version of the program gets wrong, no orphan rows can gather."""
    connection = store._connection  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        connection.execute("INSERT INTO epochs (key, epoch) VALUES ('of no trial', 1)")


@pytest.mark.parametrize(
    ("metric", "value"), [("test_accuracy", -1e-9), ("test_accuracy", 1.0000001), ("validation_seen", 1.5)]
)
def test_a_share_outside_of_none_and_all_is_refused_before_it_is_stored(
    metric: str, value: float, store: Store
) -> None:
    """Stored, it could not be read again: the store would look damaged to whoever asks next."""
    trial = trial_of(1)
    whole = finished(trial)
    said = (
        rf"^trial {trial.key[:12]} \(arm 'width-50', seed 1\): metric '{metric}' is a share from 0 to 1, got"
    )
    with pytest.raises(StoreError, match=said):
        record(store, replace(whole, metrics=whole.metrics | {metric: value}), trial)
    assert store.known([trial.key]) == set()
