"""An executor that trains here instead of in a worker: the worker's own code, without its process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Self

from fairtrial.data.catalog import Dataset
from fairtrial.engine.worker import _train  # pyright: ignore[reportPrivateUsage]
from fairtrial.trial import Event, Started
from fairtrial.wire import Order, TimingOrder


class InProcess:
    """One trial after the other, begun when it is asked what happens."""

    def __init__(self, data: Dataset, *, workers: int | None = None) -> None:
        self.data = data
        self.workers = workers or 1
        self.orders: deque[Order] = deque()
        self.told: deque[Event] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def free(self) -> int:
        return self.workers - len(self.orders)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self.orders.append(order)

    def stop(self, key: str) -> None:
        raise AssertionError("nothing here is stopped")

    def events(self) -> Iterator[Event]:
        while self.orders:
            order = self.orders[0]
            self.told.append(Started(key=order.key, worker=0))
            _train(order, self.data, {"machine": "here", "torch": "2.0"}, self.told.append)
            self.orders.popleft()
            while self.told:
                yield self.told.popleft()
