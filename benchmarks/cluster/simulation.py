"""Adaptive replication on very many workers: the runner's rules and measured costs, and nothing trained.

A trial takes a measured time; a question settles at a seed that was drawn beforehand, and nobody knows of it before
both arms have that seed. The one driver does one thing after the other: it hands out a trial, or records one that
has ended. What waits for a worker is taken in the runner's order: the least number of seeds first, the longest of
a seed before the others; then the next seed of the open question that costs least. With speculation workers that
would stand idle train further seeds of questions that are open.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.cluster.costs import Asked, Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Seconds of the one process that owns the store: to hand a trial out, and to record one.

    `read` is for each question of the study: after a trial beyond the least number of seeds its answers are read anew.
    """

    start: float = 0.0
    record: float = 0.0
    read: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A study of so many copies of a measured one: seconds by arm and seed (from 0), and questions with their end."""

    seconds: np.ndarray
    questions: tuple[tuple[int, int, int], ...]
    """Variant, baseline, and the number of seeds at which it is settled."""
    least: int
    horizon: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How it went: until the last question was settled, trials begun by then, and those no question needed."""

    wall: float
    trials: int
    unneeded: int
    work: float
    """Seconds of the trials that were needed."""


def problem(measured: Measured, *, copies: int, seed: int) -> Problem:
    """Each copy has arms of its own, and questions that settle at one of the draws."""
    rng = np.random.default_rng(seed)
    means = np.tile(measured.seconds, copies)
    noise = rng.normal(0.0, measured.spread, (len(means), measured.horizon))
    arms = len(measured.seconds)

    def copied(one: Asked, copy: int) -> tuple[int, int, int]:
        return (copy * arms + one.variant, copy * arms + one.baseline, int(rng.choice(one.settles)))

    return Problem(
        seconds=means[:, np.newaxis] * np.exp(noise - measured.spread**2 / 2),
        questions=tuple(copied(one, copy) for copy in range(copies) for one in measured.questions),
        least=measured.least,
        horizon=measured.horizon,
    )


@dataclass(slots=True, kw_only=True)
class _State:
    posed: Problem
    ahead: int
    done: list[list[bool]]
    first_missing: list[int]
    """By arm: how many seeds it has without a gap."""
    seen: list[int]
    """By question: how many seeds both of its arms have."""
    of_arm: list[list[int]]
    begun: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    waiting: list[tuple[int, float, int, int]] = field(default_factory=list[tuple[int, float, int, int]])
    """A heap: how far ahead, what the pair costs, arm, seed."""
    open: int = 0

    def is_open(self, question: int) -> bool:
        return self.seen[question] < self.posed.questions[question][2]

    def is_running(self, arm: int, seed: int) -> bool:
        return (arm, seed) in self.begun and not self.done[arm][seed]

    def want(self, question: int) -> None:
        """The next seed of an open question, and `ahead` more."""
        variant, baseline, _ = self.posed.questions[question]
        seed = self.seen[question]
        if not self.ahead and any(self.is_running(arm, seed) for arm in (variant, baseline)):
            return  # as the runner: whoever waits for one of the two waits
        upto = min(self.seen[question] + 1 + self.ahead, self.posed.horizon)
        for seed in range(self.seen[question], upto):
            for arm in (variant, baseline):
                if not self.done[arm][seed] and (arm, seed) not in self.begun:
                    rank = 1 + seed - self.seen[question]
                    cost = float(self.posed.seconds[variant, 0] + self.posed.seconds[baseline, 0])
                    heapq.heappush(self.waiting, (rank, cost, arm, seed))

    def end(self, arm: int, seed: int) -> None:
        """A trial is recorded: the questions of its arm look at what they have."""
        self.done[arm][seed] = True
        while self.first_missing[arm] < self.posed.horizon and self.done[arm][self.first_missing[arm]]:
            self.first_missing[arm] += 1
        for question in self.of_arm[arm]:
            if not self.is_open(question):
                continue
            variant, baseline, settled = self.posed.questions[question]
            self.seen[question] = min(self.first_missing[variant], self.first_missing[baseline], settled)
            if not self.is_open(question):
                self.open -= 1
            elif self.seen[question] >= self.posed.least:
                self.want(question)

    def next(self) -> tuple[int, int] | None:
        """What to begin now; what has been begun or is asked by nobody any more is passed over."""
        while self.waiting:
            rank, _, arm, seed = heapq.heappop(self.waiting)
            if (arm, seed) in self.begun:
                continue
            if rank == 0 or any(self.is_open(one) and self.seen[one] <= seed for one in self.of_arm[arm]):
                self.begun.add((arm, seed))
                return arm, seed
        return None


