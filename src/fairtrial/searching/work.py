"""What questions that rest on selections are answered with: a store, workers, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from fairtrial import due, runner
from fairtrial.dispatch import Executor, Weights
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.trial import Event


class Watch(Protocol):
    """Whoever wants to see a run: gives what to call with each of its events, for as long as it lasts.

    `arms` of the study are trained, with `seeds` so many of each, and for no longer than the budget.
    """

    def __call__(
        self, study: Study, arms: Collection[str], /, *, seeds: int | None, budget_seconds: float | None
    ) -> AbstractContextManager[Callable[[Event], None]]: ...


def telling(on_event: Callable[[Event], None]) -> Watch:
    """A watch that passes every event on to the same function."""

    def watch(
        study: Study, arms: Collection[str], *, seeds: int | None, budget_seconds: float | None
    ) -> AbstractContextManager[Callable[[Event], None]]:
        return nullcontext(on_event)

    return watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Where and how far to train. `deadline` is on the monotonic clock, infinite without a budget."""

    store: Store
    executor: Executor
    watch: Watch
    seeds: int | None = None
    deadline: float = float("inf")
    weights: Weights = "first"
    sharpen: bool = False

    @property
    def left(self) -> float | None:
        """Seconds of the budget that are left; None without one."""
        return None if self.deadline == float("inf") else max(self.deadline - time.monotonic(), 0.0)

    @property
    def over(self) -> bool:
        return self.left == 0.0

    def watching(
        self, study: Study, *, arms: Collection[str] | None = None, seeds: int | None
    ) -> AbstractContextManager[Callable[[Event], None]]:
        names = due.selected(study, arms=arms)
        return self.watch(study, names, seeds=seeds, budget_seconds=self.left)

    def run(
        self,
        study: Study,
        on_event: Callable[[Event], None],
        *,
        seeds: int | None,
        arms: Collection[str] | None = None,
        weights: Weights | None = None,
        strict: bool = True,
    ) -> runner.RunReport:
        """Train what is missing of the study in the time that is left, to the last second of it unless not `strict`."""
        return runner.run(
            study,
            store=self.store,
            executor=self.executor,
            seeds=seeds,
            budget_seconds=self.left,
            arms=arms,
            weights=weights or self.weights,
            sharpen=self.sharpen,
            strict=strict,
            on_event=on_event,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was done for one question. `lacking` says what keeps it from being answered; empty where nothing does."""

    question: str
    reports: tuple[runner.RunReport, ...] = ()
    lacking: str = ""

    @property
    def trained(self) -> int:
        return sum(report.trained for report in self.reports)


BUDGET_ENDED = "the budget ended before it was answered; run it again to go on"
