"""Training one network: the flat loop, and nothing but the idea of it.

It knows nothing of stores, screens and processes: it yields a record per epoch and, last, what
came of it; its caller decides what to do with them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from fairtrial.data.catalog import Dataset
from fairtrial.data.split import split, validation_seen
from fairtrial.engine.augmented import TrainingImages
from fairtrial.engine.batched import Batched, Learner
from fairtrial.engine.chain import Chain, chain_of
from fairtrial.engine.checkpoint import Checkpoint
from fairtrial.engine.device import device_of, wait
from fairtrial.engine.evaluate import Images, Scores, evaluate, evaluation_batch, moments, prepared, score
from fairtrial.engine.network import Network, build, keras_weights
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.engine.stopping import stops_after, stops_at_the_latest
from fairtrial.study.algorithm import algorithm
from fairtrial.study.schema import Arm
from fairtrial.trial import EpochRecord, Outcome, Predictions, Trial

VALIDATION_MOMENTS = 10
TEST_MOMENTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How a trial ended, with its final weights in Keras's names and layouts."""

    outcome: Outcome
    weights: dict[str, NDArray[np.float32]]


def train(
    trial: Trial, data: Dataset, *, provenance: dict[str, str], resume: Checkpoint | None = None
) -> Iterator[EpochRecord | Checkpoint | Trained]:
    """Train `trial` from scratch, or on from `resume`, on one thread, where its arm is trained (engine/device.py).

    Yields after each epoch its EpochRecord and, where another follows, a Checkpoint (its tensors are
    live: save it before asking for more, or let it go); at the end one Trained. The test images are not
    touched before the last step is done: the weights of the moments they are to be judged at are
    kept and evaluated afterwards.
    """
    setup_began = perf_counter()
    arm, settings = trial.arm, trial.arm.settings
    division = split(settings.data, seed=trial.number)
    where = device_of(arm)
    originals = images(data.train_images, data.train_labels)
    training = TrainingImages(originals, settings.data.augment, seed=trial.number, device=where)
    judging, batch = originals.to(where), evaluation_batch(arm)
    validation = prepared(judging, torch.from_numpy(division.validation).to(where), batch_size=batch)
    network = build(arm, seed=trial.number).to(where)
    provenance = {**provenance, **network.described()}
    bfloat16 = trial.precision == "bfloat16"
    learner = learner_of(arm, network, training.images, bfloat16=bfloat16)
    history: list[EpochRecord] = []
    seconds: dict[str, float] = dict.fromkeys(("setup", "train", "validation", "last_epoch", "test"), 0.0)
    if resume is not None:
        resume.restore(network, learner)
        history, seconds = list(resume.history), dict(resume.seconds)
    steps = arm.steps_per_epoch
    curve: list[Scores] = []
    kept: list[dict[str, torch.Tensor]] = []
    seconds["setup"] += perf_counter() - setup_began

    while not stops_after(history, settings):
        epoch = len(history) + 1
        epoch_began = perf_counter()
        paused = 0.0
        may_be_last = stops_at_the_latest(history, settings)
        watched = moments(steps, VALIDATION_MOMENTS) if may_be_last else ()
        kept_at = moments(steps, TEST_MOMENTS) if may_be_last else ()
        curve, kept = [], []
        order = torch.from_numpy(division.epoch_order(epoch)).to(where)
        outputs = torch.empty(len(order), settings.data.facts.classes, device=where)
        training.start_epoch(epoch, order)
        learner.start_epoch(epoch)
        for begin, end in pairwise((0, *watched) if watched else (0, steps)):
            stretch = slice(begin * settings.batch_size, end * settings.batch_size)
            learner.train(order[stretch], outputs[stretch])
            wait(where)
            if end < steps:
                pause_began = perf_counter()
                learner.settle()
                curve.append(evaluate(network, validation, bfloat16=bfloat16))
                if end in kept_at:
                    kept.append(weights_now(network))
                paused += perf_counter() - pause_began
        learner.settle()
        seen = score(outputs, judging.labels[order])
        train_seconds = perf_counter() - epoch_began - paused
        validation_began = perf_counter()
        judged = evaluate(network, validation, bfloat16=bfloat16)
        validation_seconds = perf_counter() - validation_began
        curve.append(judged)
        seconds["train"] += train_seconds
        seconds["validation"] += validation_seconds
        seconds["last_epoch"] += paused
        for which, loss in (("training", seen.loss), ("validation", judged.loss)):
            if not math.isfinite(loss):
                reason = f"{which} loss became {loss} in epoch {epoch}"
                yield Trained(outcome=_diverged(trial, reason, history, seconds, provenance), weights={})
                return
        history.append(
            EpochRecord(
                epoch=epoch,
                train_accuracy=seen.accuracy,
                train_loss=seen.loss,
                validation_accuracy=judged.accuracy,
                validation_loss=judged.loss,
                train_seconds=train_seconds,
                validation_seconds=validation_seconds,
            )
        )
        yield history[-1]
        if not stops_after(history, settings):
            yield Checkpoint.of(trial, network, learner, history, seconds)

    test = images(data.test_images, data.test_labels).to(where)
    weights = keras_weights(network)
    test_began = perf_counter()
    testing = prepared(test, torch.arange(len(test.labels), device=where), batch_size=batch)
    tested = [evaluate(network, testing, bfloat16=bfloat16)]
    seconds["test"] += perf_counter() - test_began
    moments_began = perf_counter()
    for state in reversed(kept):
        network.load_state_dict(state)
        tested.insert(0, evaluate(network, testing, bfloat16=bfloat16))
    seconds["last_epoch"] += perf_counter() - moments_began
    seconds["fit"] = seconds["train"] + seconds["validation"]
    metrics = {
        "train_accuracy": history[-1].train_accuracy,
        "train_loss": history[-1].train_loss,
        **_ends_and_means("validation", curve),
        **_ends_and_means("test", tested),
        "validation_seen": validation_seen(division, epochs=len(history)),
    }
    for which, value in metrics.items():
        if not math.isfinite(value):
            reason = f"{which} became {value} in epoch {len(history)}, the last"
            yield Trained(outcome=_diverged(trial, reason, history, seconds, provenance), weights={})
            return
    yield Trained(
        outcome=Outcome(
            key=trial.key,
            state="finished",
            epochs=len(history),
            metrics=metrics,
            seconds=seconds,
            history=tuple(history),
            provenance=provenance,
            weights_sha256=fingerprint(weights),
            predictions=_predictions(tested, test.labels),
        ),
        weights=weights,
    )


