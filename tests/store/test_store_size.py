"""A hundred thousand trials in one store."""

from __future__ import annotations

import sqlite3
import time
from hashlib import sha256
from pathlib import Path

import pytest
from store_samples import finished, trial_of

from fairtrial.store import Claim, Store
from fairtrial.trial import Trial

pytestmark = pytest.mark.slow

TRIALS = 100_000
SEEDS = 100


def key_of(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recorded trial multiplied by SQL, with other keys, arms, seeds and three epochs each."""
    path = tmp_path_factory.mktemp("large") / "large.db"
    trial = trial_of(1)
    with Store.open(path) as store:
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, finished(trial, epochs=3), trial=trial, weights=False)
    connection = sqlite3.connect(path)
    connection.executemany(
        "INSERT INTO arms SELECT ?, name, settings, data_fingerprint, precision, first_seen FROM arms "
        "WHERE arm_key = ?",
        [(f"arm-{number}", trial.arm_key) for number in range(TRIALS // SEEDS)],
    )
    for table in ("trials", "epochs"):
        columns: list[str] = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        given = {"key": "?", "arm_key": "?", "seed": "?"}
        chosen = ", ".join(given.get(column, column) for column in columns)
        many = (
            (key_of(number), f"arm-{number // SEEDS}", number % SEEDS, trial.key)[
                :: 1 if table == "trials" else 3
            ]
            for number in range(TRIALS)
        )
        connection.executemany(f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE key = ?", many)
    connection.commit()
    connection.close()
    return path


def seconds(began: float) -> float:
    """Of the processor, not of the clock: other work on the machine is none of the store's."""
    return time.process_time() - began


def test_a_study_of_a_large_store_is_read_in_a_moment(large: Path) -> None:
    """`status` of a small study must not grow slow because the store has seen many others."""
    keys = [key_of(number) for number in range(0, TRIALS, TRIALS // 300)][:300]
    with Store.open(large) as store:
        began = time.process_time()
        stored = store.stored(keys)
        assert seconds(began) < 1
        assert list(stored) == keys
        began = time.process_time()
        assert all(len(one.outcome.history) == 3 for one in store.stored(keys, history=True).values())
        assert seconds(began) < 2


def test_all_of_a_large_store_is_read_in_seconds(large: Path) -> None:
    """Searches ask for everything they have done."""
    keys = [key_of(number) for number in range(TRIALS)]
    with Store.open(large) as store:
        began = time.process_time()
        assert len(store.known(keys)) == TRIALS
        assert seconds(began) < 4
        began = time.process_time()
        assert len(store.stored(keys)) == TRIALS
        assert seconds(began) < 20
        assert len(store.attempts(keys)) == TRIALS


def test_recording_into_a_large_store_takes_no_longer(large: Path) -> None:
    """The hundred thousandth trial is recorded like the first."""
    with Store.open(large) as store:
        for seed in range(1000, 1010):
            trial = trial_of(seed)
            began = time.process_time()
            claim = store.claim(trial)
            assert isinstance(claim, Claim)
            store.record(claim, finished(trial), trial=trial, weights=False)
            assert seconds(began) < 2


def test_no_question_put_to_the_store_reads_a_whole_table(large: Path) -> None:
    """Seconds vary with the machine; the plan does not: every statement finds its rows by an index."""
    trial: Trial = trial_of(2000)
    keys = [key_of(number) for number in range(300)]
    said: list[str] = []
    with Store.open(large) as store:
        connection = store._connection  # pyright: ignore[reportPrivateUsage]
        connection.set_trace_callback(said.append)
        store.stored(keys, history=True)
        assert len(said) <= 10, "few statements, however many keys"
        store.known(keys)
        store.attempts(keys)
        store.holders(keys)
        store.predictions(keys[0])
        store.other_engine_versions([f"arm-{number}" for number in range(50)])
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.heartbeat([claim])
        store.record(claim, finished(trial), trial=trial, weights=False)
        connection.set_trace_callback(None)
        asked = [one for one in said if one.startswith(("SELECT", "UPDATE", "DELETE"))]
        assert len(asked) >= 10
        for statement in asked:
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                assert not row["detail"].startswith("SCAN"), (row["detail"], statement[:200])
