"""Claims: a trial is trained by one process at a time, and a dead one keeps nobody waiting."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from store_samples import finished, trial_of

from fairtrial.store import Claim, Known, StaleClaim, Store, Taken, claims
from fairtrial.store.claims import HEARTBEAT_EXPIRES
from fairtrial.store.owner import Owner, life, this_process
from fairtrial.trial import Lost

MOMENT = timedelta(seconds=1)
ELSEWHERE = Owner(host="elsewhere", boot_id="b", pid_namespace="n", pid=7, started="1")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, step: timedelta) -> None:
        self.time += step


def test_this_process_is_alive_and_told_apart_from_others() -> None:
    """Everything about claims rests on this one judgement."""
    here = this_process()
    assert here.started, "this system must say when a process started"
    assert life(here, here=here) == "alive"
    same_pid_again = replace(here, started="not when this process started")
    assert life(same_pid_again, here=here) == "dead", "a pid used again is another process"
    assert life(replace(here, boot_id="before the restart"), here=here) == "dead"
    assert life(replace(here, pid=2**22 + 5), here=here) == "dead"
    assert life(replace(here, host="elsewhere"), here=here) == "unknown"
    assert life(replace(here, pid_namespace="pid:[1]"), here=here) == "unknown", "another container"
    assert life(replace(here, started=""), here=here) == "unknown"


def test_a_claim_of_this_very_process_is_taken_too(store: Store) -> None:
    """Two runs in two threads or two stores of one process must not train one trial twice."""
    trial = trial_of(1)
    assert isinstance(store.claim(trial), Claim)
    here = this_process()
    with Store.open(store.path) as second:
        taken = second.claim(trial)
        assert isinstance(taken, Taken)
        assert (taken.key, taken.pid, taken.host) == (trial.key, here.pid, here.host)
        holder = second.holders([trial.key, trial_of(2).key])[trial.key]
        assert (holder.pid, holder.since) == (here.pid, taken.since)
    assert abs(datetime.now(UTC) - taken.since) < timedelta(minutes=1)
    assert isinstance(store.claim(trial), Taken), "the second store released only what was its own"


def test_a_released_trial_can_be_claimed_again_and_counts_no_attempt(store: Store) -> None:
    """Ctrl-C gives trials back; being interrupted is no failure."""
    trial = trial_of(1)
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    store.release(claim)
    store.release(claim)
    assert store.holders([trial.key]) == {}
    assert store.attempts([trial.key]) == {trial.key: ()}
    assert isinstance(store.claim(trial), Claim)


def test_a_silent_claim_of_another_host_is_taken_over_only_after_its_time(tmp_path: Path) -> None:
    """Another host's process cannot be looked at: its heartbeat is all there is."""
    clock, trial = Clock(), trial_of(1)
    with (
        Store.open(tmp_path / "a.db", owner=ELSEWHERE, now=clock) as there,
        Store.open(tmp_path / "a.db", now=clock) as here,
    ):
        first = there.claim(trial)
        assert isinstance(first, Claim)
        clock.move(HEARTBEAT_EXPIRES - MOMENT)
        assert there.heartbeat([first]) == ()
        clock.move(HEARTBEAT_EXPIRES - MOMENT)
        assert isinstance(here.claim(trial), Taken)
        assert list(here.holders([trial.key])) == [trial.key]
        clock.move(2 * MOMENT)
        assert here.holders([trial.key]) == {}
        second = here.claim(trial)
        assert isinstance(second, Claim)
        assert there.heartbeat([first]) == (first,), "it hears that its claim is gone"


def test_an_outcome_with_a_stale_token_is_refused(tmp_path: Path) -> None:
    """A host that wakes up after its trial was given to another must not store over it."""
    clock, trial = Clock(), trial_of(1)
    with (
        Store.open(tmp_path / "a.db", owner=ELSEWHERE, now=clock) as there,
        Store.open(tmp_path / "a.db", now=clock) as here,
    ):
        stale = there.claim(trial)
        assert isinstance(stale, Claim)
        clock.move(HEARTBEAT_EXPIRES + MOMENT)
        valid = here.claim(trial)
        assert isinstance(valid, Claim)
        with pytest.raises(StaleClaim):
            there.record(stale, finished(trial), trial=trial, weights=False)
        lost = Lost(key=trial.key, state="failed", reason="")
        with pytest.raises(StaleClaim):
            there.record_lost(stale, lost, trial=trial)
        there.release(stale)
        assert here.known([trial.key]) == set()
        assert here.attempts([trial.key]) == {trial.key: ()}
        assert list(there.holders([trial.key])) == [trial.key], "the valid claim stands"
        here.record(valid, finished(trial), trial=trial, weights=False)
        assert there.known([trial.key]) == {trial.key}


