"""What a trial costs more on a Ray cluster than on this machine's own workers; and tasks beside actors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.cluster.driver import WORKERS, executor
from benchmarks.growing.overhead import TRAINING, study
from benchmarks.results import Point
from fairtrial import runner
from fairtrial.executors.worker_process import WORKER
from fairtrial.store import Store
from fairtrial.trial import Event, Outcome

TRIALS = 100
CALLS, TOGETHER = 200, 1_000
BYTES = 80_000
"""What an outcome of MNIST comes to as text."""


def points(*, trials: int = TRIALS) -> Iterator[Point]:
    """Very small trials that are really trained, by both executors in turn: a short run warms each up first."""
    for kind in ("local", "ray"):
        with (
            tempfile.TemporaryDirectory() as folder,
            Store.open(Path(folder) / "overhead.db") as store,
            executor(kind, module=WORKER) as working,
        ):
            spent: list[float] = []

            def note(event: Event, spent: list[float] = spent) -> None:
                if isinstance(event, Outcome):
                    spent.append(sum(event.seconds[phase] for phase in TRAINING))

            began = perf_counter()
            warming = WORKERS * 2
            runner.run(study(), store=store, executor=working, seeds=warming // 2)
            warm = perf_counter()
            runner.run(study(), store=store, executor=working, seeds=(warming + trials) // 2, on_event=note)
            ended = perf_counter()
        if len(spent) != trials:
            raise RuntimeError(f"{trials} trials were due and {len(spent)} have an outcome")
        yield {
            "executor": kind,
            "workers": WORKERS,
            "trials": trials,
            "wall_seconds": ended - warm,
            "training_seconds": sum(spent),
            "overhead_milliseconds": 1000 * (WORKERS * (ended - warm) - sum(spent)) / trials,
            "start_seconds": warm - began,
        }


def calls() -> Iterator[Point]:
    """Empty calls that bring back as much as a trial does: tasks in warm processes beside methods of actors."""
    import ray  # pyright: ignore[reportMissingImports]

    with executor("ray"):  # connects
        # The actors come last: they keep the CPUs that the tasks need.
        for kind, made in (("task", _task), ("actor", _actor)):
            call = made(ray)
            ray.get([call() for _ in range(WORKERS * 2)])
            began = perf_counter()
            for _ in range(CALLS):
                ray.get(call())
            one_by_one = perf_counter() - began
            began = perf_counter()
            ray.get([call() for _ in range(TOGETHER)])
            together = perf_counter() - began
            yield {
                "call": kind,
                "one_by_one_milliseconds": 1000 * one_by_one / CALLS,
                "together_milliseconds": 1000 * together / TOGETHER,
            }


def _back(size: int) -> bytes:
    return b"x" * size


class _Back:
    def back(self, size: int) -> bytes:
        return b"x" * size


def _task(ray: Any) -> Any:
    task = ray.remote(num_cpus=1, max_retries=0)(_back)
    return lambda: task.remote(BYTES)


def _actor(ray: Any) -> Any:
    actors = [ray.remote(num_cpus=1)(_Back).remote() for _ in range(WORKERS)]
    turn = iter(range(10**9))
    return lambda: actors[next(turn) % WORKERS].back.remote(BYTES)