def simulate(posed: Problem, *, workers: int, ahead: int, driver: Driver) -> Course:
    """`ahead` is how many further seeds of an open question are trained before it is known that they are needed."""
    arms = len(posed.seconds)
    of_arm: list[list[int]] = [[] for _ in range(arms)]
    for number, (variant, baseline, _) in enumerate(posed.questions):
        of_arm[variant].append(number)
        of_arm[baseline].append(number)
    state = _State(
        posed=posed,
        ahead=ahead,
        done=[[False] * posed.horizon for _ in range(arms)],
        first_missing=[0] * arms,
        seen=[0] * len(posed.questions),
        of_arm=of_arm,
        open=len(posed.questions),
    )
    for seed in range(posed.least):
        for arm in range(arms):
            # Before any seed of a question: seed by seed, the longest first.
            heapq.heappush(state.waiting, (0, seed - posed.seconds[arm, 0] / 1e9, arm, seed))
    if ahead:
        for question in range(len(posed.questions)):
            state.want(question)
    running: list[tuple[float, int, int]] = []
    clock, free = 0.0, workers
    while state.open:
        while free and (chosen := state.next()) is not None:
            clock += driver.start
            heapq.heappush(running, (clock + float(posed.seconds[chosen]), *chosen))
            free -= 1
        ends, arm, seed = heapq.heappop(running)
        clock = max(clock, ends) + driver.record
        if seed >= posed.least:
            clock += driver.read * len(posed.questions)
        free += 1
        state.end(arm, seed)
    needed = _needed(posed)
    return Course(
        wall=clock,
        trials=len(state.begun),
        unneeded=len(state.begun - needed),
        work=float(sum(posed.seconds[one] for one in needed)),
    )


def _needed(posed: Problem) -> set[tuple[int, int]]:
    """The trials that the verdicts rest on, and every arm's least number of seeds."""
    needed = {(arm, seed) for arm in range(len(posed.seconds)) for seed in range(posed.least)}
    for variant, baseline, settled in posed.questions:
        needed |= {(arm, seed) for arm in (variant, baseline) for seed in range(settled)}
    return needed


def sweep(
    measured: Measured,
    *,
    copies: Sequence[int],
    workers: Sequence[int],
    ahead: Sequence[int],
    driver: Driver,
    seed: int = 1,
) -> Iterator[dict[str, float]]:
    """Every size of study on every number of workers, with and without speculation.

    For some numbers of workers, the largest among them, also with a driver that costs nothing.
    """
    compared = {*workers[::4], workers[-1]}
    for many in copies:
        posed = problem(measured, copies=many, seed=seed)
        for depth in ahead:
            for count in workers:
                for one in (driver, Driver()) if count in compared else (driver,):
                    came = simulate(posed, workers=count, ahead=depth, driver=one)
                    yield {
                        "copies": many,
                        "workers": count,
                        "ahead": depth,
                        "driver": float(one is driver),
                        "wall_seconds": came.wall,
                        "speedup": came.work / came.wall,
                        "trials": came.trials,
                        "unneeded": came.unneeded,
                        "trials_a_second": came.trials / came.wall,
                    }
