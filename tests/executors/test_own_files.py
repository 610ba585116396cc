"""The user's own code on a node that has no file of it: sent along, put together anew for each attempt, or said to be missing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import FakeCluster, ended

import fairtrial as ft
from fairtrial.errors import OwnCodeError
from fairtrial.executors import attempt as node_side
from fairtrial.executors import scratch
from fairtrial.executors.attempt import Ended, attempt, job_for, needs
from fairtrial.executors.cluster import Share
from fairtrial.executors.own_files import OwnFiles, digest_of, own_sources, packed
from fairtrial.executors.remote import ClusterExecutor
from fairtrial.pair import PairTimes
from fairtrial.study.commands import PACKAGE
from fairtrial.study.sources import Sources
from fairtrial.trial import Lost, Outcome, Started, Trial
from fairtrial.wire import Order, TimingOrder, decode_event, decode_order, encode_event, encode_order

SHARE = Share(cpus=1, gpus=0)

PROGRAM = """\
import json, os, pathlib, helper
left = pathlib.Path("left.txt")
print(json.dumps({"validation_accuracy": helper.accuracy, "validation_loss": float(left.exists()), "train_seconds": 0.5}))
left.write_text("whatever the next one must not find")
"""


@pytest.fixture(autouse=True, scope="module")
def no_worker_stays() -> Iterator[None]:
    yield
    for module in list(node_side._warm):
        node_side._forget(module)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a study, with a program and what it imports; a library lies beside the folder."""
    folder = tmp_path / "home" / "study"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(PROGRAM)
    (folder / "helper.py").write_text("accuracy = 0.75\n")
    (folder.parent / "shared.txt").write_text("beside the folder")
    monkeypatch.chdir(folder)
    return folder


def trial(seed: int = 1, **settings: Any) -> Trial:
    return Trial(arm=ft.Study(arms={"own": settings}).arms["own"], seed=seed, precision="float32")


def carried_out(order: Order | TimingOrder, *, without: Path | None = None) -> Ended:
    """On a node that has the user's files no more; or still has, where nothing is said of them."""
    job, brought = job_for(order), [packed(one) for one in needs(order) if isinstance(one, Sources)]
    if without is not None:
        remove(without)
    return attempt(job, node="there", brought=brought, tell=lambda _: None)


def remove(folder: Path) -> None:
    """The folder is this process's own, as no node's is: a worker could not start in one that is not there."""
    os.chdir(folder.parents[1])
    shutil.rmtree(folder)


def only(came: Ended) -> Any:
    return decode_event(came.lines[-1])


def test_a_program_runs_where_its_files_are_not_and_finds_nothing_that_an_earlier_trial_left(
    home: Path,
) -> None:
    """A node's disk is nobody's study folder; what the first trial wrote would make the second another one."""
    one = trial(command="python train.py --seed {seed}")
    orders = [Order(trial=one), Order(trial=trial(2, command="python train.py --seed {seed}"))]
    brought = [packed(one) for one in needs(orders[0]) if isinstance(one, Sources)]
    assert [sorted(own.files) for own in brought] == [["helper.py", "train.py"]]
    jobs = [job_for(order) for order in orders]
    remove(home)
    for job in jobs:
        outcome = only(attempt(job, node="there", brought=brought, tell=lambda _: None))
        assert isinstance(outcome, Outcome), outcome
        assert outcome.key == job.key
        assert (outcome.metrics["validation_accuracy"], outcome.metrics["validation_loss"]) == (0.75, 0.0)
    assert [path.name for path in scratch.scratch().iterdir()] == []


def test_files_beside_the_folder_and_programs_that_are_run_themselves_travel_too(home: Path) -> None:
    """Their names go up from the folder; they stay within what is the attempt's."""
    (home / "run.sh").write_text(
        '#!/bin/sh\ntest -s "$1" && test -s "$2" && echo \'{"validation_accuracy": 0.5}\'\n'
    )
    (home / "run.sh").chmod(0o755)
    (home / "data").mkdir()
    command = "./run.sh ../shared.txt data/../../shared.txt --seed {seed}"
    order = Order(trial=trial(command=command))
    (sources,) = own_sources(order)
    assert {name for name, _ in sources.files} == {"./run.sh", "../shared.txt", "data/../../shared.txt"}
    outcome = only(carried_out(order, without=home.parent))
    assert isinstance(outcome, Outcome), outcome


