"""Searches on a made-up objective: how often the confirmed claim is false, and how often the best of a search.

Nothing is trained. A trial's accuracies follow from its width by a known curve, with noise of a known size; all else
(proposals, hurdles, race, selection, store, confirmation, looks) is what a real search runs through.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairtrial.analysis.searched import searched
from fairtrial.searching.running import search
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.studyfile import study_from_dict
from fairtrial.trial import METRICS, EpochRecord, Event, Lost, Outcome, Progress, Started, Trial
from fairtrial.wire import Order, TimingOrder

EPOCHS = 4
SPREAD = 0.0015
"""Standard deviation of one trial's accuracy: that of MNIST's small networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one search came to. `naive`: the best of the search beat the baseline's result on the same seed."""

    confirmed: bool
    naive: bool
    proposals: int
    seeds: int


class SimulatedExecutor:
    """Ends every trial at once, as `truth` of its width and noise of its own have it; stops it at its hurdles."""

    def __init__(
        self, truth: Callable[[int], float], *, universe: int, spread: float = SPREAD, workers: int = 2
    ) -> None:
        self._truth, self._universe, self._spread, self._workers = truth, universe, spread, workers
        self._running: list[Order] = []
        self.orders: list[Order] = []

    @property
    def free(self) -> int:
        return self._workers - len(self._running)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self._running.append(order)
        self.orders.append(order)

    def stop(self, key: str) -> None:
        self._running = [order for order in self._running if order.key != key]

    def events(self) -> Iterator[Event]:
        while self._running:
            order = self._running[0]
            yield Started(key=order.key, worker=0)
            for event in self._trained(order):
                if isinstance(event, Outcome | Lost):
                    self._running = [one for one in self._running if one is not order]
                yield event

    def _trained(self, order: Order) -> Iterator[Event]:
        trial = order.trial
        history: list[EpochRecord] = []
        for record in self._history(trial):
            history.append(record)
            yield Progress(key=trial.key, record=record, epochs=EPOCHS)
            failed = next((one for one in order.hurdles if one.fails(record)), None)
            if failed and record.epoch < EPOCHS:
                yield Lost(key=trial.key, state="stopped", reason=str(failed), retry=False)
                return
        yield self._outcome(trial, tuple(history))

    def _history(self, trial: Trial) -> Iterator[EpochRecord]:
        end = self._accuracy(trial, "validation")
        for epoch in range(1, EPOCHS + 1):
            accuracy = end - 0.02 * (EPOCHS - epoch)
            yield EpochRecord(
                epoch=epoch, train_accuracy=accuracy, train_loss=1 - accuracy, validation_accuracy=accuracy,
                validation_loss=1 - accuracy, train_seconds=0.1, validation_seconds=0.1,
            )  # fmt: skip

    def _outcome(self, trial: Trial, history: tuple[EpochRecord, ...]) -> Outcome:
        metrics = dict.fromkeys(METRICS, 0.5) | {"validation_seen": 0.0}
        for part in ("validation", "test"):
            accuracy = self._accuracy(trial, part)
            for over in ("", "_last_epoch"):
                metrics |= {f"{part}_accuracy{over}": accuracy, f"{part}_loss{over}": 1 - accuracy}
        return Outcome(
            key=trial.key, state="finished", epochs=EPOCHS, metrics=metrics,
            seconds=dict.fromkeys(("setup", "train", "validation", "last_epoch", "test", "fit"), 0.1),
            history=history, provenance={"torch": "none"}, weights_sha256=trial.key,
        )  # fmt: skip

    def _accuracy(self, trial: Trial, part: str) -> float:
        """True accuracy and noise: of the trial, shared by its two sets of images in halves."""
        mlp = trial.arm.settings.network.mlp
        assert mlp is not None
        shared, own = (self._noise(trial, name) for name in ("", part))
        return self._truth(mlp.width) + self._spread * (shared + own) / 2**0.5

    def _noise(self, trial: Trial, name: str) -> float:
        digest = hashlib.sha256(f"{self._universe} {trial.arm_key} {trial.number} {name}".encode()).digest()
        return float(np.random.default_rng(int.from_bytes(digest[:8], "little")).normal())


def study_of(*, trials: int, sampler: str = "tpe") -> Study:
    """One search over the width, from a baseline of 200 units."""
    return study_from_dict(
        {
            "schema": "fairtrial/1",
            "name": "simulated",
            "base": {"epochs": EPOCHS},
            "arms": {"width-200": {"network.mlp.width": 200}},
            "search": {
                "id": "S",
                "baseline": "width-200",
                "space": {"network.mlp.width": {"int": [16, 2048], "log": True}},
                "sampler": sampler,
                "trials": trials,
                "budget": "1h",
            },
        }
    )


def simulate(
    truth: Callable[[int], float], *, universe: int, trials: int = 20, spread: float = SPREAD
) -> Claims:
    """One whole search and its confirmation, with noise that `universe` alone decides."""
    study = study_of(trials=trials)
    executor = SimulatedExecutor(truth, universe=universe, spread=spread)
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "s.db") as store:
        search(study, study.search[0], store=store, executor=executor)
        found = searched(study, study.search[0], store)
    answer = found.answer
    assert answer is not None
    best = max(value for point in found.points if (value := point.results.get(1)) is not None)
    baseline = found.baseline.results[1]
    return Claims(
        confirmed=answer.verdict.startswith("increase"),
        naive=baseline is not None and best > baseline,
        proposals=len(found.points),
        seeds=answer.seeds,
    )
