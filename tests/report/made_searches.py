"""Searches with proposals of every state, as searching would leave them, made at once."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_trials import HOSTILE, finished, from_text

from fairtrial.analysis import Answers
from fairtrial.analysis.gather import arm_key
from fairtrial.analysis.points import name_of, search_key
from fairtrial.api import answers
from fairtrial.engine.precision import resolve
from fairtrial.report.search_axes import axes
from fairtrial.store import Claim, Proposal, Store
from fairtrial.study.candidates import candidate, in_block
from fairtrial.study.schema import Arm, Study
from fairtrial.study.searches import Search
from fairtrial.study.space import Choice, IntRange, Parameter, Value, walk
from fairtrial.trial import CONFIRMATION, SEARCH, Lost, Outcome, Trial

WIDTH = """
schema: fairtrial/1
name: sizes
title: Which size?
base: {epochs: 4}
arms:
  narrow: {network: {mlp: {width: 50, depth: 2}}}
search:
  id: S1
  ask: Can you find a size that does better?
  note: It has a note.
  baseline: narrow
  space: {network.mlp.width: {int: [16, 2048], log: true}}
"""
MANY = """
schema: fairtrial/1
name: shapes
title: Which shape?
base: {epochs: 4}
arms:
  narrow: {network: {mlp: {width: 50, depth: 2}}}
search:
  id: S1
  ask: Can you find a shape that does better?
  baseline: narrow
  metric: METRIC
  space:
    network.layers:
      - flatten
      - repeat: {int: [1, 3]}
        dense: {units: {int: [32, 1024], log: true}, activation: {choice: [relu, tanh]}}
      - dropout: {float: [0.0, 0.5]}
    optimizer:
      choice:
        - {name: adam, learning_rate: {float: [0.0002, 0.01], log: true}}
        - {name: sgd, learning_rate: {float: [0.01, 0.5], log: true}, momentum: {float: [0.5, 0.99]}}
