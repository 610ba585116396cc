"""Our side: one trial per core at once through the executor that runs use, all of the same arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter

from benchmarks.scaling import TrialClocks
from fairtrial.engine.precision import resolve
from fairtrial.executors.local import LocalExecutor
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp, NetworkSettings
from fairtrial.trial import Lost, Outcome, Trial
from fairtrial.wire import Order

MOST_UPDATES = 60_000
"""No more epochs of a row are trained than make so many updates, one at least: batch size 1 has one epoch."""

_WARM_UP = Arm(
    name="warm-up",
    settings=ArmSettings(
        data=DataSettings(train=500), network=NetworkSettings(mlp=Mlp(width=8, depth=1)), epochs=1
    ),
)


def epochs_to_run(arm: Arm, *, most: int) -> int:
    return max(1, min(arm.settings.epochs, most, MOST_UPDATES // arm.steps_per_epoch))


def of_arm(arm: Arm, seeds: Iterable[int], *, epochs: int | None = None) -> list[Trial]:
    """Trials of the arm, of fewer epochs if asked."""
    if epochs is not None:
        settings = arm.settings.model_copy(update={"epochs": epochs})
        arm = Arm(name=arm.name, settings=settings)
    return [Trial(arm=arm, seed=seed, precision=resolve(arm.settings.precision)) for seed in seeds]


def at_once(trials: Sequence[Trial]) -> list[TrialClocks]:
    """Train these trials side by side, a core each, on workers that are warm. Raises RuntimeError if one is lost."""
    with LocalExecutor(workers=len(trials)) as executor:
        warm_up(executor)
        return [clocks(outcome, wall) for outcome, wall in train(executor, trials)]


def warm_up(executor: LocalExecutor) -> None:
    """Start every worker and let it train something small: what it imports and opens is then in place."""
    train(executor, of_arm(_WARM_UP, range(1, executor.workers + 1)))


def train(executor: LocalExecutor, trials: Sequence[Trial]) -> list[tuple[Outcome, float]]:
    """The outcomes in the order they came, each with its seconds from order to outcome.

    More trials than workers wait their turn, off the clock.
    """
    waiting, began = list(reversed(trials)), dict[str, float]()
    ended: list[tuple[Outcome, float]] = []

    def refill() -> None:
        while waiting and executor.free:
            trial = waiting.pop()
            began[trial.key] = perf_counter()
            executor.start(Order(trial=trial))

    refill()
    for event in executor.events():
        match event:
            case Outcome():
                ended.append((event, perf_counter() - began[event.key]))
                refill()
            case Lost():
                raise RuntimeError(f"a trial was lost: {event.reason}")
            case _:
                pass
    return ended


def clocks(outcome: Outcome, wall: float) -> TrialClocks:
    """Raises RuntimeError for a trial that diverged: its seconds are those of another amount of work."""
    if outcome.state != "finished":
        raise RuntimeError(f"a trial {outcome.state}: {outcome.reason}")
    return TrialClocks(
        epoch_seconds=tuple(epoch.train_seconds + epoch.validation_seconds for epoch in outcome.history),
        setup_seconds=outcome.seconds["setup"],
        fit_seconds=outcome.seconds["fit"],
        wall_seconds=wall,
        test_accuracy=outcome.metrics["test_accuracy"],
    )
