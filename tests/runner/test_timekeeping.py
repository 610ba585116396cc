"""The timing pass: nothing beside it, fewest pairs first, each pair kept at once; on a fake clock and a real store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_executor import FakeExecutor, arm, measuring, noise

from fairtrial import runner, timekeeping
from fairtrial.analysis import answers
from fairtrial.engine.machine import machine, processor
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Question, Seeds, Study
from fairtrial.timekeeping import time_questions
from fairtrial.trial import Event, Idle, Lost, Trial
from fairtrial.wire import TimingOrder


def question(name: str, variant: str, baseline: str) -> Question:
    return Question(id=name, variant=variant, baseline=baseline, metrics=("accuracy", "time"))


STUDY = Study(
    name="study",
    arms={"a": arm("a", 10), "b": arm("b", 20), "c": arm("c", 30)},
    questions=(question("B", "b", "a"), question("C", "c", "a")),
    seeds=Seeds(min=3, max=12),
)
SECONDS = {"a": 1.0, "b": 2.0, "c": 1.0}


def timed(order: TimingOrder) -> Event:
    """Seconds by the arm's name, with a wobble of its own; `c` wobbles so much that nothing settles it."""

    def side(trial: Trial) -> ArmTimes:
        spread = 0.5 if trial.arm.name == "c" else 0.01
        seconds = SECONDS[trial.arm.name] * float(np.exp(noise(trial, spread)))
        return ArmTimes(
            arm_key=trial.arm_key, arm_name=trial.arm.name, train_seconds=seconds, fit_seconds=1.1 * seconds,
            process_seconds=seconds, timed_steps=200, timed_seconds=0.5,
        )  # fmt: skip

    return PairTimes(
        seed=order.first.seed, first=side(order.first), second=side(order.second), machine=machine(),
        processor=processor(), device="cpu", load_average=1.0, other_load=0.0, seconds=2.0,
        provenance={"torch": "none"},
    )  # fmt: skip


def clock_of(timing: Callable[[TimingOrder], Event] = timed, *, seconds: float = 0.0) -> FakeExecutor:
    """Trials end at once and differ clearly, so that accuracy takes the least seeds; pairs are `seconds` long."""
    return FakeExecutor(
        measuring(lambda trial: 0.9 + 0.01 * (ord(trial.arm.name) - ord("a")) + noise(trial, 1e-4)),
        timing=timing,
        pair_seconds=seconds,
    )


def asked(order: TimingOrder) -> str:
    """Which question a pair was for."""
    return "C" if "c" in {order.first.arm.name, order.second.arm.name} else "B"


def times_of(store: Store, study: Study = STUDY) -> dict[str, tuple[int, str]]:
    found = answers(study, store, history=False)
    return {one.question: (one.seeds, one.verdict) for one in found if one.metric == "time"}


def test_pairs_are_timed_after_the_trials_alone_until_each_question_is_settled_or_used_up(
    store: Store,
) -> None:
    """The fake refuses a pair beside a trial; a clear ratio takes a few pairs, a hopeless one all there are."""
    clock = clock_of()
    report = runner.run(STUDY, store=store, executor=clock)
    first = next(index for index, order in enumerate(clock.orders) if isinstance(order, TimingOrder))
    assert all(isinstance(order, TimingOrder) for order in clock.orders[first:])
    found = times_of(store)
    assert found["B"][0] <= 5 and found["B"][1] == "increase that matters"
    assert found["C"] == (12, "undecided")
    assert (report.timing.timed, report.ended_by) == (found["B"][0] + 12, "done")
    again = clock_of()
    assert runner.run(STUDY, store=store, executor=again).timing.timed == 0
    assert not again.orders


def test_the_question_with_the_fewest_pairs_gets_the_next(store: Store) -> None:
    """Whoever stops early has the least for each question, not all for one."""
    clock = clock_of()
    runner.run(STUDY, store=store, executor=clock)
    assert [asked(order) for order in clock.pairs[:6]] == ["B", "C"] * 3
    for name in ("B", "C"):
        seeds = [order.first.seed for order in clock.pairs if asked(order) == name]
        assert seeds == list(range(1, len(seeds) + 1))


def test_so_many_seeds_are_so_many_pairs_whatever_they_settle(store: Store) -> None:
    """One pair counts as a seed; more of them later cost only the difference."""
    runner.run(STUDY, store=store, executor=clock_of(), seeds=4)
    assert {seeds for seeds, _ in times_of(store).values()} == {4}
    grown = clock_of()
    runner.run(STUDY, store=store, executor=grown, seeds=6)
    assert len(grown.pairs) == 4
    beyond = clock_of()
    runner.run(STUDY, store=store, executor=beyond, seeds=20)
    assert {seeds for seeds, _ in times_of(store).values()} == {12}


def test_only_questions_whose_arms_were_both_named_are_timed(store: Store) -> None:
    """`--question` and `--arm` narrow the work."""
    clock = clock_of()
    runner.run(STUDY, store=store, executor=clock, questions=["B"], seeds=3)
    assert {asked(order) for order in clock.pairs} == {"B"}
    alone = clock_of()
    runner.run(STUDY, store=store, executor=alone, arms=["a"], seeds=3)
    assert not alone.pairs
    untimed = replace(STUDY, questions=(Question(id="B", variant="b", baseline="a"),))
    none = clock_of()
    runner.run(untimed, store=store, executor=none, seeds=5)
    assert not none.pairs