def test_a_claim_from_before_a_restart_of_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    """After a power cut nobody should wait ten minutes for processes that cannot exist any more."""
    before = replace(this_process(), boot_id="before the restart")
    trial = trial_of(1)
    with Store.open(tmp_path / "a.db", owner=before) as dead, Store.open(tmp_path / "a.db") as here:
        assert isinstance(dead.claim(trial), Claim)
        assert here.holders([trial.key]) == {}
        assert isinstance(here.claim(trial), Claim)


def test_attempts_say_where_and_how_long_they_ran(tmp_path: Path) -> None:
    """'Failed on which machine, after how long' is the first thing asked about a failure."""
    clock, trial = Clock(), trial_of(1)
    began = clock()
    with Store.open(tmp_path / "a.db", owner=ELSEWHERE, now=clock) as there:
        claim = there.claim(trial)
        assert isinstance(claim, Claim)
        clock.move(timedelta(seconds=90))
        lost = Lost(key=trial.key, state="failed", reason="out of memory")
        there.record_lost(claim, lost, trial=trial)
        (attempt,) = there.attempts([trial.key])[trial.key]
    assert (attempt.host, attempt.pid) == ("elsewhere", 7)
    assert (attempt.began, attempt.ended) == (began, began + timedelta(seconds=90))


def test_a_claim_that_cannot_be_looked_at_stands_for_ten_minutes(tmp_path: Path) -> None:
    """Sooner, a machine that is busy would lose its trial; later, nobody would train it."""
    clock, trial = Clock(), trial_of(1)
    with (
        Store.open(tmp_path / "a.db", owner=ELSEWHERE, now=clock) as there,
        Store.open(tmp_path / "a.db", now=clock) as here,
    ):
        assert isinstance(there.claim(trial), Claim)
        clock.move(timedelta(minutes=10))
        assert list(here.holders([trial.key])) == [trial.key]
        clock.move(timedelta(milliseconds=1))
        assert here.holders([trial.key]) == {}
        assert list(here.abandoned([trial.key])) == [trial.key]


def test_what_is_taken_or_known_is_told_while_another_writes(store: Store) -> None:
    """Waiting for another's trial must not keep those waiting who have something to store."""
    known, taken = trial_of(1), trial_of(2)
    claim = store.claim(known)
    assert isinstance(claim, Claim)
    store.record(claim, finished(known), trial=known, weights=False)
    assert isinstance(store.claim(taken), Claim)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert store.claim(known) == Known(key=known.key)
        assert isinstance(store.claim(taken), Taken)


def test_whoever_is_faster_between_looking_and_claiming_has_the_trial(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other process can claim in between: it is asked again under the lock."""
    trial, standing, asked = trial_of(1), claims.standing, [0]
    assert isinstance(store.claim(trial), Claim)

    def late(*given: Any, **more: Any) -> Any:
        asked[0] += 1
        return None if asked[0] == 1 else standing(*given, **more)

    monkeypatch.setattr(claims, "standing", late)
    assert isinstance(store.claim(trial), Taken)
    assert asked == [2]


def test_what_was_given_back_is_not_given_back_again(store: Store) -> None:
    """A run of a hundred thousand trials must not keep them all in mind until its end."""
    held = store._claimed  # pyright: ignore[reportPrivateUsage]
    for seed, end in enumerate(
        (
            store.release,
            lambda claim: store.record(claim, finished(trial_of(2)), trial=trial_of(2), weights=False),
            lambda claim: store.record_lost(
                claim, Lost(key=trial_of(3).key, state="failed", reason=""), trial=trial_of(3)
            ),
        ),
        start=1,
    ):
        claim = store.claim(trial_of(seed))
        assert isinstance(claim, Claim)
        assert list(held.values()) == [claim]
        end(claim)
        assert held == {}
