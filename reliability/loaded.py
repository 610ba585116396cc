"""One process of many on one store: `python -m reliability.loaded STORE TRIALS FIRST WORKERS`, begun by a line on stdin.

The runner, the dispatch and the store are the real ones; what is made up is what comes of a trial, so that
the store is all there is to wait for. Prints one line of JSON at the end.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.growing import stores

from fairtrial import runner
from fairtrial.data import catalog
from fairtrial.engine.provenance import provenance
from fairtrial.store import Claim, Known, Store, Taken
from fairtrial.trial import Event, Idle, Outcome, Started, Trial
from fairtrial.wire import Order, TimingOrder


class InstantExecutor:
    """Trials that take no time and come to made-up figures; `workers` of them at once."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._facts = provenance()
        self._labels = catalog.load("mnist").test_labels
        self._running: list[Trial] = []
        self._ready: list[Event] = []

    @property
    def free(self) -> int:
        return self.workers - len(self._running)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self._running.append(order.trial)
        self._ready.append(Started(key=order.key, worker=0))

    def stop(self, key: str) -> None:
        raise AssertionError("nothing is stopped without a budget")

    def events(self) -> Iterator[Event]:
        while self._running or self._ready:
            if self._ready:
                yield self._ready.pop(0)
                continue
            yield stores.outcome(self._running.pop(0), self._labels, self._facts)
            yield Idle()


class WatchedStore(Store):
    """Notes the longest that a claim or a record took, waiting for seven others included."""

    slowest = 0.0

    def claim(self, trial: Trial) -> Claim | Taken | Known:
        with self._watched():
            return super().claim(trial)

    def record(self, claim: Claim, outcome: Outcome, *, trial: Trial, weights: bool) -> None:
        with self._watched():
            super().record(claim, outcome, trial=trial, weights=weights)

    @contextmanager
    def _watched(self) -> Generator[None]:
        began = time.perf_counter()
        yield
        self.slowest = max(self.slowest, time.perf_counter() - began)


def main() -> None:
    path, trials, first, workers = Path(sys.argv[1]), *map(int, sys.argv[2:])
    study, executor = stores.made(trials, first=first), InstantExecutor(workers)
    recorded: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Outcome):
            recorded.append(event.key)

    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    with WatchedStore.open(path) as store:
        runner.run(study, store=store, executor=executor, seeds=stores.SEEDS, on_event=note)
    print(
        json.dumps(
            {
                "recorded": recorded,
                "seconds": time.perf_counter() - began,
                "slowest": store.slowest,
                "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            }
        )
    )


if __name__ == "__main__":
    main()
