"""Outcomes as training would give them, made at once, and a store that holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fairtrial.engine.machine import machine, processor
from fairtrial.engine.precision import resolve
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp, NetworkSettings, Question, Study
from fairtrial.trial import EpochRecord, Event, Outcome, Predictions, Started, Trial
from fairtrial.wire import Order, TimingOrder

MACHINE = {"machine": "here", "processor": "a processor", "torch": "2.0"}
Put = Callable[..., Trial]


class FakeExecutor:
    """Trials that end at once with the figures of `finished`, better for wider networks, which take longer."""

    def __init__(self, *, workers: int | None = None) -> None:
        self.workers = workers or 2
        self.ready: list[Event] = []
        self.interrupt_after: int | None = None

    def __enter__(self) -> FakeExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def free(self) -> int:
        return self.workers - sum(isinstance(event, Outcome) for event in self.ready)

    def start(self, order: Order | TimingOrder) -> None:
        if isinstance(order, TimingOrder):
            mlps = [trial.arm.settings.network.mlp for trial in (order.first, order.second)]
            seconds = [1 + (0 if mlp is None else mlp.width / 100) for mlp in mlps]
            wobble = 1 + order.first.seed % 3 / 100
            self.ready += [
                Started(key=order.key, worker=0),
                pair_times(order.first, order.second, seconds[0] * wobble, seconds[1]),
            ]
            return
        trial = order.trial
        mlp = trial.arm.settings.network.mlp
        better = 0.0 if mlp is None else mlp.width / 1e5 + trial.seed / 1e4
        outcome = finished(
            trial, validation_accuracy=0.96 + better, validation_accuracy_last_epoch=0.965 + better
        )
        self.ready += [Started(key=trial.key, worker=0), outcome]

    def stop(self, key: str) -> None:
        raise AssertionError("nothing runs long enough to be stopped")

    def events(self) -> Iterator[Event]:
        while self.ready:
            yield self.ready.pop(0)


@pytest.fixture
def fairtrial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """`fairtrial("run", "width")` in an empty folder, with trials that end at once."""
    from fairtrial.cli.app import app
    from fairtrial.executors import local

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAIRTRIAL_STORE", raising=False)
    monkeypatch.setattr(local, "LocalExecutor", FakeExecutor)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def make_arm() -> Callable[..., Arm]:
    return arm


def arm(name: str, *, width: int = 50, split: str = "fixed", batch_size: int = 100) -> Arm:
    data = DataSettings.model_validate({"split": split})
    network = NetworkSettings(mlp=Mlp(width=width))
    return Arm(name=name, settings=ArmSettings(data=data, network=network, batch_size=batch_size))


def finished(trial: Trial, **changed: float) -> Outcome:
    """An outcome of one epoch; `changed` replaces metrics by name, or `train` seconds."""
    metrics = {
        "train_accuracy": 0.97,
        "train_loss": 0.10,
        "validation_accuracy": 0.96,
        "validation_loss": 0.12,
        "test_accuracy": 0.95,
        "test_loss": 0.13,
        "validation_accuracy_last_epoch": 0.965,
        "validation_loss_last_epoch": 0.125,
        "test_accuracy_last_epoch": 0.955,
        "test_loss_last_epoch": 0.135,
        "validation_seen": 0.0,
    }
    train = changed.pop("train", 1.0)
    metrics |= changed
    return Outcome(
        key=trial.key,
        state="finished",
        epochs=1,
        metrics=metrics,
        seconds={
            "setup": 0.1, "train": train, "validation": 0.1, "last_epoch": 0.2, "test": 0.1, "fit": train + 0.1,
        },
        history=(
            EpochRecord(
                epoch=1,
                train_accuracy=metrics["train_accuracy"],
                train_loss=metrics["train_loss"],
                validation_accuracy=metrics["validation_accuracy"],
                validation_loss=metrics["validation_loss"],
                train_seconds=train,
                validation_seconds=0.1,
            ),
        ),
        provenance=MACHINE,
        weights_sha256=hashlib.sha256(trial.key.encode()).hexdigest(),
    )  # fmt: skip


def arm_times(trial: Trial, train: float) -> ArmTimes:
    return ArmTimes(
        arm_key=trial.arm_key,
        arm_name=trial.arm.name,
        train_seconds=train,
        fit_seconds=1.1 * train,
        process_seconds=0.9 * train,
        timed_steps=200,
        timed_seconds=0.5,
    )


def pair_times(
    first: Trial, second: Trial, first_seconds: float, second_seconds: float, **changed: Any
) -> PairTimes:
    """A pair timed alone on this machine unless `changed` says otherwise."""
    facts: dict[str, Any] = {
        "machine": machine(), "processor": processor(), "device": "cpu", "load_average": 1.0, "other_load": 0.1,
    }  # fmt: skip
    return PairTimes(
        seed=first.seed,
        first=arm_times(first, first_seconds),
        second=arm_times(second, second_seconds),
        seconds=2.0,
        **{**facts, "provenance": MACHINE, **changed},
    )


def diverged(trial: Trial) -> Outcome:
    return Outcome(
        key=trial.key,
        state="diverged",
        epochs=0,
        metrics={},
        seconds={"setup": 0.1, "train": 0.0},
        history=(),
        provenance=MACHINE,
        reason="training loss became nan in epoch 1",
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "some.db") as opened:
        yield opened


@pytest.fixture
def put(store: Store) -> Put:
    """Store a trial of an arm: `put(arm, seed, test_accuracy=0.9)`, `put(arm, seed, state="diverged")`."""

    def record(
        of: Arm,
        seed: int,
        *,
        state: str = "finished",
        machine: str = "here",
        node: str = "",
        weights_sha256: str | None = None,
        predictions: Predictions | None = None,
        **changed: float,
    ) -> Trial:
        trial = Trial(arm=of, seed=seed, precision=resolve(of.settings.precision))
        outcome = diverged(trial) if state == "diverged" else finished(trial, **changed)
        outcome = replace(
            outcome, provenance={**MACHINE, "machine": machine} | ({"node": node} if node else {})
        )
        if weights_sha256 is not None:
            outcome = replace(outcome, weights_sha256=weights_sha256)
        if predictions is not None:
            outcome = replace(outcome, predictions=predictions)
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, outcome, trial=trial, weights=False)
        return trial

    return record


@pytest.fixture
def study() -> Study:
    """Two widths and one question with every metric on both sets of images."""
    return Study(
        name="small",
        arms={"narrow": arm("narrow", width=50), "wide": arm("wide", width=200)},
        questions=(
            Question(
                id="Q",
                ask="Does the width matter?",
                variant="wide",
                baseline="narrow",
                factors=("network.mlp.width",),
                metrics=("accuracy", "loss", "time"),
                on=("validation", "test"),
            ),
        ),
    )


@pytest.fixture
def put_pairs(study: Study, put: Put) -> Callable[..., None]:
    """Both arms of `study` on seeds 1, 2, …: `put_pairs([0.010, 0.011])` are contrasts of `metric`.

    The baseline varies from seed to seed, so that pairs are what tells.
    """

    def record(
        contrasts: list[float], *, metric: str = "validation_accuracy_last_epoch", start: int = 1
    ) -> None:
        for seed, by in enumerate(contrasts, start=start):
            level = 0.96 + 0.001 * (seed % 3)
            put(study.arms["narrow"], seed, **{metric: level})
            put(study.arms["wide"], seed, **{metric: level + by})

    return record


@pytest.fixture
def put_times(study: Study, store: Store) -> Callable[..., None]:
    """Pairs of `study`'s two arms, variant and baseline beginning in turn: `put_times([13.2], [10.1])`.

    Seconds are of the variant, then of the baseline.
    """

    def record(variant: list[float], baseline: list[float], **changed: Any) -> None:
        for number, seconds in enumerate(zip(variant, baseline, strict=True), start=1):
            sides = [
                (Trial(arm=study.arms[name], seed=number, precision=resolve("auto")), one)
                for name, one in zip(("wide", "narrow"), seconds, strict=True)
            ]
            (first, a), (second, b) = sides if number % 2 else reversed(sides)
            store.record_pair(pair_times(first, second, a, b, **changed), first=first, second=second)

    return record
