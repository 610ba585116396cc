"""Whole studies on a real Ray cluster whose nodes and drivers are killed: the same store as on this machine alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from benchmarks.cluster.disturbed import SMALL, Disturbed, point, points
from benchmarks.ray_nodes import RayNodes, lives
from orders import outcome_of, same_numbers, trial
from reliability.small import Command
from reliability.sound import held

import fairtrial as ft
from fairtrial import runner
from fairtrial.errors import ExecutorError
from fairtrial.executors.choice import Place
from fairtrial.store import Store
from fairtrial.trial import Event, Lost, Outcome, Progress
from fairtrial.wire import Order

# What the cluster's library warns of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

TIMED = SMALL.replace("baseline: narrow}", "baseline: narrow, metrics: [accuracy, time]}")
"""With pairs to time at the end."""


@pytest.mark.slow
def test_a_study_one_of_whose_two_nodes_is_killed_holds_what_it_holds_on_this_machine_alone(
    nodes: RayNodes, tmp_path: Path
) -> None:
    """The promise of the whole module: keys, epochs, predictions, weights and answers, to the bit; nothing twice."""
    ran: dict[str, list[Event]] = {"here": [], "there": []}
    nodes.at_least(2)
    study, victim = SMALL.replace("epochs: 2", "epochs: 60"), nodes.nodes[-1]
    for name, place in (("here", Place(workers=1)), ("there", Place(name="ray"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.yaml").write_text(study, encoding="utf-8")
        with Store.open(tmp_path / name / "store.db") as store, place.ready() as executor:

            def on_event(event: Event, name: str = name, executor: Any = executor) -> None:
                ran[name].append(event)
                if name == "there" and isinstance(event, Progress) and lives(victim):
                    trains_on = {one.order.key: one.node for one in executor._running.values()}
                    if trains_on.get(event.key) == ray_name(victim):
                        nodes.kill_node(nodes.nodes.index(victim))

            runner.run(
                ft.load(tmp_path / name / "study.yaml"),
                store=store,
                executor=executor,
                seeds=3,
                on_event=on_event,
            )
    lost = [event for event in ran["there"] if isinstance(event, Lost)]
    assert [(one.state, one.retry, "was lost" in one.reason) for one in lost] == [("stopped", True, True)]
    done = [event.key for event in ran["there"] if isinstance(event, Outcome)]
    assert len(done) == len(set(done)) == 6
    complaints: list[str] = []
    here, there = (held(tmp_path / name, complaints) for name in ("here", "there"))
    assert complaints == []
    assert here == there


def ray_name(node: int) -> str:
    """What Ray calls the node with this process id."""
    import ray  # pyright: ignore[reportMissingImports]

    words = {word.rpartition("=")[2] for word in psutil.Process(node).cmdline()}
    (name,) = [one["NodeID"] for one in ray.nodes() if one["RayletSocketName"] in words]
    return str(name)


@pytest.mark.faults
def test_a_killed_node_a_killed_driver_and_one_from_afar_leave_an_undisturbed_store(
    nodes_from_afar: RayNodes, tmp_path: Path
) -> None:
    """The next run goes on, as on one machine; one more seed comes from a driver that is no node of the cluster."""
    asked = Disturbed(name="small", text=TIMED, seeds=6, node_after=3, driver_after=6)
    nodes = nodes_from_afar
    found = point(asked, tmp_path, nodes, victim=nodes.add())
    assert (found["trials"], found["equal_trials"]) == (12, 12)
    words = ("run", "study.yaml", "--store", "store.db", "--seeds", "7", "--executor", nodes.client)
    ran = Command(tmp_path / "there", *words)
    if ran.wait(seconds=300) == 2 and "Initialization failure" in ran.errors:
        # Ray gives what serves a driver from afar half a minute to start, which is too little on a machine that is busy.
        ran = Command(tmp_path / "there", *words)
        ran.wait(seconds=300)
    assert ran.process.returncode == 0, ran.errors
    assert sorted(ran.finished) == [("narrow", 7), ("wide", 7)]
    study, path = ft.load(tmp_path / "there" / "study.yaml"), tmp_path / "there" / "store.db"
    answers = ft.answers(study, store=path)
    assert answers["wider"].time.seeds == 7
    keys = [one["key"] for arm in answers.as_dict()["arms"] for one in arm["trials"]]
    with Store.open(path) as store:
        stored = store.stored(keys)
        assert all(one.outcome.provenance["processor"] for one in stored.values())
        assert all(len(one.outcome.provenance["node"]) == 12 for one in stored.values())
        assert not list(store.checkpoint_path("any").parent.glob("*"))


@pytest.mark.faults
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


OWN = """\
schema: fairtrial/1
name: own
data: {train: 400, validation: 200}
base: {epochs: 2}
arms:
  module: {network: {python: "net.py:build"}}
  program: {command: "python train.py {seed} {env.FAIRTRIAL_OWN_TEST}"}
