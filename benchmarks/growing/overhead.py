"""What a trial costs beside its training and its evaluations: `fairtrial run` on many very small ones."""

from __future__ import annotations

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
from fairtrial.study.schema import Arm, ArmSettings, Question, Seeds, Study
from fairtrial.trial import Event, Outcome

SMALLEST = "width-50"
TRAIN_IMAGES = 1000
TRIALS = (50, 100, 200)
HORIZON = 100

TRAINING = ("train", "validation", "last_epoch", "test")
"""The phases that are the trial itself; setting it up is overhead."""


def points() -> Iterator[Point]:
    """One worker and growing numbers of trials, then the largest number on all cores."""
    for trials in TRIALS:
        yield measure(trials=trials, workers=1)
    if (cores := len(available_cores())) > 1:
        yield measure(trials=TRIALS[-1], workers=cores)


def measure(*, trials: int, workers: int) -> Point:
    """Half of the trials of each arm, recorded, and answered after every seed, as in any run.

    The overhead is core time: what the workers had and did not spend on training and evaluating, per trial. The
    start of the workers comes once in a run and is told apart.
    """
    spent: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Outcome):
            spent.append(sum(event.seconds[phase] for phase in TRAINING))

    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "overhead.db") as store,
        LocalExecutor(workers=workers) as executor,
    ):
        began = perf_counter()
        ours.warm_up(executor)
        started = perf_counter()
        runner.run(study(), store=store, executor=executor, seeds=trials // 2, on_event=note)
        ended = perf_counter()
    if len(spent) != trials:
        raise RuntimeError(f"{trials} trials were due and {len(spent)} have an outcome")
    overhead = workers * (ended - started) - sum(spent)
    return {
        "workers": workers,
        "trials": trials,
        "wall_seconds": ended - started,
        "training_seconds": sum(spent),
        "overhead_milliseconds": 1000 * overhead / trials,
        "start_seconds": started - began,
    }


def study() -> Study:
    """The smallest model on few images for one epoch, and the same with another learning rate; one question."""
    settings = rows()[SMALLEST].settings.model_dump()
    settings["epochs"] = 1
    settings["data"]["train"] = TRAIN_IMAGES
    faster = {**settings, "optimizer": {**settings["optimizer"], "learning_rate": 0.002}}
    arms = {
        name: Arm(name=name, settings=ArmSettings.model_validate(one))
        for name, one in {"slower": settings, "faster": faster}.items()
    }
    question = Question(id="rate", variant="faster", baseline="slower")
    return Study(name="overhead", arms=arms, questions=(question,), seeds=Seeds(min=3, max=HORIZON))
