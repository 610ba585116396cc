"""Several real processes on one store, some of them killed."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from store_samples import trial_of

from fairtrial.store import Claim, Known, Store, Taken

SCRIPT = Path(__file__).with_name("store_child.py")
Child = subprocess.Popen[str]


@contextmanager
def child(what: str, *arguments: object) -> Iterator[Child]:
    """A process of store_child.py, killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), what, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: Child) -> str:
    assert process.stdout is not None
    read = process.stdout.readline().strip()
    assert read, "the child ended early; its complaint is above"
    return read


def go(process: Child) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def until_done(process: Child) -> list[int]:
    seeds: list[int] = []
    while (said := line(process)) != "done":
        seeds.append(int(said))
    return seeds


def assert_whole(path: Path) -> None:
    """Every trial in the file has all that belongs to it, and nothing belongs to no trial."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        partial = connection.execute(
            """SELECT seed FROM trials
               WHERE epochs <> (SELECT count(*) FROM epochs WHERE epochs.key = trials.key)
                  OR NOT EXISTS (SELECT 1 FROM predictions WHERE predictions.key = trials.key)
                  OR EXISTS (SELECT 1 FROM claims WHERE claims.key = trials.key)"""
        ).fetchall()
        assert partial == []
    finally:
        connection.close()


def test_a_store_made_by_many_at_one_moment_is_everybodys(tmp_path: Path) -> None:
    """Who opens a store while another makes it sees nothing yet or a store, never something between.

    Eight at a time: before all of it was read in one transaction, a quarter of these was turned away.
    """
    with ThreadPoolExecutor(8) as threads:
        for round_ in range(40):
            path = tmp_path / f"{round_}.db"
            start = Barrier(8)

            def open_it(path: Path = path, start: Barrier = start) -> None:
                start.wait(timeout=60)
                Store.open(path).close()

            for opened in [threads.submit(open_it) for _ in range(8)]:
                opened.result()


@pytest.mark.parametrize("what", ["claim", "share"])
def test_two_processes_get_each_trial_once(tmp_path: Path, what: str) -> None:
    """Two runs started at one moment, on a store neither has made yet, must share the work."""
    path = tmp_path / "fairtrial.db"
    with child(what, path, 1, 200) as first, child(what, path, 1, 200) as second:
        for process in (first, second):
            assert line(process) == "ready"
        for process in (first, second):
            go(process)
        got = [until_done(first), until_done(second)]
    assert sorted(got[0] + got[1]) == list(range(1, 201))
    if what == "share":
        with Store.open(path) as store:
            assert len(store.stored([trial_of(seed).key for seed in range(1, 201)])) == 200
        assert_whole(path)


def test_a_killed_process_loses_its_claims_at_once(tmp_path: Path) -> None:
    """`kill -9` and start again: the second run must not wait for the ghost of the first."""
    path = tmp_path / "fairtrial.db"
    with child("claim", path, 1, 2) as process, Store.open(path) as store:
        assert line(process) == "ready"
        go(process)
        assert until_done(process) == [1, 2]
        taken = store.claim(trial_of(1))
        assert isinstance(taken, Taken)
        assert taken.pid == process.pid
        process.send_signal(signal.SIGKILL)
        time.sleep(0.2)
        # Its parent has not looked yet, so the process is still listed, as a zombie.
        assert isinstance(store.claim(trial_of(1)), Claim)
        process.wait()
        assert store.holders([trial_of(2).key]) == {}
        assert isinstance(store.claim(trial_of(2)), Claim)


def test_a_kill_in_the_middle_of_recording_leaves_whole_trials_only(tmp_path: Path) -> None:
    """No finished trial is lost, none is half there, and training goes on where it was."""
    path = tmp_path / "fairtrial.db"
    rng = random.Random(20)
    reported: set[int] = set()
    following = 1
    for _ in range(6):
        with child("record", path, following) as process:
            assert line(process) == "ready"
            reported.add(int(line(process)))
            time.sleep(rng.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            reported |= {int(said) for said in process.stdout.read().split("\n")[:-1]}
        assert_whole(path)
        following = max(reported) + 1
        with Store.open(path) as store:
            keys = {trial_of(seed).key for seed in reported}
            stored = store.stored(keys, history=True)
            assert stored.keys() == keys
            assert all(len(one.outcome.history) == 300 for one in stored.values())
            interrupted = store.claim(trial_of(following))
            assert isinstance(interrupted, (Claim, Known)), "the dead process holds nothing back"
            following += isinstance(interrupted, Known)


def test_reading_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    """`status` and `answers` are asked while `run` records: they see whole trials, ever more of them."""
    path = tmp_path / "fairtrial.db"
    keys = [trial_of(seed).key for seed in range(1, 1000)]
    with child("record", path, 1) as process, Store.open(path) as store:
        assert line(process) == "ready"
        counts: list[int] = []
        deadline = time.monotonic() + 60
        while (not counts or counts[-1] < 10) and time.monotonic() < deadline:
            stored = store.stored(keys, history=True)
            assert all(len(one.outcome.history) == one.outcome.epochs == 300 for one in stored.values())
            assert len(store.known(keys)) >= len(stored)
            counts.append(len(stored))
    assert counts[-1] >= 10
    assert counts == sorted(counts)