"""


def conditional(metric: str = "accuracy") -> str:
    """A study whose search is over a space in which most parameters are there for some proposals alone."""
    return MANY.replace("METRIC", metric)


def hostile_answers(folder: Path) -> Answers:
    """The answers of a study of one search in which every text is an attack: names of settings and options, too."""
    study = from_text(WIDTH, folder)
    arm = next(iter(study.arms.values()))
    search = study.search[0].model_copy(
        update={"ask": f"ask {HOSTILE}", "note": f"note {HOSTILE}", "baseline": HOSTILE}
    )
    study = replace(
        study,
        name=HOSTILE,
        title=f"study {HOSTILE}",
        arms={HOSTILE: replace(arm, name=HOSTILE)},
        search=(search,),
    )
    fill_search(study, folder / "some.db", count=24)
    found = answers(study, store=folder / "some.db")
    (one,) = found.searches
    space = {HOSTILE: Choice(options=(HOSTILE, "plain")), f"{HOSTILE}2": Choice(options=(HOSTILE, "plain"))}
    points = tuple(
        replace(point, values={HOSTILE: point.number % 2, f"{HOSTILE}2": point.number % 3 % 2})
        for point in one.points
    )
    by_number = {point.number: point for point in points}
    assert one.candidate is not None
    attack = replace(
        one,
        search=search.model_copy(update={"space": space}),
        points=points,
        candidate=by_number[one.candidate.number],
        by_seconds=tuple(by_number[point.number] for point in one.by_seconds),
        by_parameters=tuple(by_number[point.number] for point in one.by_parameters),
        sentence=f"{one.sentence} {HOSTILE}",
        search_sentence=f"{one.search_sentence} {HOSTILE}",
    )
    return replace(found, searches=(attack,))


def fill_search(study: Study, path: Path, *, count: int, seeds: int = 5, better: float = 0.012) -> None:
    """A store at `path` with `count` proposals of the study's search and, with `seeds`, its confirmed candidate.

    Of twelve proposals three were stopped, one diverged, one failed and one is open.
    """
    (search,) = study.search
    key = search_key(study, search)
    draw = random.Random(7)
    baseline = in_block(study.arms[search.baseline], SEARCH)
    with Store.open(path) as store:
        if count:
            for seed in range(1, 6):
                record(store, baseline, seed, 0.035)
        done: dict[int, tuple[Arm, float, dict[str, Value]]] = {}
        for number in range(count):
            values, changes = drawn(search, draw)
            arm = candidate(study.arms[search.baseline], changes, name=name_of(search, number), block=SEARCH)
            store.propose(Proposal(search=key, number=number, parameters=values, arm_key=arm_key(arm)))
            error = error_of(search, values) + better
            match number % 12:
                case 2 | 6 | 10:
                    scores = [1 - 4 * error] if search.metric == "accuracy" else [14 * error]
                    store.stop_proposal(key, number, scores * (1 + number % 2))
                case 7:
                    diverge(store, arm)
                case 8:
                    fail(store, arm)
                case 11:
                    pass
                case _:
                    record(store, arm, 1, error)
                    done[number] = (arm, error, values)
        ahead = sorted(done, key=lambda number: done[number][1])
        for place, more in enumerate((5, 5, 3, 2, 2)[: len(ahead)]):
            arm, error, _ = done[ahead[place]]
            for seed in range(2, more + 1):
                record(store, arm, seed, error)
        if seeds and ahead:
            confirm(study, store, key, ahead[0], done[ahead[0]], seeds=seeds)


def confirm(
    study: Study,
    store: Store,
    key: str,
    number: int,
    chosen: tuple[Arm, float, dict[str, Value]],
    *,
    seeds: int,
) -> None:
    arm, error, values = chosen
    (search,) = study.search
    frozen = store.select(
        study=study.name,
        question=search.id,
        basis=key,
        selected=json.dumps({"number": number, "parameters": values, "seeds": 5}),
        first_block=CONFIRMATION,
    )
    for seed in range(1, seeds + 1):
        record(store, in_block(arm, frozen.block), seed, error + 0.001)
        record(store, in_block(study.arms[search.baseline], frozen.block), seed, 0.035)


def drawn(search: Search, draw: random.Random) -> tuple[dict[str, Value], dict[str, object]]:
    """A random point: what each parameter came to, and the departures."""
    values: dict[str, Value] = {}

    def ask(name: str, parameter: Parameter) -> Value:
        if isinstance(parameter, Choice):
            values[name] = draw.randrange(len(parameter.options))
        else:
            share = draw.random()
            wide = parameter.high / parameter.low if parameter.log else 0.0
            value = (
                parameter.low * wide**share
                if parameter.log
                else parameter.low + share * (parameter.high - parameter.low)
            )
            values[name] = round(value) if isinstance(parameter, IntRange) else float(f"{value:.5g}")
        return values[name]

    return values, walk(search.space, ask)


def error_of(search: Search, values: Mapping[str, Value]) -> float:
    """Lowest a little above the middle of each parameter."""
    shares = {axis.name: axis.share for axis in axes(dict(search.space))}
    away = [abs(shares[name](value) - 0.6) for name, value in values.items() if name in shares]
    return 0.005 + 0.04 * sum(away) / max(len(away), 1)


def record(store: Store, arm: Arm, seed: int, error: float) -> None:
    trial = Trial(arm=arm, seed=seed, precision=resolve(arm.settings.precision))
    claim = store.claim(trial)
    if isinstance(claim, Claim):
        rng = np.random.default_rng([trial.number, int(trial.arm_key[:8], 16)])
        outcome = finished(trial, error + rng.normal(0, 0.0006), None, rng)
        store.record(claim, outcome, trial=trial, weights=False)


def diverge(store: Store, arm: Arm) -> None:
    trial = Trial(arm=arm, seed=1, precision=resolve(arm.settings.precision))
    claim = store.claim(trial)
    if not isinstance(claim, Claim):
        return
    outcome = Outcome(
        key=trial.key, state="diverged", epochs=0, metrics={}, seconds={"setup": 0.1, "train": 1.0}, history=(),
        provenance={}, reason="training loss became nan in epoch 1",
    )  # fmt: skip
    store.record(claim, outcome, trial=trial, weights=False)


def fail(store: Store, arm: Arm) -> None:
    """Given up after the third attempt."""
    trial = Trial(arm=arm, seed=1, precision=resolve(arm.settings.precision))
    for _ in range(3):
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record_lost(
            claim, Lost(key=trial.key, state="failed", reason=f"out of memory {HOSTILE}"), trial=trial
        )
