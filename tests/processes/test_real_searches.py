"""`fairtrial search` itself, killed and resumed: real processes, real MNIST, one store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from killing import kill_tree

import fairtrial as ft
from fairtrial.analysis.points import Point, points
from fairtrial.store import Store

STUDY = """\
schema: fairtrial/1
name: small
data: {train: 2000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 4}
arms: {narrow: {}}
search:
  id: larger
  baseline: narrow
  space:
    network.mlp.width: {int: [4, 300], log: true}
    network.mlp.activation: {choice: [relu, tanh, sigmoid]}
  trials: 14
  budget: 10m
seeds: {min: 3, max: 5}
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fairtrial", "search", "study.yaml", "--store", "store.db", *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output


def killed(folder: Path, *more: str, after: int) -> None:
    """Started, and killed with all its workers as soon as so many trials have ended."""
    process = start(folder, *more)
    assert process.stderr is not None
    for _ in range(after):
        assert process.stderr.readline()
    kill_tree(process)


def tried(folder: Path) -> tuple[Point, ...]:
    study = ft.load(folder / "study.yaml")
    with Store.open(folder / "store.db") as store:
        return points(study, study.search[0], store)


def numbers(found: tuple[Point, ...]) -> list[Any]:
    """What was proposed and what came of it, without clocks."""
    return [(one.number, dict(one.values), one.state, one.results, one.scores) for one in found]


def test_a_search_killed_twice_proposes_the_same_as_one_that_was_not(tmp_path: Path, folder: Path) -> None:
    """One worker: proposals follow from the search and its trials alone, so that kills cost time and nothing else."""
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "study.yaml").write_text(STUDY, encoding="utf-8")
    output = finish(start(whole, "-j", "1", "--json"))
    (found,) = json.loads(output)["searches"]
    assert found["confirmation"]["verdict"] in ("increase that matters", "increase, size not settled")
    killed(folder, "-j", "1", after=4)
    killed(folder, "-j", "1", after=5)
    finish(start(folder, "-j", "1"))
    assert numbers(tried(folder)) == numbers(tried(whole))


def test_with_two_workers_no_trial_is_lost_and_none_is_trained_twice(folder: Path) -> None:
    killed(folder, "-j", "2", after=6)
    before = tried(folder)
    known = [one for one in before if one.state in ("finished", "stopped")]
    assert len(known) >= 3
    assert "larger" in finish(start(folder, "-j", "2"))
    after = {one.number: one for one in tried(folder)}
    assert len(after) == 14 == len({str(one.arm.settings) for one in after.values()})
    assert {one.state for one in after.values()} <= {"finished", "stopped", "diverged"}
    for one in known:
        assert after[one.number].scores == one.scores
        assert one.results.items() <= after[one.number].results.items()
    with Store.open(folder / "store.db") as store:
        attempts = store.attempts([trial.key for one in after.values() for trial in one.trials])
    assert not [one for some in attempts.values() for one in some if one.state == "failed"]