questions:
  - {id: which, variant: program, baseline: module}
"""
NET = "import blocks\n\n\ndef build(classes):\n    return blocks.made(classes)\n"
BLOCKS = """\
from torch import nn


def made(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 8), nn.Dropout(0.5), nn.Linear(8, classes))
"""
TRAIN = """\
import json, os, sys

at_home = float(os.path.exists("study.yaml"))
print(json.dumps({"validation_accuracy": float(sys.argv[2]), "validation_loss": at_home, "train_accuracy": 1 / int(sys.argv[1])}))
"""


@pytest.mark.long
def test_code_of_ones_own_gives_on_a_cluster_what_it_gives_here_and_needs_no_folder_of_this_machine(
    nodes: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network in Python and a program of any kind: their files go to the nodes, which were started before they were written."""
    nodes.at_least(2)
    for name, text in (("study.yaml", OWN), ("net.py", NET), ("blocks.py", BLOCKS), ("train.py", TRAIN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("FAIRTRIAL_OWN_TEST", "0.25")  # which the nodes do not have
    study, ran = ft.load(tmp_path / "study.yaml"), list[dict[str, Outcome]]()
    for place in (Place(workers=1), Place(name="ray")):
        found: dict[str, Outcome] = {}

        def note(event: Event, found: dict[str, Outcome] = found) -> None:
            if isinstance(event, Outcome):
                found[event.key] = event

        with Store.open(tmp_path / f"{place.name}.db") as store, place.ready() as executor:
            report = runner.run(study, store=store, executor=executor, seeds=2, on_event=note)
        assert (report.trained, report.failed) == (4, {})
        ran.append(found)
    here, there = ran
    assert here.keys() == there.keys()
    for key, one in here.items():
        other = there[key]
        assert other.provenance["executor"] == "ray" and len(other.provenance["node"]) == 12
        if one.weights_sha256:
            assert same_numbers(one, other)
        else:
            assert (one.metrics["validation_loss"], other.metrics["validation_loss"]) == (1.0, 0.0)
            assert one.metrics["validation_accuracy"] == other.metrics["validation_accuracy"] == 0.25
            assert one.metrics["train_accuracy"] == other.metrics["train_accuracy"]


@pytest.mark.long
def test_no_room_is_said_before_anything_is_trained(nodes: RayNodes) -> None:
    """Waiting for a GPU that nobody has would be waiting for ever."""
    with pytest.raises(ExecutorError, match=r"no node with the 1 CPU and 1 GPU .* with 1 CPU and 0 GPUs"):
        Place(name="ray", gpus=1).ready()


@pytest.mark.course
def test_width_and_two_hundred_trials_on_three_nodes_one_of_them_killed() -> None:
    """At the size of real studies: what docs/scale.md tells of, and `benchmarks/scale --part disturbed` measures."""
    found = list(points())
    assert [one["trials"] for one in found] == [9, 200]
    assert all(one["equal_trials"] == one["trials"] for one in found)
