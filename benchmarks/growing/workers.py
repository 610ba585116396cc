"""What workers take and give: memory of one, trials a minute of several, and the course's MLPs at a stretch."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks import ours
from benchmarks.results import Point
from benchmarks.rows import rows
from fairtrial import runner
from fairtrial.executors.local import LocalExecutor, available_cores
from fairtrial.store import Store
from fairtrial.study.layers import Dense, Flatten
from fairtrial.study.schema import Arm, Study
from fairtrial.trial import Trial

MEMORY_ROWS = ("width-50", "depth-5", "batch-1", "batch-10000", "cnn-1", "cnn-3")
LEAST_IMAGES = 1000

THROUGHPUT_ROWS = ("width-50", "width-1000", "cnn-1")
IMAGES = 10_000
TRIALS_PER_CORE = 2


def memory() -> Iterator[Point]:
    """The most memory a worker has held when it has trained this model: two batches, or LEAST_IMAGES if more.

    Of that, what all workers share is counted in each: the program's code and the mapped images.
    """
    for name in MEMORY_ROWS:
        arm = rows()[name]
        images = max(LEAST_IMAGES, 2 * arm.settings.batch_size)
        with LocalExecutor(workers=1) as executor:
            ours.train(executor, [short(arm, seed=1, images=images)])
            (worker,) = executor._pool  # pyright: ignore[reportPrivateUsage]
            yield {"row": name, "peak_bytes": peak_bytes(worker.process.pid)}


def peak_bytes(pid: int) -> int:
    """The largest resident set of a process so far. Linux alone tells it of another process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None, status
    return 1024 * int(found[1])


def throughput() -> Iterator[Point]:
    """Trials a minute of some rows, cut to one epoch of IMAGES images, with one warm worker, two, and so on."""
    cores = len(available_cores())
    counts = [2**power for power in range(cores.bit_length()) if 2**power <= cores]
    for name in THROUGHPUT_ROWS:
        arm = rows()[name]
        for workers in counts:
            trials = [
                short(arm, seed=seed, images=IMAGES) for seed in range(1, TRIALS_PER_CORE * workers + 1)
            ]
            with LocalExecutor(workers=workers) as executor:
                ours.warm_up(executor)
                began = perf_counter()
                ours.train(executor, trials)
                seconds = perf_counter() - began
            yield {"row": name, "workers": workers, "trials_a_minute": 60 * len(trials) / seconds}


def twelve() -> Iterator[Point]:
    """One trial of each MLP that the notebook ran, all cores, from nothing: beside the seconds its GPU took."""
    arms = {name: arm for name, arm in rows().items() if is_mlp(arm)}
    study = Study(name="twelve", arms=arms)
    began = perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "twelve.db") as store,
        LocalExecutor() as executor,
    ):
        done = runner.run(study, store=store, executor=executor, seeds=1)
        workers = executor.workers
    seconds = perf_counter() - began
    if done.trained != len(arms):
        raise RuntimeError(f"{len(arms)} trials were due and {done.trained} were trained: {done.failed}")
    published = [arm.published.train_seconds if arm.published else None for arm in arms.values()]
    yield {
        "arms": len(arms),
        "workers": workers,
        "wall_seconds": seconds,
        "published_seconds": sum(one for one in published if one is not None),
    }


def is_mlp(arm: Arm) -> bool:
    return all(isinstance(layer, Flatten | Dense) for layer in arm.network)


def short(arm: Arm, *, seed: int, images: int) -> Trial:
    """One epoch of few images."""
    data = arm.settings.data.model_copy(update={"train": images})
    settings = arm.settings.model_copy(update={"data": data})
    (trial,) = ours.of_arm(Arm(name=arm.name, settings=settings), [seed], epochs=1)
    return trial
