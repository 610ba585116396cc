"""Where the time of a step goes: `benchmarks/phases`. One thread on one core, as every trial has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

import torch

from benchmarks.commands import at_least_one, command, say
from benchmarks.environments import ROOT
from benchmarks.machine import this_run
from benchmarks.page import table
from benchmarks.rows import rows
from fairtrial.data.catalog import load
from fairtrial.data.split import split
from fairtrial.engine import batched, process
from fairtrial.engine.augmented import TrainingImages
from fairtrial.engine.chain import Chain
from fairtrial.engine.evaluate import Images, evaluate, evaluation_batch, prepared
from fairtrial.engine.network import Network, build
from fairtrial.engine.precision import resolve
from fairtrial.engine.train import images, learner_of
from fairtrial.errors import FairtrialError
from fairtrial.executors.local import available_cores
from fairtrial.report.marked import surroundings, write_block
from fairtrial.study.algorithm import algorithm
from fairtrial.study.schema import Arm

MARK = "phases measured"
PAGE = ROOT / "docs" / "performance.md"
WARM_UP_STEPS = 10
ONE_BY_ONE = 2_000
"""Steps at batch size 1, where one is a fraction of a millisecond."""

STEP_PHASES = ("images", "forward", "backward", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Seconds of one step, of its phases (empty where a step is one compiled loop), and of one validation."""

    row: str
    step: float
    phases: dict[str, float]
    validation: float
    steps_per_epoch: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/phases", description=__doc__)
    parser.add_argument("--row", action="append", choices=list(rows()), help="this row only (repeatable)")
    parser.add_argument("--steps", type=at_least_one, default=60, help="steps to time of each row (60)")
    parser.add_argument("--page", type=Path, default=PAGE, help="Markdown file that holds the marks")
    asked = parser.parse_args()
    try:
        around = surroundings(asked.page, MARK)
    except FairtrialError as error:
        sys.exit(f"benchmarks/phases: {error}")
    process.keep_freed_memory()
    process.pin(available_cores()[-1])
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    run = this_run(command("benchmarks/phases", sys.argv[1:]), ceilings=None)
    profiles: list[Profile] = []
    for name in asked.row or rows():
        profiles.append(measured(rows()[name], steps=asked.steps))
        say(f"{name}: {1000 * profiles[-1].step:.3g} ms a step")
    where = f"- {run.date}: `{run.command}` on one core of {run.processor}, load average before it {run.load_before:.1f}."
    write_block(asked.page, around, ["", where, "", *block(profiles), ""])
    return 0


def measured(arm: Arm, *, steps: int) -> Profile:
    """Steps of the arm's first epoch after some that do not count, and one validation after another."""
    bfloat16 = resolve(arm.settings.precision) == "bfloat16"
    data = load(arm.settings.data.dataset)
    originals = images(data.train_images, data.train_labels)
    division = split(arm.settings.data, seed=1)
    network = build(arm, seed=1)
    training = TrainingImages(originals, arm.settings.data.augment, seed=1)
    learner = learner_of(arm, network, training.images, bfloat16=bfloat16)
    size = arm.settings.batch_size
    count = min(ONE_BY_ONE if algorithm(arm) == "online" else steps, max(1, arm.steps_per_epoch - 1))
    warm_up = min(WARM_UP_STEPS, arm.steps_per_epoch - count)
    order = torch.from_numpy(division.epoch_order(1))
    outputs = torch.empty(len(order), arm.settings.data.facts.classes)
    learner.start_epoch(1)
    first, last = warm_up * size, (warm_up + count) * size
    learner.train(order[:first], outputs[:first])
    spent: dict[str, float] = {}
    with timed(learner, spent):
        began = perf_counter()
        learner.train(order[first:last], outputs[first:last])
        seconds = perf_counter() - began
    learner.settle()
    validation = prepared(originals, torch.from_numpy(division.validation), batch_size=evaluation_batch(arm))
    evaluate(network, validation, bfloat16=bfloat16)
    began = perf_counter()
    evaluate(network, validation, bfloat16=bfloat16)
    return Profile(
        row=arm.name,
        step=seconds / count,
        phases={name: spent[name] / count for name in STEP_PHASES if name in spent},
        validation=perf_counter() - began,
        steps_per_epoch=arm.steps_per_epoch,
    )


@contextmanager
def timed(learner: Any, spent: dict[str, float]) -> Iterator[None]:
    """Within it, what the learner calls for each phase of a step adds its seconds to `spent`."""
    places: list[tuple[Any, str, str]] = []
    if isinstance(learner, Chain):
        of_step = {"_images": "images", "_forward": "forward", "_backward": "backward"}
        places = [(learner, name, phase) for name, phase in of_step.items()]
    elif isinstance(learner, batched.Batched):
        of_types = ((Images, "batch"), (Network, "forward"), (torch.Tensor, "backward"))
        places = [(owner, name, phase) for (owner, name), phase in zip(of_types, STEP_PHASES, strict=False)]
    if places:
        places.append((learner.optimizer, "step", "update"))
    with ExitStack() as patched:
        for owner, name, phase in places:
            function = clocked(getattr(owner, name), phase, spent)
            patched.enter_context(mock.patch.object(owner, name, function))
        yield


def clocked(function: Callable[..., Any], phase: str, spent: dict[str, float]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        began = perf_counter()
        try:
            return function(*given, **named)
        finally:
            spent[phase] = spent.get(phase, 0.0) + perf_counter() - began

    return call


def block(profiles: list[Profile]) -> list[str]:
    def share(one: Profile, phase: str) -> str:
        return f"{100 * one.phases[phase] / one.step:.0f} %" if phase in one.phases else ""

    def rest(one: Profile) -> str:
        return f"{100 * (1 - sum(one.phases.values()) / one.step):.0f} %" if one.phases else ""

    body = [
        [
            one.row,
            f"{1000 * one.step:.3g}",
            *(share(one, phase) for phase in STEP_PHASES),
            rest(one),
            f"{one.validation:.3g}",
            f"{100 * one.validation / (one.validation + one.step * one.steps_per_epoch):.1f} %",
        ]
        for one in profiles
    ]
    head = ["row", "a step, ms", *STEP_PHASES, "loss and rest", "a validation, s", "its share of an epoch"]
    return list(table(head, body))


if __name__ == "__main__":
    sys.exit(main())
