"""The command itself, killed and doubled: real processes, real MNIST, one store."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

# The built-in study on fewer images: long enough to be killed in, short enough to be repeated.
LESS = ["--set", "data.train=3000", "--set", "data.validation=500", "--set", "epochs=3"]
RUN = [sys.executable, "-m", "fairtrial", "run", "width", *LESS]
SHOW = [sys.executable, "-m", "fairtrial", "answers", "width", "--json", *LESS]


def start(store: Path, *more: str, seeds: int = 3) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RUN, "--store", str(store), "--seeds", str(seeds), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def outcomes(store: Path) -> dict[str, Any]:
    """What the store holds, by trial key, without the clocks."""
    done = subprocess.run([*SHOW, "--store", str(store)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = {}
    for arm in json.loads(done.stdout)["arms"]:
        for trial in arm["trials"]:
            found[trial["key"]] = _without_seconds(trial)
    return found


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_seconds(inner) for name, inner in value.items() if "second" not in name}
    if isinstance(value, list):
        return [_without_seconds(inner) for inner in value]
    return value


def kill_tree(process: subprocess.Popen[str]) -> None:
    """kill -9 of the command and all its workers, which are in process groups of their own."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    children = [
        int(line.split()[0]) for line in listed.stdout.splitlines() if int(line.split()[1]) == process.pid
    ]
    for pid in (process.pid, *children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    """The nine trials of a run that nobody disturbs, and how long it took."""
    store = tmp_path_factory.mktemp("whole") / "store.db"
    began = time.monotonic()
    process = start(store)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    found = outcomes(store)
    assert len(found) == 9
    return found, time.monotonic() - began


def test_ten_kills_at_random_moments_lose_no_trial_train_none_twice_and_change_no_bit(
    tmp_path: Path, uninterrupted: tuple[dict[str, Any], float]
) -> None:
    """Power cuts and impatient users must cost time, never an answer."""
    whole, seconds = uninterrupted
    store = tmp_path / "store.db"
    moments = random.Random(20_240_607)
    kept: dict[str, Any] = {}
    for _ in range(10):
        process = start(store)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moments.uniform(0.1, 0.6) * seconds)
        kill_tree(process)
        if not store.exists():
            continue
        now = outcomes(store)
        assert all(now[key] == whole[key] for key in now)
        assert kept.items() <= now.items()
        kept = now
    last = start(store)
    _, errors = last.communicate(timeout=200)
    assert last.returncode == 0, errors
    assert outcomes(store) == whole
    assert errors.count("validation accuracy") == len(whole) - len(kept)


def test_two_runs_started_at_once_on_one_store_train_each_trial_once(
    tmp_path: Path, uninterrupted: tuple[dict[str, Any], float]
) -> None:
    """A second terminal, or a colleague, must not repeat the work or spoil it."""
    whole, _ = uninterrupted
    store = tmp_path / "store.db"
    both = [start(store, "--json", "-j", "1") for _ in range(2)]
    reports: list[dict[str, Any]] = []
    for process in both:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        reports.append(json.loads(output))
    assert outcomes(store) == whole
    for report in reports:
        assert {trial["key"] for arm in report["arms"] for trial in arm["trials"]} == set(whole)


@pytest.mark.slow
def test_a_run_killed_in_its_timing_pass_keeps_every_finished_pair(tmp_path: Path) -> None:
    """A pair is kept the moment it ends: the next run goes on with the one that was cut off."""
    store = tmp_path / "store.db"
    only = ("--question", "Q1-200")
    process = start(store, *only, seeds=5)
    assert process.stderr is not None
    for line in process.stderr:
        if "pair 2:" in line:
            break
    kill_tree(process)
    after = start(store, *only, "--json", seeds=5)
    output, errors = after.communicate(timeout=200)
    assert after.returncode == 0, errors
    assert "validation accuracy" not in errors
    assert [number for number in range(1, 6) if f"pair {number}:" in errors][-3:] == [3, 4, 5]
    assert "pair 1:" not in errors and "pair 2:" not in errors
    (found,) = [one for one in json.loads(output)["answers"] if one["metric"] == "time" and one["seeds"]]
    assert (found["question"], found["seeds"]) == ("Q1-200", 5)
    assert found["estimate"] > 0
    assert found["variant_fit_seconds"] > found["variant_mean"] > 0


def test_ctrl_c_stops_within_two_seconds_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    """Stopping must feel safe, or nobody dares to start."""
    store = tmp_path / "store.db"
    process = start(store, seeds=40)
    assert process.stderr is not None
    assert "seed 1: validation accuracy" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    took = time.monotonic() - began
    assert process.returncode == 130
    assert took < 2
    assert "fairtrial run width" in errors
    assert "Traceback" not in errors
    assert outcomes(store)
