"""Trials on their way: claimed in the store, handed to an executor, recorded when they end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Known, StaleClaim, Store, Taken
from fairtrial.trial import ATTEMPTS, Event, Lost, Outcome, Trial, Unsaved
from fairtrial.wire import Hurdle, Order, TimingOrder

Weights = Literal["first", "all", "none"]
_HEARTBEAT_SECONDS = 60.0


class Executor(Protocol):
    """Where trials run and pairs are timed. `events` ends when nothing is running."""

    @property
    def free(self) -> int: ...

    def start(self, order: Order | TimingOrder) -> None: ...

    def stop(self, key: str) -> None: ...

    def events(self) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    order: Order
    claim: Claim
    began: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A trial that is recorded: with its outcome, or as an attempt without one.

    `given_up`: it failed so often, or in such a way, that it is not tried again.
    """

    trial: Trial
    event: Outcome | Lost
    seconds: float
    given_up: bool = False


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """What one process has on its way. `weights` says of which trials the final weights are kept."""

    store: Store
    executor: Executor
    weights: Weights = "first"
    needs: Callable[[Trial], tuple[str, ...]] = lambda _: ()
    """Metrics that a trial must give, which a command may leave out."""
    running: dict[str, Running] = field(default_factory=dict[str, Running])
    without_weights: set[str] = field(default_factory=set[str])
    """Trials whose weights were to be kept and could not be."""
    _beaten: float = 0.0

    def start(
        self, trial: Trial, *, hurdles: Sequence[Hurdle] = (), retell: bool = False
    ) -> Claim | Taken | Known:
        """Begin the trial on a free worker, unless its outcome is known or another process trains it."""
        claim = self.store.claim(trial)
        if isinstance(claim, Claim):
            keep = self.weights == "all" or (self.weights == "first" and trial.seed <= 3)
            order = Order(
                trial=trial,
                weights=str(self.store.weights_path(trial.key)) if keep else "",
                checkpoint=str(self.store.checkpoint_path(trial.key)),
                hurdles=tuple(hurdles),
                retell=retell,
                needs=self.needs(trial),
            )
            self.running[trial.key] = Running(order=order, claim=claim, began=time.monotonic())
            self.executor.start(order)
        return claim

    def take(self, event: Event) -> Ended | None:
        """Record what has ended; None for any other event."""
        ended = self._ended(event)
        self.store.settle()
        if time.monotonic() - self._beaten > _HEARTBEAT_SECONDS:
            self.store.heartbeat([running.claim for running in self.running.values()])
            self._beaten = time.monotonic()
        return ended

    def _ended(self, event: Event) -> Ended | None:
        if isinstance(event, Unsaved) and event.what == "weights":
            self.without_weights.add(event.key)
        if not isinstance(event, Outcome | Lost):
            return None
        running = self.running.pop(event.key)
        trial = running.order.trial
        seconds = time.monotonic() - running.began
        # Taken over after a long silence (another host): its outcome is the other's to record.
        with contextlib.suppress(StaleClaim):
            if isinstance(event, Lost):
                self.store.record_lost(running.claim, event, trial=trial)
            else:
                # A command's trial has none.
                kept = bool(running.order.weights and event.weights_sha256)
                saved = kept and event.key not in self.without_weights
                self.store.record(running.claim, event, trial=trial, weights=saved)
                # Only now is the checkpoint of no more use: the outcome is safe.
                with contextlib.suppress(OSError):
                    self.store.checkpoint_path(event.key).unlink(missing_ok=True)
        if isinstance(event, Outcome):
            return Ended(trial=trial, event=event, seconds=seconds)
        failures = sum(one.state == "failed" for one in self.store.attempts([event.key])[event.key])
        given_up = event.state == "failed" and (failures >= ATTEMPTS or not event.retry)
        return Ended(trial=trial, event=event, seconds=seconds, given_up=given_up)

    def release(self) -> None:
        """Give back what is still running, with no attempt counted.

        Where the store cannot be written, its claims end with this process; why it cannot was said before.
        """
        with contextlib.suppress(StoreError):
            for running in self.running.values():
                self.store.release(running.claim)
