"""How a store grows, and how long it takes to be asked, with trials nobody trained but of the size of real ones."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.results import Point
from fairtrial import runner
from fairtrial.analysis import answers
from fairtrial.data import catalog
from fairtrial.due import missing
from fairtrial.engine.provenance import provenance
from fairtrial.executors.local import LocalExecutor
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Arm, ArmSettings, Question, Seeds, Study
from fairtrial.study.training import Adam
from fairtrial.trial import EpochRecord, Outcome, Predictions, Trial

SIZES = (1_000, 10_000, 100_000)
SEEDS = 100
QUESTIONS = 9
REPEATS = 3
EVALUATIONS = 5
EPOCHS = 5

PHASES = ("setup", "train", "validation", "last_epoch", "test", "fit")


def points(sizes: Sequence[int] = SIZES) -> Iterator[Point]:
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            yield measure(size, Path(folder) / "large.db")


def measure(size: int, path: Path) -> Point:
    """A store of `size` trials, all of one study: its size, and seconds to record, to answer and to resume.

    Answers are asked for in a process that has imported what it needs: of the whole study as `fairtrial.answers`
    gives them, without epochs as a run asks for them after each seed, and of a study of two arms in the
    same store, which should not notice the others.
    """
    study = made(size)
    few = replace(study, arms=dict(list(study.arms.items())[:2]), questions=study.questions[:1])
    with Store.open(path) as store:
        recording = fill(store, study)
        answers(few, store)
        answering = middle_seconds(lambda: answers(study, store))
        verdicts = middle_seconds(lambda: answers(study, store, history=False))
        answering_few = middle_seconds(lambda: answers(few, store))
        resuming = middle_seconds(lambda: resume(study, store), repeats=1)
    return {
        "trials": size,
        "arms": len(study.arms),
        "questions": len(study.questions),
        "store_bytes": path.stat().st_size,
        "record_milliseconds": 1000 * recording / size,
        "answers_seconds": answering,
        "verdicts_seconds": verdicts,
        "answers_of_two_arms_seconds": answering_few,
        "resume_seconds": resuming,
    }


def middle_seconds(act: Callable[[], object], *, repeats: int = REPEATS) -> float:
    taken: list[float] = []
    for _ in range(repeats):
        began = perf_counter()
        act()
        taken.append(perf_counter() - began)
    return median(taken)


def resume(study: Study, store: Store) -> None:
    """What a run does that finds every trial known."""
    with LocalExecutor(workers=1) as executor:
        done = runner.run(study, store=store, executor=executor, seeds=SEEDS)
    if done.trained or done.remaining:
        raise RuntimeError(f"everything should be known, but {done.trained} trials were trained")


def made(size: int, *, first: int = 0) -> Study:
    """Arms of SEEDS seeds that differ in their learning rate, from number `first` on; the first few are asked about."""
    arms: dict[str, Arm] = {}
    for number in range(first, first + size // SEEDS):
        adam = Adam(learning_rate=0.001 * (1 + number / 1000))
        arms[f"rate-{number}"] = Arm(name=f"rate-{number}", settings=ArmSettings(optimizer=adam))
    baseline, *others = arms
    questions = [Question(id=name, variant=name, baseline=baseline) for name in others[:QUESTIONS]]
    return Study(name="made", arms=arms, questions=tuple(questions), seeds=Seeds(min=3, max=SEEDS))


def fill(store: Store, study: Study, *, seeds: int | None = None, until: float = float("inf")) -> float:
    """Record an outcome for every trial, one by one, as a run does; the seconds that recording took.

    Those that are there, or that another process is at, are left alone; no more are begun at `until` by perf_counter.
    All SEEDS of each arm unless fewer are named.
    """
    facts, labels, seconds = provenance(), catalog.load("mnist").test_labels, 0.0
    for trial in missing(study, store, list(study.arms), seeds or SEEDS):
        if perf_counter() > until:
            break
        began = perf_counter()
        claim = store.claim(trial)
        seconds += perf_counter() - began
        if not isinstance(claim, Claim):
            continue
        made_up = outcome(trial, labels, facts)
        began = perf_counter()
        store.record(claim, made_up, trial=trial, weights=False)
        seconds += perf_counter() - began
    return seconds


def outcome(trial: Trial, labels: np.ndarray, facts: dict[str, str]) -> Outcome:
    """Figures drawn from the trial's key: of the usual size, shape and spread, and of no meaning."""
    rng = np.random.default_rng(int(trial.key[:16], 16))
    usual = {"train": 0.98, "validation": 0.97, "test": 0.971}
    accuracy = {part: float(rng.normal(mean, 0.001)) for part, mean in usual.items()}
    metrics = {"validation_seen": 0.0}
    for part, value in accuracy.items():
        metrics |= {f"{part}_accuracy": value, f"{part}_loss": 3 * (1 - value)}
        if part != "train":
            metrics |= {f"{part}_accuracy_last_epoch": value, f"{part}_loss_last_epoch": 3 * (1 - value)}
    history = tuple(
        EpochRecord(
            epoch=epoch,
            train_accuracy=accuracy["train"] - 0.1 / epoch,
            train_loss=1 / epoch,
            validation_accuracy=accuracy["validation"] - 0.05 / epoch,
            validation_loss=1 / epoch,
            train_seconds=float(rng.random()),
            validation_seconds=float(rng.random()),
        )
        for epoch in range(1, EPOCHS + 1)
    )
    return Outcome(
        key=trial.key,
        state="finished",
        epochs=EPOCHS,
        metrics=metrics,
        seconds={phase: float(rng.random()) for phase in PHASES},
        history=history,
        provenance=facts,
        weights_sha256=trial.key,
        predictions=predictions(labels, rng),
    )


def predictions(labels: np.ndarray, rng: np.random.Generator) -> Predictions:
    """Three in a hundred wrong, most of the others nearly certain: packed, as large as a real trial's."""
    wrong = rng.random(len(labels)) < 0.03
    doubt = 10.0 ** -rng.gamma(shape=3.0, scale=1.0, size=len(labels))
    shaky = rng.random(len(labels)) < 0.04
    right = np.where(shaky, rng.integers(0, EVALUATIONS + 1, len(labels)), EVALUATIONS)
    return Predictions(
        classes=np.where(wrong, (labels + 1) % 10, labels).astype(np.uint8),
        probabilities=(1 - 0.9 * doubt).astype(np.float32),
        right=right.astype(np.uint8),
        evaluations=EVALUATIONS,
    )