def test_a_network_in_python_is_that_of_its_own_files_in_whichever_order_they_come(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folders, each with a module of the same name: the second arm must not be the first one's network."""
    net = "import blocks\n\n\ndef build(classes):\n    return blocks.made(classes)\n"
    blocks = (
        "from torch import nn\n\n\ndef made(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, {width}), nn.ReLU(), nn.Linear({width}, classes))\n"
    )
    orders: list[Order] = []
    for name, width in (("narrow", 3), ("wide", 9)):
        (home / name).mkdir()
        (home / name / "net.py").write_text(net)
        (home / name / "blocks.py").write_text(blocks.format(width=width))
        few = {"train": 200, "validation": 100}
        orders.append(Order(trial=trial(network={"python": f"{name}/net.py:build"}, data=few, epochs=1)))
    jobs = [job_for(order) for order in orders]
    brought = [[packed(one) for one in needs(order) if isinstance(one, Sources)] for order in orders]
    remove(home)
    found = [
        only(attempt(job, node="there", brought=own, tell=lambda _: None))
        for job, own in zip(jobs, brought, strict=True)
    ]
    weights = [784 * width + width + 10 * width + 10 for width in (3, 9)]
    assert [outcome.provenance["parameters"] for outcome in found] == [str(one) for one in weights]
    assert [outcome.key for outcome in found] == [job.key for job in jobs]


def test_a_pair_of_programs_is_timed_where_neither_is_at_home(home: Path) -> None:
    """Each arm has a folder of its own there."""
    (home / "other").mkdir()
    (home / "other" / "train.py").write_text((home / "train.py").read_text())
    (home / "other" / "helper.py").write_text("accuracy = 0.5\n")
    first, second = (trial(command=f"python {place}train.py --seed {{seed}}") for place in ("", "other/"))
    pair = only(carried_out(TimingOrder(first=first, second=second), without=home))
    assert isinstance(pair, PairTimes), pair
    assert (pair.first.train_seconds, pair.second.train_seconds) == (0.5, 0.5)


def test_a_file_named_by_a_whole_path_has_to_be_on_the_node_and_is_held_against_its_hash(
    home: Path, tmp_path: Path
) -> None:
    """A shared disk is a good place for much data; another file of that name there would give other numbers."""
    data = tmp_path / "shared disk" / "data.txt"
    data.parent.mkdir()
    data.write_text("as it is here")
    order = Order(trial=trial(command=f"python train.py '{data}' --seed {{seed}}"))
    assert isinstance(only(carried_out(order)), Outcome)
    data.write_text("another on that node")
    lost = only(carried_out(order))
    assert isinstance(lost, Lost) and not lost.retry and "no longer what it was" in lost.reason
    data.unlink()
    lost = only(carried_out(order))
    assert isinstance(lost, Lost) and not lost.retry
    assert f"there is no file {data} on this node" in lost.reason and "whole path" in lost.reason


def test_a_module_that_a_node_does_not_have_is_said_to_be_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is installed, not sent: half a package would be worse than none."""
    site = tmp_path / "installed" / "ownpackage"
    site.mkdir(parents=True)
    (site / "__init__.py").write_text("def build(classes):\n    return None\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site.parent)])
    order = Order(trial=trial(network={"python": "ownpackage:build"}))
    assert own_sources(order) == ()
    monkeypatch.setattr(sys, "path", sys.path[:-1])
    lost = only(carried_out(order))
    assert isinstance(lost, Lost) and not lost.retry
    assert "there is no installed module 'ownpackage'" in lost.reason


def test_a_file_that_changed_since_the_study_was_read_fails_its_trials_and_no_others(home: Path) -> None:
    """Sent as it is now it would be stored under the key of what it was."""
    order, other = Order(trial=trial(command="python train.py --seed {seed}")), Order(trial=trial(epochs=2))
    (home / "helper.py").write_text("accuracy = 0.76\n")
    with pytest.raises(OwnCodeError, match=r"helper\.py in .* is no longer what it was"):
        packed(own_sources(order)[0])

    class Packing(FakeCluster):
        def begin(self, number: int, job: Any, needs: Any, share: Share, node: Any) -> None:
            for one in needs:
                if isinstance(one, Sources):
                    packed(one)
            super().begin(number, job, needs, share, node)

    cluster = Packing()
    executor = ClusterExecutor(cluster, share=SHARE)
    executor.start(order)
    executor.start(other)
    lost = encode_event(Lost(key=other.key, state="failed", reason="reason"))
    cluster.coming.append(ended(2, lost))
    events = [event for event in executor.events() if not isinstance(event, Started)]
    assert [event.key for event in events if isinstance(event, Lost)] == [order.key, other.key]
    assert isinstance(events[0], Lost) and not events[0].retry and "no longer what it was" in events[0].reason
    assert executor.free == 2


def test_a_program_that_misses_a_file_on_a_node_is_told_which_files_go_there(home: Path) -> None:
    """Here it finds whatever lies in its folder; its own words would send its author looking for a typing mistake."""
    (home / "train.py").write_text("open('notes.txt')\n")
    (home / "notes.txt").write_text("beside it, and not in the command")
    order = Order(trial=trial(command="python train.py --seed {seed}"))
    came = carried_out(order)
    cluster = FakeCluster()
    executor = ClusterExecutor(cluster, share=SHARE)
    executor.start(order)
    cluster.coming.append(ended(1, *came.lines))
    lost = [event for event in executor.events() if isinstance(event, Lost)]
    assert len(lost) == 1 and "notes.txt" in lost[0].reason and "under `files:`" in lost[0].reason


def test_files_of_fairtrials_own_are_known_wherever_it_is_installed(home: Path) -> None:
    """A node's copy of the package lies elsewhere: the name in the order must not be a place."""
    order = Order(
        trial=trial(command="{python} {fairtrial}/programs/keras_arm.py --settings {settings} --seed {seed}")
    )
    sources = order.trial.arm.sources
    assert sources is not None and any(name.startswith(str(PACKAGE)) for name, _ in sources.files)
    line = encode_order(order)
    assert f'"{PACKAGE}/' not in line and '"{fairtrial}/programs/keras_arm.py"' in line
    again = decode_order(line)
    assert isinstance(again, Order) and again.trial.arm.sources == sources


def test_variables_that_a_command_names_are_the_nodes_own_and_else_those_that_were_set_here(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path may be another on each node; what is not set there would end every trial."""
    (home / "train.py").write_text(
        "import json, sys\nprint(json.dumps({'validation_accuracy': float(sys.argv[1])}))\n"
    )
    monkeypatch.setenv("OWN_SHARE", "0.25")
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    job = job_for(Order(trial=trial(command="python train.py {env.OWN_SHARE} {env.NOT_SET_HERE}")))
    assert dict(job.variables) == {"OWN_SHARE": "0.25"}
    order = Order(trial=trial(command="python train.py {env.OWN_SHARE}"))
    job, brought = job_for(order), [packed(own_sources(order)[0])]
    found: list[float] = []
    for there in (None, "0.5"):
        monkeypatch.delenv("OWN_SHARE", raising=False)
        if there is not None:
            monkeypatch.setenv("OWN_SHARE", there)
        outcome = only(attempt(job, node="there", brought=brought, tell=lambda _: None))
        found.append(outcome.metrics["validation_accuracy"])
    assert found == [0.25, 0.5]


def test_what_killed_processes_have_left_on_a_node_is_cleared_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray ends a process in the middle of a trial; its copy of the data would stay for ever."""
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    left, held, young = (tmp_path / f"{scratch._PREFIX}{name}" for name in ("left", "held", "young"))
    old = time.time() - 1000
    for folder in (left, held, young):
        folder.mkdir()
        (folder / "file").write_text("content")
    for folder in (left, held):
        os.utime(folder, (old, old))
    (tmp_path / f"{scratch._PREFIX}link").symlink_to(young)
    keeps = scratch._hold(held)
    assert keeps is not None
    scratch._clear()
    assert not left.exists() and (held / "file").exists() and (young / "file").exists()
    os.close(keeps)
    scratch._clear()
    assert not held.exists()


def test_other_files_are_other_baggage() -> None:
    """A node is told by this which of those that it was given are the trial's."""
    assert digest_of([("a", "1")]) == digest_of([["a", "1"]]) != digest_of([("a", "2")])
    assert OwnFiles(digest="d", files={}).files == {}
