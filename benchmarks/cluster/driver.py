"""What the one driver can do: thousands of trials that train nothing, recorded and judged as in any run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.growing import stores
from benchmarks.results import Point, Results, Run
from fairtrial import runner
from fairtrial.data import catalog
from fairtrial.dispatch import Executor
from fairtrial.errors import FairtrialError
from fairtrial.executors.cluster import Share
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.remote import ClusterExecutor
from fairtrial.store import Store
from fairtrial.trial import Event, Outcome, Started
from fairtrial.wire import Order, TimingOrder

TRIALS = 5_000
WORKERS = 2
MODULE = "benchmarks.cluster.noop_worker"
KINDS = ("instant", "local", "ray")


class InstantExecutor:
    """Ends every trial in the same process: what is left is the driver's own work."""

    def __init__(self, *, workers: int) -> None:
        self._workers, self._running = workers, list[Order]()
        self._labels = catalog.load("mnist").test_labels

    @property
    def free(self) -> int:
        return self._workers - len(self._running)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self._running.append(order)

    def stop(self, key: str) -> None:
        raise AssertionError("nothing runs long enough to be stopped")

    def events(self) -> Iterator[Event]:
        while self._running:
            trial = self._running.pop(0).trial
            yield Started(key=trial.key, worker=0)
            yield stores.outcome(trial, self._labels, {"machine": "none", "processor": "none"})


@contextmanager
def executor(kind: str, *, module: str = MODULE) -> Iterator[Executor]:
    """Two workers, by one of KINDS. For Ray the cluster must be there already, named by RAY_ADDRESS."""
    if kind == "instant":
        yield InstantExecutor(workers=WORKERS)
    elif kind == "local":
        with LocalExecutor(workers=WORKERS, module=module) as made:
            yield made
    else:
        from fairtrial.executors.on_ray import RayCluster

        share = Share(cpus=1, gpus=0)
        with ClusterExecutor(RayCluster(), share=share, workers=WORKERS, module=module) as made:
            yield made


def points(kinds: Sequence[str] = KINDS, *, trials: int = TRIALS) -> Iterator[Point]:
    """One for each kind of executor: seconds from the first outcome to the last."""
    if trials % stores.SEEDS or not trials:
        raise ValueError(
            f"--trials must be a multiple of {stores.SEEDS}, the seeds of each arm; got {trials}"
        )
    study = stores.made(trials)
    for kind in kinds:
        came: list[float] = []

        def note(event: Event, came: list[float] = came) -> None:
            if isinstance(event, Outcome):
                came.append(perf_counter())

        with (
            tempfile.TemporaryDirectory() as folder,
            Store.open(Path(folder) / "made.db") as store,
            executor(kind) as working,
        ):
            runner.run(
                study, store=store, executor=working, seeds=stores.SEEDS, weights="none", on_event=note
            )
        if len(came) != trials:
            raise RuntimeError(f"{trials} trials were due and {len(came)} have an outcome")
        yield {
            "executor": kind,
            "workers": WORKERS,
            "trials": trials,
            "trials_a_second": (trials - 1) / (came[-1] - came[0]),
            "milliseconds_a_trial": 1000 * (came[-1] - came[0]) / (trials - 1),
        }


def recorded(stored: Results) -> tuple[Point, Run]:
    """What the store was measured to take by `benchmarks/growth`, at its smallest size. Raises FairtrialError if it was not."""
    if "store" not in stored.growth:
        raise FairtrialError("the store has not been measured: run `benchmarks/growth --part store` first")
    growth = stored.growth["store"]
    return growth.points[0], stored.runs[growth.run]
