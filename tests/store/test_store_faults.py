"""What goes wrong around a store: locks, clocks, files that are taken away, runs that were killed."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from store_samples import finished, trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Known, Store, Taken, connection, explaining
from fairtrial.store import store as store_module
from fairtrial.store.owner import Owner, this_process

ELSEWHERE = Owner(host="elsewhere", boot_id="b", pid_namespace="n", pid=7, started="1")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's transaction, for as long as the block lasts."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        other.close()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own stretches of waiting are shortened; they must not be what is measured."""
    monkeypatch.setattr(connection, "_STRETCH_SECONDS", 0.05)


def claimed(store: Store, seed: int) -> Claim:
    claim = store.claim(trial_of(seed))
    assert isinstance(claim, Claim)
    return claim


def test_a_store_that_stays_locked_says_so_once_and_what_to_do(
    tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database browser left open in a transaction; what was recorded stays, and the same command goes on."""
    monkeypatch.setattr(explaining, "BUSY_SECONDS", 0.3)
    with Store.open(tmp_path / "store.db") as store:
        claim = claimed(store, 1)
        with locked(store.path):
            began = time.monotonic()
            with pytest.raises(StoreError, match=r"kept the store locked for 0 s; end it and run again \("):
                store.record(claim, finished(trial_of(1)), trial=trial_of(1), weights=False)
            assert 0.3 <= time.monotonic() - began < 3
            assert store.known([trial_of(1).key]) == set(), "reading goes on meanwhile"
        store.record(claim, finished(trial_of(1)), trial=trial_of(1), weights=False)
        assert store.known([trial_of(1).key]) == {trial_of(1).key}


def test_a_store_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path, short: None) -> None:
    """A copy being made must not end a study of a night."""
    with (
        Store.open(tmp_path / "store.db") as store,
        ThreadPoolExecutor(1) as threads,
        locked(store.path) as other,
    ):
        threads.submit(lambda: (time.sleep(0.3), other.execute("COMMIT")))
        began = time.monotonic()
        claimed(store, 1)
        assert time.monotonic() - began > 0.2


def test_ctrl_c_is_heard_while_a_locked_store_is_waited_for(tmp_path: Path, short: None) -> None:
    """SQLite's own waiting is deaf: a minute of it would feel like a program that hangs."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    usual = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Store.open(tmp_path / "store.db") as store, locked(store.path):
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                store.claim(trial_of(1))
            assert time.monotonic() - began < 5
    finally:
        signal.signal(signal.SIGALRM, usual)


def test_closing_does_not_wait_for_a_lock_with_each_of_its_claims(
    tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told after a minute is bad enough; with eight trials running it would have been told after nine."""
    monkeypatch.setattr(store_module, "RELEASE_SECONDS", 0.1)
    store = Store.open(tmp_path / "store.db")
    for seed in range(1, 9):
        claimed(store, seed)
    with locked(store.path):
        began = time.monotonic()
        store.close()
        assert time.monotonic() - began < 5
    with Store.open(tmp_path / "store.db") as again:
        claimed(again, 1)  # in a notebook the process lives on, and would wait for itself


def test_eight_at_once_claim_and_record_each_trial_once_and_nobody_hears_of_locks(tmp_path: Path) -> None:
    """`database is locked` is SQLite's business and ours, never the user's."""
    path, start = tmp_path / "store.db", Barrier(8)
    trials = [trial_of(seed) for seed in range(1, 81)]

    def work(_: int) -> int:
        recorded = 0
        with Store.open(path) as store:
            start.wait(timeout=60)
            for trial in trials:
                claim = store.claim(trial)
                if isinstance(claim, Claim):
                    store.record(claim, finished(trial), trial=trial, weights=False)
                    recorded += 1
                assert isinstance(claim, Claim | Taken | Known)
        return recorded

    with ThreadPoolExecutor(8) as threads:
        shares = list(threads.map(work, range(8)))
    assert sum(shares) == len(trials)
    with Store.open(path) as store:
        assert len(store.known(trial.key for trial in trials)) == len(trials)


@pytest.mark.parametrize(("ahead", "taken"), [(timedelta(minutes=5), True), (timedelta(days=365), False)])
def test_a_claim_from_the_future_does_not_hold_its_trial_for_a_year(
    tmp_path: Path, ahead: timedelta, taken: bool
) -> None:
    """A container claimed with a wrong clock and died; the clock was put right since."""
    path = tmp_path / "store.db"
    with Store.open(path, owner=ELSEWHERE, now=lambda: NOW + ahead) as there:
        claimed(there, 1)
        with Store.open(path, now=lambda: NOW) as here:
            assert isinstance(here.claim(trial_of(1)), Taken) is taken


def test_who_was_ended_from_outside_is_known_until_the_trial_is_taken_over(tmp_path: Path) -> None:
    """A killed run cannot speak: the next one does for it."""
    path, dead = tmp_path / "store.db", replace(this_process(), started="before")
    keys = [trial_of(seed).key for seed in (1, 2)]
    killed = Store.open(path, owner=dead)
    claimed(killed, 1)
    with Store.open(path) as store:
        claimed(store, 2)
        assert {key: holder.pid for key, holder in store.abandoned(keys).items()} == {keys[0]: dead.pid}
        claimed(store, 1)
        assert store.abandoned(keys) == {}


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_written_into_a_store_that_is_no_longer_there(tmp_path: Path, replaced: bool) -> None:
    """SQLite writes on into a deleted file, and a night's outcomes would be gone with it, without a word."""
    with Store.open(tmp_path / "store.db") as store:
        claim = claimed(store, 1)
        away = tmp_path / "away"
        away.mkdir()
        for path in tmp_path.glob("store.db*"):
            path.rename(away / path.name)
        if replaced:
            Store.open(store.path).close()
        said = r"store\.db: the store was moved, deleted or replaced while it was in use.*put it back, or run again"
        with pytest.raises(StoreError, match=said):
            store.record(claim, finished(trial_of(1)), trial=trial_of(1), weights=False)
        with pytest.raises(StoreError, match=said):
            store.claim(trial_of(2))
        for path in away.iterdir():
            path.replace(tmp_path / path.name)
        store.record(claim, finished(trial_of(1)), trial=trial_of(1), weights=False)


def test_outcomes_are_waited_for_until_they_are_on_the_disk_but_not_many_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may cost the last second's trials, never one of an hour; short trials wait for no disk."""
    waited: list[Path] = []
    monkeypatch.setattr(store_module, "to_disk", waited.append)

    def record(store: Store, seed: int) -> int:
        claim = claimed(store, seed)
        assert not waited, "a claim is worth no waiting"
        store.record(claim, finished(trial_of(seed)), trial=trial_of(seed), weights=False)
        times = len(waited)
        waited.clear()
        return times

    with Store.open(tmp_path / "store.db") as store:
        monkeypatch.setattr(store_module, "SYNC_SECONDS", 60.0)
        assert [record(store, seed) for seed in (1, 2, 3)] == [1, 0, 0]
        store.settle()
        assert not waited
        monkeypatch.setattr(store_module, "SYNC_SECONDS", 0.0)
        store.settle()
        store.settle()
        assert waited == [store.path], "those two are waited for in the next quiet moment, once"
        waited.clear()
        monkeypatch.setattr(store_module, "SYNC_SECONDS", 60.0)
        assert record(store, 4) == 0
    assert waited == [store.path], "and at the latest when the store is closed"


def test_a_disk_that_fails_when_it_is_waited_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some disks take everything and fail when it is to be there."""

    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    with Store.open(tmp_path / "store.db") as store:
        claim = claimed(store, 1)
        monkeypatch.setattr(connection.os, "fsync", fails)
        with pytest.raises(
            StoreError, match=r"could not be read or written \(Input/output error\); check the disk"
        ):
            store.record(claim, finished(trial_of(1)), trial=trial_of(1), weights=False)
