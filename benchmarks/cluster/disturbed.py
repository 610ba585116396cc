"""Real studies on three nodes, of which one is killed in the middle and then the driver: what is in the store afterwards?

The same study on this machine alone, undisturbed, is what it is held against: every key, epoch, prediction, weight and
answer, to the bit.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from reliability.small import Command
from reliability.sound import Held, held

import fairtrial as ft
from benchmarks.ray_nodes import ENVIRONMENT, RayNodes, started_nodes
from benchmarks.results import Point
from fairtrial.store import Store
from fairtrial.study import studyfile

NODES = 3
PATIENCE = 1200
"""Seconds that a command may take before it counts as stuck."""

SMALL = """\
schema: fairtrial/1
name: small
data: {train: 1000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 2}
arms: {narrow: {}, wide: {network.mlp.width: 100}}
questions:
  - {id: wider, variant: wide, baseline: narrow}
seeds: {min: 3, max: 100}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """A study, and after how many trials in all its last node and then its driver are killed; 0 for never."""

    name: str
    text: str
    seeds: int
    node_after: int
    driver_after: int = 0


def studies() -> tuple[Disturbed, ...]:
    """`width` as it is built in, all images and epochs of it, and two hundred small trials."""
    width = (studyfile.BUILTIN / "width.yaml").read_text(encoding="utf-8")
    return (
        Disturbed(name="`width`, as it is built in", text=width, seeds=3, node_after=2, driver_after=5),
        Disturbed(
            name="200 small trials",
            text=SMALL.replace("epochs: 2", "epochs: 20"),
            seeds=100,
            node_after=60,
            driver_after=130,
        ),
    )


def points(asked: Sequence[Disturbed] | None = None) -> Iterator[Point]:
    """One for each study, for which a node is added. Raises RuntimeError where anything differs from this machine alone."""
    with started_nodes(NODES - 1) as nodes:
        for one in asked or studies():
            with tempfile.TemporaryDirectory() as folder:
                yield point(one, Path(folder), nodes, victim=nodes.add())


def point(asked: Disturbed, folder: Path, nodes: RayNodes, *, victim: int) -> Point:
    """Run the study on this machine alone, then on the nodes, of which number `victim` is killed; compare the stores."""
    alone, there = folder / "alone", folder / "there"
    for each in (alone, there):
        each.mkdir()
        (each / "study.yaml").write_text(asked.text, encoding="utf-8")
    began = perf_counter()
    whole = _finished(_run(alone, asked))
    alone_seconds = perf_counter() - began

    began = perf_counter()
    told: list[tuple[str, int]] = []
    command = _run(there, asked, nodes)
    if asked.node_after:
        _wait(command, asked.node_after)
        while not nodes.busy(victim) and command.process.poll() is None:
            time.sleep(0.01)  # a node that is between two trials would lose nothing
        nodes.kill_node(victim)
    if asked.driver_after:
        _wait(command, asked.driver_after)
        command.process.kill()
        command.wait()
        told += command.finished
        command = _run(there, asked, nodes)
    told += _finished(command)
    there_seconds = perf_counter() - began

    complaints = [f"trained twice: {one}" for one in set(told) if told.count(one) > 1]
    complaints += [f"not trained: {one}" for one in set(whole) - set(told) if not asked.driver_after]
    here, found = held(alone, complaints), held(there, complaints)
    complaints += _differences(here, found)
    if complaints:
        raise RuntimeError(f"{asked.name}: {'; '.join(complaints[:5])}")
    return {
        "study": asked.name,
        "nodes": NODES,
        "trials": found.contents.done,
        "node_killed_after": asked.node_after,
        "driver_killed_after": asked.driver_after,
        "equal_trials": sum(
            found.contents.trials[one] == digest for one, digest in here.contents.trials.items()
        ),
        "alone_seconds": alone_seconds,
        "there_seconds": there_seconds,
        **_whereabouts(there),
    }


def _run(folder: Path, asked: Disturbed, nodes: RayNodes | None = None) -> Command:
    """`fairtrial run`, on the nodes or on this machine's own workers."""
    words = ["run", "study.yaml", "--store", "store.db", "--seeds", str(asked.seeds)]
    if nodes is None:
        return Command(folder, *words)
    return Command(
        folder, *words, "--executor", "ray", environment={**ENVIRONMENT, "RAY_ADDRESS": nodes.address}
    )


def _wait(command: Command, trials: int) -> None:
    if not command.wait_for_finished(trials, seconds=PATIENCE):
        command.kill_family()
        raise RuntimeError(f"the run did not come to {trials} trials: {command.lines[-5:]}")


def _finished(command: Command) -> list[tuple[str, int]]:
    """The trials that it told of, when it has ended by itself."""
    try:
        code = command.wait(seconds=PATIENCE)
    except subprocess.TimeoutExpired:
        command.kill_family()
        raise RuntimeError(f"the run did not end: {command.lines[-5:]}") from None
    if code:
        raise RuntimeError(f"the run ended with status {code}: {command.lines[-5:]}")
    return command.finished


def _differences(here: Held, there: Held) -> Iterator[str]:
    """What is not the same to the bit. Answers on time are left out: they are made of clocks."""
    if here.contents.trials != there.contents.trials:
        yield "its trials are not those of this machine alone"
    if there.contents.claimed_by or there.contents.attempts:
        yield f"claims are left, or {there.contents.attempts} attempts have failed"
    if _without_times(here.answers) != _without_times(there.answers):
        yield "its answers are not those of this machine alone"


def _without_times(answers: Sequence[Any]) -> list[Any]:
    return [one for one in answers if one["metric"] != "time"]


def _whereabouts(folder: Path) -> Point:
    """On how many nodes its trials were trained, and how many were lost with one and trained again elsewhere."""
    study = ft.load(folder / "study.yaml")
    listed = ft.answers(study, store=folder / "store.db").as_dict()["arms"]
    keys = [trial["key"] for arm in listed for trial in arm["trials"]]
    with Store.open(folder / "store.db") as store:
        stored = store.stored(keys).values()
        lost = [one for some in store.attempts(keys).values() for one in some if "was lost" in one.reason]
    nodes = {trial.outcome.provenance["node"] for trial in stored}
    return {"trained_on": len(nodes), "lost_with_node": len(lost)}
