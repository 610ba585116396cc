"""An executor that trains and times nothing: what comes of an order is said by the test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import METRICS, EpochRecord, Event, Idle, Lost, Outcome, Started, Trial
from fairtrial.wire import Order, TimingOrder


def arm(name: str, width: int) -> Arm:
    return Arm(name=name, settings=ArmSettings.model_validate({"network": {"mlp": {"width": width}}}))


def finished(trial: Trial) -> Outcome:
    """The same figures whatever was trained, with weights of its own."""
    record = EpochRecord(
        epoch=1, train_accuracy=0.9, train_loss=0.1, validation_accuracy=0.9, validation_loss=0.1,
        train_seconds=0.1, validation_seconds=0.1,
    )  # fmt: skip
    return Outcome(
        key=trial.key, state="finished", epochs=1,
        metrics=dict.fromkeys(METRICS, 0.5) | {"validation_seen": 0.0},
        seconds=dict.fromkeys(("setup", "train", "validation", "last_epoch", "test", "fit"), 0.1),
        history=(record,), provenance={"torch": "none"}, weights_sha256=trial.key,
    )  # fmt: skip


def measuring(accuracy: Callable[[Trial], float]) -> Callable[[Trial], Outcome]:
    """Trials that end with this figure for every metric."""

    def ending(trial: Trial) -> Outcome:
        return replace(
            finished(trial), metrics=dict.fromkeys(METRICS, accuracy(trial)) | {"validation_seen": 0.0}
        )

    return ending


def noise(trial: Trial, spread: float) -> float:
    """A draw of its own for each arm and seed, the same in every run."""
    return spread * float(np.random.default_rng([trial.seed, *trial.arm.name.encode()]).normal())


def untimed(order: TimingOrder) -> Event:
    raise AssertionError(f"no question is on time, yet a pair was to be timed: {order.key}")


class FakeExecutor:
    """Ends trials as `ending` says and pairs as `timing` says, one event a time, and refuses a pair beside anything.

    `turn` says which of those running is next to end, the oldest unless told. A trial takes `seconds`.
    """

    def __init__(
        self,
        ending: Callable[[Trial], Event] = finished,
        *,
        timing: Callable[[TimingOrder], Event] = untimed,
        turn: Callable[[int], int] = lambda running: 0,
        seconds: float = 0.0,
        pair_seconds: float = 0.0,
        workers: int = 2,
    ) -> None:
        self.ending, self.timing, self.turn, self.workers = ending, timing, turn, workers
        self.seconds, self.pair_seconds = seconds, pair_seconds
        self.orders: list[Order | TimingOrder] = []
        self.stopped: list[str] = []
        self._running: list[tuple[Order | TimingOrder, float]] = []
        self._ready: list[Event] = []

    @property
    def trials(self) -> list[Order]:
        return [order for order in self.orders if isinstance(order, Order)]

    @property
    def pairs(self) -> list[TimingOrder]:
        return [order for order in self.orders if isinstance(order, TimingOrder)]

    @property
    def free(self) -> int:
        return self.workers - len(self._running)

    def start(self, order: Order | TimingOrder) -> None:
        pairs = [running for running, _ in self._running if isinstance(running, TimingOrder)]
        assert not pairs, "something was started while a pair was being timed"
        assert not (isinstance(order, TimingOrder) and self._running), "a pair was started beside a trial"
        self.orders.append(order)
        takes = self.pair_seconds if isinstance(order, TimingOrder) else self.seconds
        self._running.append((order, time.monotonic() + takes))
        self._ready.append(Started(key=order.key, worker=0))

    def stop(self, key: str) -> None:
        for running in list(self._running):
            if running[0].key == key:
                self.stopped.append(key)
                self._running.remove(running)
                self._ready.append(Lost(key=key, state="stopped", reason="stopped before its end"))

    def events(self) -> Iterator[Event]:
        while self._running or self._ready:
            if self._ready:
                yield self._ready.pop(0)
                continue
            place = self.turn(len(self._running))
            order, ends = self._running[place]
            if time.monotonic() >= ends:
                del self._running[place]
                yield self.timing(order) if isinstance(order, TimingOrder) else self.ending(order.trial)
            else:
                time.sleep(0.005)
                yield Idle()