def learner_of(arm: Arm, network: Network, training: Images, *, bfloat16: bool) -> Learner:
    """What trains this arm, in a trial and when it is timed."""
    if algorithm(arm) == "batched":
        on_processor = training.labels.device.type == "cpu"
        kind = Chain if on_processor and chain_of(arm) is not None else Batched
        return kind(arm, network, training, bfloat16=bfloat16)
    from fairtrial.engine.online import Online  # its compiler takes a second to load

    return Online(arm, network, training)


def images(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Images:
    """Arrays of a data set as tensors: the bytes themselves, which nothing here writes to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        shared = torch.from_numpy(pixels)
    return Images(pixels=shared, labels=torch.tensor(labels, dtype=torch.int64))


def weights_now(network: Network) -> dict[str, torch.Tensor]:
    """A copy of the network's state that later steps do not change."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _predictions(tested: list[Scores], labels: torch.Tensor) -> Predictions:
    probability, classes = tested[-1].logits.double().softmax(1).max(1)
    right = torch.stack([at.logits.argmax(1) == labels for at in tested]).sum(0)
    return Predictions(
        classes=classes.to("cpu", torch.uint8).numpy(),
        probabilities=probability.to("cpu", torch.float32).numpy(),
        right=right.to("cpu", torch.uint8).numpy(),
        evaluations=len(tested),
    )


def _ends_and_means(part: str, curve: list[Scores]) -> dict[str, float]:
    """The scores at the very end, and their means over the moments of the last epoch."""
    return {
        f"{part}_accuracy": curve[-1].accuracy,
        f"{part}_loss": curve[-1].loss,
        f"{part}_accuracy_last_epoch": float(np.mean([at.accuracy for at in curve])),
        f"{part}_loss_last_epoch": float(np.mean([at.loss for at in curve])),
    }


def _diverged(
    trial: Trial,
    reason: str,
    history: list[EpochRecord],
    seconds: dict[str, float],
    provenance: dict[str, str],
) -> Outcome:
    return Outcome(
        key=trial.key,
        state="diverged",
        epochs=len(history),
        metrics={},
        seconds=seconds,
        history=tuple(history),
        provenance=provenance,
        reason=reason,
    )
