"""The timing pass: pairs of arms timed in turn, one after the other, while nothing else of ours runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from fairtrial.analysis import answers
from fairtrial.analysis.gather import arm_key, trials
from fairtrial.analysis.timing import judged_on
from fairtrial.data.streams import generator
from fairtrial.dispatch import Executor
from fairtrial.engine.machine import machine
from fairtrial.pair import PairTimes
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Study
from fairtrial.trial import Event, Idle, Lost
from fairtrial.wire import TimingOrder

SHARE = 0.25
"""No more than this share of a budget is kept for timing."""

PAIR_SECONDS = 5.0
"""What a pair is reckoned to take before one was timed: mostly less, more where a step takes seconds."""

PAIRS = 6
"""Pairs a question is reckoned to need; most are settled by then or will not be for long."""

ATTEMPTS = 3
"""A question whose pairs failed this often in one run is not timed any more in it."""

_OTHERS_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class TimingReport:
    """What a pass did: pairs timed, and by question those that could not be, with why.

    `complete`: whether every question that asked for pairs has them, those given up left out.
    """

    timed: int = 0
    untimed: dict[str, str] = field(default_factory=dict[str, str])
    complete: bool = True


def open_questions(
    study: Study, store: Store, *, arms: Collection[str], pairs: int | None, sharpen: bool = False
) -> dict[str, int]:
    """The questions on time that more pairs may still settle, or `sharpen`, with how many they have.

    With `pairs`, those that have fewer, whatever they settle. Only questions whose arms are both among `arms`.
    """
    if not any("time" in question.metrics for question in study.questions):
        return {}
    return {
        answer.question: answer.seeds
        for answer in answers(study, store, history=False)
        if answer.metric == "time"
        and {answer.variant, answer.baseline} <= set(arms)
        and answer.seeds < (study.seeds.max if pairs is None else min(pairs, study.seeds.max))
        and (pairs is not None or answer.is_open(sharpen=sharpen))
    }


def seconds_for_timing(
    study: Study,
    store: Store,
    *,
    arms: Collection[str],
    pairs: int | None,
    budget_seconds: float | None,
    sharpen: bool = False,
) -> float:
    """How much of the budget to keep for the questions on time; 0 without a budget or such questions."""
    if budget_seconds is None:
        return 0.0
    waiting = open_questions(study, store, arms=arms, pairs=pairs, sharpen=sharpen)
    return min(SHARE * budget_seconds, len(waiting) * (pairs or PAIRS) * PAIR_SECONDS)


def time_questions(
    study: Study,
    *,
    store: Store,
    executor: Executor,
    arms: Collection[str],
    pairs: int | None = None,
    sharpen: bool = False,
    until: float = float("inf"),
    stop_at: float = float("inf"),
    on_event: Callable[[Event], None] = lambda _: None,
) -> TimingReport:
    """Time the arms of each open question, a pair at a time, fewest pairs first, and store each at once.

    Ends when no question is open, or at `until` on the monotonic clock: a pair is begun only if it is
    likely to end by then, and stopped at `stop_at`. Nothing else may run on `executor`. Of two processes
    on one store and machine the second waits for the first to end its pass.
    """
    report = TimingReport()
    lengths: dict[str, float] = {}
    failures: Counter[str] = Counter()

    def due() -> str | None:
        """The question that gets the next pair."""
        waiting = open_questions(study, store, arms=arms, pairs=pairs, sharpen=sharpen)
        return min(
            (one for one in waiting if one not in report.untimed), key=waiting.__getitem__, default=None
        )

    if due() is None:
        return report
    clock = _claim_clock(store, until=until, on_event=on_event)
    if clock is None:
        report.complete = False
        return report
    try:
        while (question := due()) is not None:
            if time.monotonic() + lengths.get(question, 0.0) > until:
                report.complete = False
                break
            began = time.monotonic()
            order = next_pair(study, store, question)
            executor.start(order)
            for event in executor.events():
                match event:
                    case PairTimes():
                        store.record_pair(event, first=order.first, second=order.second)
                        report.timed += 1
                        on_event(event)
                    case Lost(state="stopped"):
                        until = began
                    case Lost():
                        failures[question] += 1
                        if failures[question] >= ATTEMPTS or not event.retry:
                            report.untimed[question] = event.reason
                    case Idle():
                        on_event(event)
                    case _:
                        pass
                if time.monotonic() > stop_at:
                    executor.stop(order.key)
            lengths[question] = time.monotonic() - began
    finally:
        store.release(clock)
    return report


def next_pair(study: Study, store: Store, question: str) -> TimingOrder:
    """The question's arms with the number of their next pair as seed; which of them begins is drawn from it.

    It is to be timed where those pairs were that it will be judged with, if there are any.
    """
    asked = next(one for one in study.questions if one.id == question)
    keys = [arm_key(study.arms[name]) for name in (asked.variant, asked.baseline)]
    earlier = store.pairs(*keys)
    number = len(earlier) + 1
    variant, baseline = (
        trials(study.arms[name], range(number, number + 1))[0] for name in (asked.variant, asked.baseline)
    )
    # Drawn for the two arms, not for the question: another question may ask about the same two.
    if generator(number, "turns", *sorted(keys)).random() < 0.5:
        variant, baseline = baseline, variant
    place, _ = judged_on(earlier)
    known = any(one.times.machine == place for one in earlier)
    return TimingOrder(first=variant, second=baseline, machine=place if known else "")


def _claim_clock(store: Store, *, until: float, on_event: Callable[[Event], None]) -> Claim | None:
    while True:
        claim = store.claim_clock(machine())
        if isinstance(claim, Claim):
            return claim
        if time.monotonic() > until:
            return None
        on_event(Idle())
        time.sleep(_OTHERS_SECONDS)
