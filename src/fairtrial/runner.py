"""Which trial next, until the study has what was asked for or the budget ends; then the timing pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from fairtrial.analysis.register import register
from fairtrial.data import catalog
from fairtrial.dispatch import Dispatch, Executor, Weights
from fairtrial.due import missing, selected
from fairtrial.replication import LatestAnswers, next_seed
from fairtrial.store import Claim, Known, Store
from fairtrial.study.needed import needed
from fairtrial.study.schema import Study
from fairtrial.timekeeping import TimingReport, seconds_for_timing, time_questions
from fairtrial.trial import Event, Outcome, Trial

GRACE = 0.1
"""Share of the budget by which a trial may overrun it rather than be thrown away."""

SHORTEST_MINIMUM = 150.0
"""Seconds a run may always take to give each arm its minimum of seeds, however short its budget."""

_OTHERS_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run did. `remaining` counts trials begun or due and not done; `failed` those given up, with why.

    `timing` is what came of the timing pass.
    """

    trained: int
    remaining: int
    failed: dict[str, str]
    ended_by: Literal["done", "budget"]
    timing: TimingReport = field(default_factory=TimingReport)


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state of one run: what is waiting, what is running, how long an arm takes."""

    study: Study
    names: tuple[str, ...]
    store: Store
    executor: Executor
    dispatch: Dispatch
    latest: LatestAnswers
    adaptive: bool
    sharpen: bool
    minimum: int
    deadline: float
    last_call: float
    grace: float
    waiting: list[Trial]
    on_event: Callable[[Event], None]
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    trained: int = 0
    nothing_open: bool = False
    news: bool = True
    """Whether an outcome has come in, here or elsewhere, since nothing more was found to be due."""


def run(
    study: Study,
    *,
    store: Store,
    executor: Executor,
    seeds: int | None = None,
    budget_seconds: float | None = None,
    arms: Collection[str] | None = None,
    questions: Collection[str] | None = None,
    weights: Weights = "first",
    sharpen: bool = False,
    strict: bool = False,
    on_event: Callable[[Event], None] = lambda _: None,
) -> RunReport:
    """Train the trials of `study` that are missing in `store`.

    With `seeds`, that many of each arm. Otherwise `seeds.min` of each arm, and then the next seed
    of the open question that costs least, until every question is settled, has `seeds.max` seeds,
    or the budget ends. The plan is stored before any trial, each look as soon as it is taken. The minimum of an answer comes first: to complete it a run may take up to
    twice its budget, or SHORTEST_MINIMUM if that is longer. Seeds are trained in order, all arms
    with seed 1 before any with seed 2, so that an interrupted run has compared what it has; of one
    seed the longest trial goes first, so that cores end together.

    Questions on time are timed when no trial runs any more: `seeds` pairs each, or until each is
    settled. With `sharpen` settled questions go on as long as their verdict may become sharper. A part
    of the budget is kept for that. With `strict` the budget holds for the minimum too: what it does not suffice for is
    left to another run.

    Raises StudyError for an unknown name, DataError for a data set that cannot be used.
    """
    names = selected(study, arms=arms, questions=questions)
    for facts in {study.arms[name].settings.data.facts for name in names if study.arms[name].has_data}:
        catalog.load(facts)  # files that are damaged are no trial's failure: said before any is tried
    register(study, store)
    now = time.monotonic()
    budget = float("inf") if budget_seconds is None else budget_seconds
    target = study.seeds.min if seeds is None else seeds
    kept = seconds_for_timing(
        study, store, arms=names, pairs=seeds, budget_seconds=budget_seconds, sharpen=sharpen
    )
    state = _Run(
        study=study,
        names=names,
        store=store,
        executor=executor,
        dispatch=Dispatch(
            store=store, executor=executor, weights=weights, needs=lambda trial: needed(study, trial.arm.name)
        ),
        latest=LatestAnswers(study, store),
        adaptive=seeds is None,
        sharpen=sharpen,
        minimum=min(target, study.seeds.min),
        deadline=now + budget - kept,
        last_call=now + (budget * (1 + GRACE) if strict else max(2 * budget, SHORTEST_MINIMUM)),
        grace=budget * GRACE if budget_seconds is not None else 0.0,
        waiting=missing(study, store, names, target),
        on_event=on_event,
    )
    _train(state)
    # Trials may have overrun their part of the budget to complete the minimum; timing has its own all the same.
    until = max(now + budget, min(time.monotonic() + kept, state.last_call))
    timing = time_questions(
        study, store=store, executor=executor, arms=names, pairs=seeds, sharpen=sharpen,
        until=until, stop_at=until + state.grace, on_event=on_event,
    )  # fmt: skip
    if kept:
        state.deadline, state.news = now + budget, True  # what timing has left over
        _train(state)
    state.latest.outdated()
    state.latest.read()
    unsettled = state.waiting or not timing.complete or (state.adaptive and not state.nothing_open)
    return RunReport(
        trained=state.trained,
        remaining=len(state.waiting),
        failed=state.failed,
        ended_by="budget" if unsettled else "done",
        timing=timing,
    )


def _train(state: _Run) -> None:
    """Train what is waiting or asked for next, until there is nothing or the time for it is over."""
    try:
        while _refill(state):
            for event in state.executor.events():
                state.on_event(_take(state, event))
                _refill(state)
                _end_overdue(state)
            if state.waiting:
                time.sleep(_OTHERS_SECONDS)  # another process is training what is left
    finally:
        state.dispatch.release()


def _refill(state: _Run) -> bool:
    """Give free workers the next trials; whether anything is running or still to be waited for."""
    held_elsewhere = _start_waiting(state)
    while state.adaptive and state.news and state.executor.free and not _minimum_is_due(state):
        taken = {*state.dispatch.running, *state.failed, *(trial.key for trial in state.waiting)}
        due = next_seed(
            state.study, state.latest.read(), arms=state.names, taken=taken, sharpen=state.sharpen
        )
        if not due or not all(_affordable(state, trial) for trial in due):
            state.news = False
            state.nothing_open = not due and not state.dispatch.running and not state.waiting
            break
        state.waiting += due
        held_elsewhere = _start_waiting(state)
    return bool(state.dispatch.running) or held_elsewhere


def _is_last_of_its_seed(state: _Run, trial: Trial) -> bool:
    """Whether all arms have this seed now: reading the answers once for them all costs less than for each."""
    left = (*state.waiting, *(running.order.trial for running in state.dispatch.running.values()))
    return all(other.seed > trial.seed for other in left)


def _minimum_is_due(state: _Run) -> bool:
    return any(trial.seed <= state.minimum for trial in state.waiting)


def _start_waiting(state: _Run) -> bool:
    """Start what is waiting while workers are free; whether another process holds some of it."""
    held_elsewhere = False
    for trial in list(state.waiting):
        if state.executor.free < 1:
            break
        if not _affordable(state, trial):
            continue
        match state.dispatch.start(trial):
            case Claim():
                state.waiting.remove(trial)
            case Known():
                state.waiting.remove(trial)
                state.news = True
                state.latest.outdated()
            case _:
                held_elsewhere = True
    return held_elsewhere


def _affordable(state: _Run, trial: Trial) -> bool:
    """Whether a trial started now would end in time, as far as earlier ones of its arm tell."""
    expected_end = time.monotonic() + state.seconds.get(trial.arm_key, 0.0)
    if trial.seed <= state.minimum:
        return expected_end < state.last_call
    return expected_end < state.deadline + state.grace and time.monotonic() < state.deadline


def _take(state: _Run, event: Event) -> Event:
    """Record what ended, note how long it took, and put back what may be tried again; the event, as it is to be told."""
    ended = state.dispatch.take(event)
    if ended is None:
        return event
    trial = ended.trial
    if isinstance(ended.event, Outcome):
        state.seconds[trial.arm_key] = ended.seconds
        state.trained += 1
        state.news = True
        state.latest.outdated()
        if trial.seed >= state.study.seeds.min and _is_last_of_its_seed(state, trial):
            state.latest.read()
    elif ended.given_up:
        state.failed[trial.key] = ended.event.reason
        return replace(ended.event, retry=False)
    else:
        state.waiting.insert(0, trial)
    return event


def _end_overdue(state: _Run) -> None:
    """Stop what is still running when the budget is over, grace included; it resumes another time."""
    for running in list(state.dispatch.running.values()):
        trial = running.order.trial
        end = state.last_call if trial.seed <= state.minimum else state.deadline + state.grace
        if time.monotonic() > end:
            state.executor.stop(trial.key)
