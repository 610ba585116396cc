"""A study with a question whose arms are tuned first and one that combines others, its trials made at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from made_trials import HOSTILE, finished, from_text

from fairtrial.searching import following
from fairtrial.searching.work import telling
from fairtrial.store import Store
from fairtrial.study.schema import Question, Study
from fairtrial.trial import Event, Outcome, Started, Trial
from fairtrial.wire import Order, TimingOrder

SELECTED = """
schema: fairtrial/1
name: parts
title: Which parts?
base: {epochs: 4}
arms:
  plain: {}
  wide: {network.mlp.width: 200}
  deep: {network.mlp.depth: 4}
  fast: {optimizer.learning_rate: 0.01}
questions:
- {id: W, variant: wide, baseline: plain, factors: [network.mlp.width]}
- {id: D, variant: deep, baseline: plain, factors: [network.mlp.depth]}
- {id: F, variant: fast, baseline: plain, factors: [optimizer.learning_rate]}
- id: T
  ask: And when each has a rate of its own?
  note: It has a note.
  variant: wide
  baseline: plain
  factors: [network.mlp.width]
  retune: {optimizer.learning_rate: [0.0003, 0.001]}
  retune_seeds: 2
  claims:
    - {metric: accuracy, says: increase}
    - {metric: loss, says: decrease}
- {id: All, combine: [W, D, F], note: It has another note.}
seeds: {min: 3, max: 8}
"""


Asked = TypeVar("Asked", bound=Question)


class Executor:
    """Wide and deep are better by a point each, together by a point and a half; a rate of 0.01 is worse, 0.0003 diverges once."""

    def __init__(self) -> None:
        self.ready: list[Event] = []

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def free(self) -> int:
        return 2 - sum(isinstance(event, Outcome) for event in self.ready)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self.ready += [Started(key=order.key, worker=0), outcome(order.trial)]

    def stop(self, key: str) -> None:
        raise AssertionError("nothing runs long enough to be stopped")

    def events(self) -> Iterator[Event]:
        while self.ready:
            yield self.ready.pop(0)


def outcome(trial: Trial) -> Outcome:
    mlp, rate = trial.arm.settings.network.mlp, trial.arm.settings.optimizer.learning_rate
    assert mlp is not None
    wide, deep = mlp.width == 200, mlp.depth == 4
    if rate == 0.0003 and wide and trial.seed == 1:
        return Outcome(
            key=trial.key, state="diverged", epochs=0, metrics={}, seconds={"setup": 0.1, "train": 1.0}, history=(),
            provenance={}, reason="training loss became nan in epoch 1",
        )  # fmt: skip
    error = 0.05 - 0.01 * (wide + deep) + 0.005 * (wide and deep) + 0.02 * (rate == 0.01 or rate == 0.0003)
    rng = np.random.default_rng([trial.number, int(trial.arm_key[:8], 16)])
    return finished(trial, error + float(rng.normal(0, 0.0004)), None, rng)


def train(study: Study, path: Path, **named: Any) -> None:
    """Everything that the study asks, or the questions that are named, in a store at `path`."""
    with Store.open(path) as store:
        following.run(
            study, store=store, executor=Executor(), watch=telling(lambda _: None), weights="none", **named
        )


def hostile_selected(folder: Path) -> Study:
    """The study with an attack in every text that may hold one: names of arms, what is asked and what is noted."""
    study = from_text(SELECTED, folder)
    names = {name: f"{name} {HOSTILE}" for name in study.arms}
    said: Mapping[str, str] = {"ask": f"ask {HOSTILE}", "note": f"note {HOSTILE}"}
    return replace(
        study,
        name=HOSTILE,
        title=f"study {HOSTILE}",
        arms={names[name]: replace(arm, name=names[name]) for name, arm in study.arms.items()},
        questions=tuple(_renamed(one, names, said) for one in study.questions),
        retuned=tuple(_renamed(one, names, said) for one in study.retuned),
        combined=tuple(one.model_copy(update=said) for one in study.combined),
    )


def _renamed(question: Asked, names: Mapping[str, str], said: Mapping[str, str]) -> Asked:
    return question.model_copy(
        update={**said, "variant": names[question.variant], "baseline": names[question.baseline]}
    )
