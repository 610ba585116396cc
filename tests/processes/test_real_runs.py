"""The command itself, killed, interrupted and doubled: real processes, real MNIST, one store."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from killing import kill_command, kill_tree

import fairtrial as ft
from fairtrial.analysis.replaying import replay_store
from fairtrial.store import Store, StoredVerdict

# Long enough to be killed in, short enough to be repeated: one question is settled soon, the other never.
STUDY = """\
schema: fairtrial/1
name: small
data: {train: 3000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 3}
arms:
  narrow: {}
  twin: {network.mlp.width: 13}
  wide: {network.mlp.width: 400}
questions:
  - {id: clear, variant: wide, baseline: narrow, on: [validation, test]}
  - {id: faint, variant: twin, baseline: narrow, metrics: [accuracy, loss]}
seeds: {min: 3, max: 10}
"""
ON_TIME = (
    STUDY.partition("questions:")[0]
    + "questions: [{id: slower, variant: twin, baseline: narrow, metrics: [time]}]"
)
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fairtrial", "run", "study.yaml", "--store", "store.db", *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output, errors


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a store holds without the clocks: trials by key, every look of every verdict, the answers given."""

    trials: dict[str, Any]
    verdicts: list[StoredVerdict]
    answers: list[Any]


def held(folder: Path) -> Held:
    """Read the store; its looks must follow from its trials, whatever befell the processes that wrote it."""
    study, store = ft.load(folder / "study.yaml"), folder / "store.db"
    found = _without_seconds(ft.answers(study, store=store).as_dict())
    with Store.open(store) as opened:
        assert replay_store(opened).differences == ()
        assert len(opened.plans()) <= 1
        verdicts = opened.verdicts()
    trials = {trial["key"]: trial for arm in found["arms"] for trial in arm["trials"]}
    return Held(trials=trials, verdicts=verdicts, answers=found["answers"])


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_seconds(inner) for name, inner in value.items() if "second" not in name}
    if isinstance(value, list):
        return [_without_seconds(inner) for inner in value]
    return value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Held, float]:
    """A run that nobody disturbs, and how long it took from the first trial's end: a first start may be slow."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    process = start(folder)
    assert process.stderr is not None
    assert "validation accuracy" in process.stderr.readline()
    began = time.monotonic()
    finish(process)
    seconds = time.monotonic() - began
    found = held(folder)
    assert 2 * 10 + 3 <= len(found.trials) < 3 * 10
    assert sum(len(one.looks) for one in found.verdicts) > 7
    assert {answer["verdict"] for answer in found.answers} >= {"increase that matters", "undecided"}
    assert all(answer["caveats"] == [] for answer in found.answers if answer["question"] == "clear")
    return found, seconds


def test_ten_kills_at_random_moments_lose_no_trial_train_none_twice_and_change_no_bit_and_no_verdict(
    folder: Path, whole: tuple[Held, float]
) -> None:
    """Power cuts and impatient users must cost time, never an answer, nor be a way to another one."""
    undisturbed, seconds = whole
    moments = random.Random(20_240_607)
    kept: dict[str, Any] = {}
    for number, ended in enumerate((0, 1, 2, 0, 1, 1, 0, 1, 2, 1)):
        process = start(folder)
        assert process.stderr is not None
        told = 0
        while told < ended:
            # The run after a kill says first that the one before was killed.
            told += process.stderr.readline().startswith("[")
        # While it starts; or in the midst of the trials that come after so many.
        time.sleep(moments.uniform(0, 0.1 if ended else 0.5) * seconds)
        (kill_tree if number % 2 else kill_command)(process)
        if not (folder / "store.db").exists():
            continue
        now = held(folder).trials
        assert len(now) >= min(len(kept) + ended, len(undisturbed.trials))
        assert all(now[key] == undisturbed.trials[key] for key in now)
        assert kept.items() <= now.items()
        kept = now
    _, errors = finish(start(folder))
    assert held(folder) == undisturbed
    assert errors.count("validation accuracy") == len(undisturbed.trials) - len(kept)


def test_two_runs_started_at_once_on_one_store_train_each_trial_once(
    folder: Path, whole: tuple[Held, float]
) -> None:
    """A second terminal, or a colleague, must not repeat the work or spoil it."""
    undisturbed, _ = whole
    both = [start(folder, "--json", "-j", "1") for _ in range(2)]
    said = [finish(process) for process in both]
    assert held(folder) == undisturbed
    assert sum(errors.count("validation accuracy") for _, errors in said) == len(undisturbed.trials)
    for output, _ in said:
        found = json.loads(output)
        assert {trial["key"] for arm in found["arms"] for trial in arm["trials"]} == set(undisturbed.trials)


def test_a_run_killed_in_its_timing_pass_keeps_every_finished_pair(tmp_path: Path) -> None:
    """A pair is kept the moment it ends: the next run goes on with the one that was cut off."""
    (tmp_path / "study.yaml").write_text(ON_TIME, encoding="utf-8")
    process = start(tmp_path, "--seeds", "3")
    assert process.stderr is not None
    for line in process.stderr:
        if "pair 1:" in line:
            break
    kill_tree(process)
    output, errors = finish(start(tmp_path, "--seeds", "3", "--json"))
    assert "validation accuracy" not in errors
    assert [number for number in range(1, 5) if f"pair {number}:" in errors] == [2, 3]
    (found,) = json.loads(output)["answers"]
    assert (found["metric"], found["seeds"]) == ("time", 3)
    assert found["variant_fit_seconds"] > found["variant_mean"] > 0


def slowness() -> float:
    """How long a second of computing takes here just now, in seconds: 1 where nothing else runs."""
    began, busy = time.monotonic(), time.process_time()
    while time.process_time() - busy < 0.1:
        pass
    return max(1.0, (time.monotonic() - began) / 0.1)


def test_ctrl_c_stops_within_two_seconds_keeps_what_is_done_and_goes_on_to_the_same(
    folder: Path, whole: tuple[Held, float]
) -> None:
    """Stopping must feel safe, or nobody dares to start."""
    undisturbed, _ = whole
    process = start(folder)
    assert process.stderr is not None
    assert "seed 1: validation accuracy" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    took = time.monotonic() - began
    assert process.returncode == 130
    assert took < 2 * slowness()
    assert "fairtrial run study.yaml" in errors
    assert "Traceback" not in errors
    kept = held(folder).trials
    assert kept
    _, errors = finish(start(folder))
    assert held(folder) == undisturbed
    assert errors.count("validation accuracy") == len(undisturbed.trials) - len(kept)