def test_an_interrupted_pass_keeps_every_finished_pair_and_goes_on_as_it_would_have(
    store: Store, tmp_path: Path
) -> None:
    """Same numbers, same turns, same verdicts; and the clock is free for the next process."""
    whole = clock_of()
    runner.run(STUDY, store=store, executor=whole, seeds=4)
    orders: list[TimingOrder] = []

    def interrupt(event: Event) -> None:
        if isinstance(event, PairTimes):
            raise KeyboardInterrupt

    with Store.open(tmp_path / "interrupted.db") as other:
        for done in range(1, 9):
            clock = clock_of()
            with pytest.raises(KeyboardInterrupt):
                runner.run(STUDY, store=other, executor=clock, seeds=4, on_event=interrupt)
            orders += clock.pairs
            assert sum(seeds for seeds, _ in times_of(other).values()) == done
        assert isinstance(other.claim_clock(machine()), Claim)
        assert times_of(other) == times_of(store)
    assert orders == whole.pairs


def test_which_arm_begins_is_drawn_and_both_do(store: Store) -> None:
    """An order that is always the same would let a drift of the machine look like a difference of the arms."""
    clock = clock_of()
    runner.run(STUDY, store=store, executor=clock, questions=["C"])
    assert {order.first.arm.name for order in clock.pairs} == {"a", "c"}


def test_a_pair_that_cannot_be_timed_is_given_up_and_the_others_go_on(store: Store) -> None:
    """One arm too large for the machine must not cost the other answers."""

    def too_large(order: TimingOrder) -> Event:
        if asked(order) == "C":
            return Lost(key=order.key, state="failed", reason="out of memory", retry=False)
        return timed(order)

    clock = clock_of(too_large)
    report = runner.run(STUDY, store=store, executor=clock)
    assert report.timing.untimed == {"C": "out of memory"}
    assert [asked(order) for order in clock.pairs].count("C") == 1
    assert times_of(store)["B"][1] == "increase that matters"


def test_a_pair_that_was_killed_is_tried_again_three_times_at_most(store: Store) -> None:
    """A crash may be chance; three in one run are a finding."""
    failures = 0

    def killed(order: TimingOrder) -> Event:
        nonlocal failures
        if asked(order) == "C":
            return timed(order)
        failures += 1
        return Lost(key=order.key, state="failed", reason="killed")

    report = runner.run(STUDY, store=store, executor=clock_of(killed), seeds=3)
    assert failures == timekeeping.ATTEMPTS
    assert report.timing.untimed == {"B": "killed"}
    assert {name: seeds for name, (seeds, _) in times_of(store).items()} == {"B": 0, "C": 3}
    runner.run(STUDY, store=store, executor=clock_of(), seeds=3)
    assert times_of(store)["B"][0] == 3


def test_no_pair_is_begun_when_the_time_is_up_and_one_that_overruns_is_stopped(store: Store) -> None:
    """A budget is a budget, whatever a pair takes; what is not timed is said to be open."""
    late = clock_of()
    report = time_questions(
        STUDY, store=store, executor=late, arms=["a", "b", "c"], until=time.monotonic() - 1
    )
    assert (late.orders, report.complete) == ([], False)
    endless = clock_of(seconds=60.0)
    now = time.monotonic()
    report = time_questions(
        STUDY, store=store, executor=endless, arms=["a", "b", "c"], until=now + 0.2, stop_at=now + 0.3
    )
    assert len(endless.stopped) == 1
    assert (report.timed, report.untimed, report.complete) == (0, {}, False)
    assert times_of(store)["B"][0] == 0


def test_a_budget_leaves_room_for_timing_and_takes_back_what_is_left_over(store: Store) -> None:
    """Accuracy alone could use up any budget; a quarter of it at most is kept for the clocks."""
    kept = timekeeping.seconds_for_timing(STUDY, store, arms=["a", "b", "c"], pairs=None, budget_seconds=60)
    assert kept == pytest.approx(15)
    long = timekeeping.seconds_for_timing(
        STUDY, store, arms=["a", "b", "c"], pairs=None, budget_seconds=36_000
    )
    assert long == pytest.approx(2 * timekeeping.PAIRS * timekeeping.PAIR_SECONDS)
    assert timekeeping.seconds_for_timing(STUDY, store, arms=["a"], pairs=None, budget_seconds=60) == 0
    assert timekeeping.seconds_for_timing(STUDY, store, arms=["a", "b"], pairs=None, budget_seconds=None) == 0
    clock = clock_of()
    report = runner.run(STUDY, store=store, executor=clock, budget_seconds=30)
    assert report.timing.timed >= 6
    assert {seed for seed, _ in times_of(store).values()} >= {12}


def test_a_second_process_waits_for_the_first_to_end_its_pass(store: Store) -> None:
    """Two passes at once would each spoil the other's clocks, and time everything twice."""
    with Store.open(store.path) as other:
        held = other.claim_clock(machine())
        assert isinstance(held, Claim)
        waits = 0

        def hand_over(event: Event) -> None:
            nonlocal waits
            if isinstance(event, Idle):
                waits += 1
                other.release(held)

        clock = clock_of()
        time_questions(STUDY, store=store, executor=clock, arms=["a", "b", "c"], pairs=3, on_event=hand_over)
    assert waits == 1
    assert len(clock.pairs) == 6
