"""A search from its first proposal to its confirmation: explore, race, freeze one candidate, judge it elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fairtrial import runner
from fairtrial.analysis.points import baseline_point, search_key
from fairtrial.analysis.searched import confirmation
from fairtrial.data import catalog
from fairtrial.dispatch import Dispatch, Executor
from fairtrial.searching import racing
from fairtrial.searching.training import Phase, Training
from fairtrial.store import Selection, Store
from fairtrial.study.schema import Study
from fairtrial.study.searches import Search
from fairtrial.trial import CONFIRMATION, Event, Trial

EXPLORING, RACING = 0.5, 0.2
"""Shares of the budget for proposing and for the race; the rest, and what they leave over, is the confirmation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReport:
    """What one call did. `proposed` counts all proposals there are, `selected` is the candidate's number.

    `confirmed` is the report on its confirmation. Both are None where the budget ended before, or where nothing that
    was tried has a result: `ended_by` tells which.
    """

    proposed: int
    trained: int
    stopped: int
    selected: int | None
    confirmed: runner.RunReport | None
    ended_by: Literal["done", "budget", "nothing to choose"]
    frozen_before: bool = False
    """Whether the candidate had been frozen by an earlier call, so that nothing was proposed in this one."""


def search(
    study: Study,
    wanted: Search,
    *,
    store: Store,
    executor: Executor,
    budget_seconds: float | None = None,
    most: int | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    on_begin: Callable[[Trial, str], None] = lambda trial, about: None,
    on_confirmation: Callable[[Study], None] = lambda _: None,
) -> SearchReport:
    """Search, select and confirm as far as the budget allows; a further call goes on where this one ended.

    `budget_seconds` and `most`, the largest number of proposals, are the search's own unless given. For half of
    the budget points are proposed, each trained on the first search seed; then the best race on further
    seeds; one candidate is frozen, and from then on this search proposes nothing any more: the rest of the time is
    its confirmation's. `on_begin` is told of every trial of the search with what it tries, `on_confirmation` of the
    study that judges the candidate, before its first trial.

    Raises DataError for a data set that cannot be used.
    """
    began = time.monotonic()
    budget = wanted.budget_seconds if budget_seconds is None else budget_seconds
    key = search_key(study, wanted)
    baseline = baseline_point(study, wanted, store)
    if baseline.arm.has_data:
        catalog.load(baseline.arm.settings.data.facts)
    training = Training(
        study=study,
        search=wanted,
        key=key,
        store=store,
        executor=executor,
        dispatch=Dispatch(
            store=store,
            executor=executor,
            weights="none",
            needs=lambda _: (f"validation_{wanted.metric}_last_epoch",),
        ),
        on_event=on_event,
        on_begin=on_begin,
        baseline=baseline,
    )
    limit = wanted.trials if most is None else most
    frozen = training.frozen()
    frozen_before = frozen is not None
    if frozen is None:
        try:
            _explore(training, Phase.lasting(EXPLORING * budget), most=limit)
            _race(training, Phase.lasting(RACING * budget))
        finally:
            training.dispatch.release()
        frozen = _freeze(training)
    report = None
    if frozen is not None:
        judged = confirmation(study, wanted, frozen)
        on_confirmation(judged)
        left = max(began + budget - time.monotonic(), 0.0)
        report = runner.run(judged, store=store, executor=executor, budget_seconds=left, on_event=on_event)
    ended_by = report.ended_by if report else "budget"
    if report is None and _all_tried(training, limit):
        ended_by = "nothing to choose"
    return SearchReport(
        proposed=len(store.proposals(key)),
        trained=training.trained,
        stopped=training.stopped,
        selected=None if frozen is None else json.loads(frozen.selected)["number"],
        confirmed=report,
        ended_by=ended_by,
        frozen_before=frozen_before,
    )


def _explore(training: Training, phase: Phase, *, most: int | None) -> None:
    """Propose and train until the time for it is over, the space is exhausted, or there are `most` points."""

    def refill() -> bool:
        training.read()
        if training.frozen() is not None:
            return False  # another process has chosen
        mine = True
        if 1 not in training.baseline.results:
            mine = training.begin(training.baseline.arm, 1, phase)
        for point in training.points:
            if point.state == "open":
                mine = training.begin(point.arm, 1, phase, number=point.number) and mine
        while training.room(phase) and (most is None or len(training.points) < most):
            if not training.propose(phase):
                break
        return not mine

    training.until_done(refill, phase)


def _race(training: Training, phase: Phase) -> None:
    """Give the contenders, and the baseline beside them, further seeds until the race is over or the time is."""

    def refill() -> bool:
        training.read()
        if training.frozen() is not None:
            return False
        racers = [point for point in training.points if not training.out(point)]
        due = [(point.arm, seed) for point, seed in racing.due(training.search, racers)]
        furthest = max([*(seed for _, seed in due), *(point.seeds for point in racers)], default=0)
        baseline = training.baseline
        beside = [(baseline.arm, seed) for seed in range(1, furthest + 1) if seed not in baseline.results]
        wanted = [*beside, *due]
        mine = True
        for arm, seed in wanted:
            mine = training.begin(arm, seed, phase) and mine
        return not mine

    training.until_done(refill, phase)


def _all_tried(training: Training, most: int | None) -> bool:
    """Whether there is nothing left to try: no point without an outcome, and none to be proposed."""
    over = training.exhausted or (most is not None and len(training.points) >= most)
    return over and all(point.state != "open" for point in training.points)


def _freeze(training: Training) -> Selection | None:
    """Choose the candidate, once and for all; None if no point has a result."""
    training.read()
    racers = [point for point in training.points if not training.out(point)]
    best = racing.leader(training.search, racers)
    if best is None:
        return None
    selected = {"number": best.number, "parameters": dict(best.values), "seeds": best.seeds}
    return training.store.select(
        study=training.study.name,
        question=training.search.id,
        basis=training.key,
        selected=json.dumps(selected, sort_keys=True),
        first_block=CONFIRMATION,
    )
