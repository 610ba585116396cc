"""Whole studies on a real Ray cluster whose nodes and drivers are killed: the same store as on this machine alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.ray_nodes import ENVIRONMENT, RayNodes, ray_nodes
from orders import outcome_of, same_numbers, trial

import fairtrial as ft
from fairtrial.errors import ExecutorError
from fairtrial.executors.choice import Place
from fairtrial.store import Store
from fairtrial.trial import Lost, Progress
from fairtrial.wire import Order

# What the cluster's library warns of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

STUDY = """\
schema: fairtrial/1
name: small
data: {train: 3000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 4}
arms: {narrow: {}, wide: {network.mlp.width: 400}}
questions:
  - {id: wider, variant: wide, baseline: narrow, metrics: [accuracy, time]}
seeds: {min: 3, max: 100}
"""


def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fairtrial", "run", "study.yaml", *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return errors


def read_trials(process: subprocess.Popen[str], count: int) -> None:
    assert process.stderr is not None
    while count:
        line = process.stderr.readline()
        assert line, "the run ended before so many trials"
        count -= "validation accuracy" in line


def trials_of(folder: Path, store: str) -> dict[str, Any]:
    """What is stored of each trial, without the clocks."""

    def without_seconds(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without_seconds(inner) for name, inner in value.items() if "second" not in name}
        return [without_seconds(inner) for inner in value] if isinstance(value, list) else value

    found = without_seconds(ft.answers(folder / "study.yaml", store=folder / store).as_dict())
    return {one["key"]: one for arm in found["arms"] for one in arm["trials"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_a_killed_driver_and_a_killed_node_leave_the_store_of_an_undisturbed_run_on_one_machine(
    nodes: RayNodes, folder: Path
) -> None:
    """The promise of the whole module: where and how often it is disturbed changes no key, no epoch and no weight."""
    finish(begin(folder, "--seeds", "5", "--store", "local.db"))
    on_ray = ("--store", "ray.db", "--seeds", "4", "--executor", "ray")
    killed = begin(folder, *on_ray)
    read_trials(killed, 2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    kept = trials_of(folder, "ray.db")
    assert len(kept) >= 2
    extra = nodes.add()
    process = begin(folder, *on_ray)
    read_trials(process, 1)
    nodes.kill_node(extra)
    errors = finish(process)
    assert len(trials_of(folder, "ray.db")) == 8
    assert errors.count("validation accuracy") + 1 == 8 - len(kept), "a trial was trained twice"
    assert errors.count("in turn, pair ") == 4
    # One more seed from afar, where the driver is no node of the cluster.
    assert finish(begin(folder, *on_ray, "--seeds", "5", "--executor", nodes.client)).count(" seed 5: ") == 2
    study = ft.load(folder / "study.yaml")
    assert ft.answers(study, store=folder / "ray.db")["wider"].time.seeds == 5
    found = trials_of(folder, "ray.db")
    assert found == trials_of(folder, "local.db") and len(found) == 10
    with Store.open(folder / "ray.db") as store:
        stored = store.stored(found)
        assert all(one.outcome.provenance["processor"] for one in stored.values())
        assert all(len(one.outcome.provenance["node"]) == 12 for one in stored.values())
        assert all(store.weights_path(key).exists() for key, one in stored.items() if one.seed <= 3)
        assert not list(store.checkpoint_path("").parent.glob("*/*"))


@pytest.mark.slow
def test_a_trial_whose_node_is_killed_was_stopped_and_gives_the_same_numbers_elsewhere(
    nodes: RayNodes,
) -> None:
    """Nobody is to blame for a power cut, and no other trial notices it."""
    extra = nodes.add()
    with Place(name="ray", workers=3).ready() as executor:
        # One for each node; so many epochs that none of them ends by itself.
        keys = [trial(seed, epochs=100_000).key for seed in (1, 2, 3)]
        for seed in (1, 2, 3):
            executor.start(Order(trial=trial(seed, epochs=100_000)))
        heard: set[str] = set()
        lost: list[Lost] = []
        began = time.monotonic()
        for event in executor.events():
            if isinstance(event, Progress) and event.key not in heard:
                heard.add(event.key)
                if len(heard) == 3:
                    nodes.kill_node(extra)
                    began = time.monotonic()
            if isinstance(event, Lost):
                lost.append(event)
                for key in keys:
                    executor.stop(key)
        assert time.monotonic() - began < 60
        by_node = [one for one in lost if "was lost" in one.reason]
        assert [(one.state, one.retry) for one in by_node] == [("stopped", True)]
        again = trial(1)
        executor.start(Order(trial=again))
        there = outcome_of(list(executor.events()), again.key)
    with Place(workers=1).ready() as alone:
        alone.start(Order(trial=again))
        assert same_numbers(there, outcome_of(list(alone.events()), again.key))


@pytest.mark.slow
def test_no_cluster_and_no_room_are_said_before_anything_is_trained(
    nodes: RayNodes,
) -> None:
    """Waiting for a GPU that nobody has would be waiting for ever."""
    with pytest.raises(ExecutorError, match=r"no node with the 1 CPUs and 1 GPUs .* 1 CPUs and 0 GPUs"):
        Place(name="ray", gpus=1).ready()


@pytest.mark.course
def test_two_hundred_trials_on_three_nodes_one_of_them_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the size of a real study: a hundred seeds of two arms, three nodes, one gone in the middle."""
    (folder / "study.yaml").write_text(STUDY.replace("[accuracy, time]", "[accuracy]"), encoding="utf-8")
    finish(begin(folder, "--seeds", "100", "--store", "local.db"))
    with ray_nodes(3) as three:
        for name, value in {**ENVIRONMENT, "RAY_ADDRESS": three.address}.items():
            monkeypatch.setenv(name, value)
        process = begin(folder, "--seeds", "100", "--store", "ray.db", "--executor", "ray")
        read_trials(process, 80)
        three.kill_node(2)
        finish(process)
    found = trials_of(folder, "ray.db")
    assert found == trials_of(folder, "local.db") and len(found) == 200
