"""The training loop: obeys its seed, resumes bit for bit, says what Keras says, diverges in words."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.optim.adam import adam

from fairtrial.data.catalog import Dataset
from fairtrial.data.split import split
from fairtrial.engine import checkpoint
from fairtrial.engine.checkpoint import Checkpoint
from fairtrial.engine.evaluate import moments
from fairtrial.engine.network import build, load_keras_weights
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.engine.train import Trained, images, train
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import METRICS, EpochRecord, Trial

SMALL: dict[str, Any] = {
    "network": {"mlp": {"width": 16, "depth": 1}},
    "data": {"train": 900, "validation": 500},
    "epochs": 3,
}
CONVOLUTIONAL: dict[str, Any] = {
    "network": {
        "layers": [
            {"conv": {"filters": 4, "activation": "relu"}},
            {"batch_norm": {}},
            {"pool": 2},
            "flatten",
            {"dropout": 0.3},
            {"dense": {"units": 8, "activation": "tanh"}},
        ]
    },
    "data": {"train": 300, "validation": 200, "split": "reshuffled"},
    "epochs": 3,
    "batch_size": 64,
}


def trial(seed: int = 1, base: dict[str, Any] = SMALL, **changes: Any) -> Trial:
    settings = ArmSettings.model_validate({**base, **changes})
    return Trial(arm=Arm(name="arm", settings=settings), seed=seed, precision="float32")


def trained(of: Trial, data: Dataset, resume: Checkpoint | None = None) -> Trained:
    *_, last = train(of, data, provenance={}, resume=resume)
    assert isinstance(last, Trained)
    return last


def numbers(done: Trained) -> tuple[Any, ...]:
    """All that a trial measured but the clock."""
    history = [record._replace(train_seconds=0, validation_seconds=0) for record in done.outcome.history]
    return done.outcome.metrics, history, done.outcome.weights_sha256


@pytest.mark.parametrize("base", [SMALL, CONVOLUTIONAL], ids=["mlp", "cnn"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    mnist: Dataset, base: dict[str, Any]
) -> None:
    """A stored trial can only be trusted if training it again would give the same numbers."""
    first, again, other = (trained(trial(seed, base), mnist) for seed in (1, 1, 2))
    assert numbers(first) == numbers(again)
    assert first.outcome.weights_sha256 != other.outcome.weights_sha256


@pytest.mark.parametrize("base", [SMALL, CONVOLUTIONAL], ids=["mlp", "cnn"])
@pytest.mark.parametrize(
    "optimizer",
    [{"name": "adam"}, {"name": "sgd", "momentum": 0.9}, {"name": "rmsprop"}, {"name": "adagrad"}],
    ids=lambda optimizer: optimizer["name"],
)
def test_a_resumed_trial_is_bit_equal_to_one_that_was_never_stopped(
    mnist: Dataset, tmp_path: Path, base: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    """A kill must cost time only: the answer may not depend on where it fell."""
    of = trial(base=base, optimizer=optimizer)
    whole = numbers(trained(of, mnist))
    for stop_after in (1, 2):
        for step in train(of, mnist, provenance={}):
            if isinstance(step, Checkpoint) and len(step.history) == stop_after:
                checkpoint.save(step, tmp_path / "kept")
                break
        resumed = trained(of, mnist, resume=checkpoint.load(tmp_path / "kept", key=of.key))
        assert numbers(resumed) == whole


def test_a_checkpoint_of_another_trial_or_a_broken_one_is_not_used(mnist: Dataset, tmp_path: Path) -> None:
    """Resuming from the wrong state would be a wrong number that nobody notices."""
    of = trial()
    kept = next(step for step in train(of, mnist, provenance={}) if isinstance(step, Checkpoint))
    checkpoint.save(kept, tmp_path / "kept")
    assert checkpoint.load(tmp_path / "kept", key=trial(2).key) is None
    whole = (tmp_path / "kept").read_bytes()
    (tmp_path / "kept").write_bytes(whole[: len(whole) // 2])
    assert checkpoint.load(tmp_path / "kept", key=of.key) is None
    assert checkpoint.load(tmp_path / "nowhere", key=of.key) is None


def test_every_metric_is_measured_and_the_final_ones_follow_from_the_final_weights(mnist: Dataset) -> None:
    """Test figures are recomputed here from the saved weights by other means than the loop's own."""
    of = trial()
    done = trained(of, mnist)
    assert set(done.outcome.metrics) == set(METRICS)
    network = build(of.arm, seed=99)
    load_keras_weights(network, done.weights)
    network.eval()
    pixels = torch.tensor(mnist.test_images).float().div(255).permute(0, 3, 1, 2)
    labels = torch.tensor(mnist.test_labels.astype(np.int64))
    with torch.no_grad():
        logits = network(pixels)
    assert done.outcome.metrics["test_loss"] == pytest.approx(
        float(functional.cross_entropy(logits, labels)), rel=1e-5
    )
    assert done.outcome.metrics["test_accuracy"] == pytest.approx(
        float((logits.argmax(1) == labels).float().mean())
    )
    predictions = done.outcome.predictions
    assert predictions is not None
    assert (predictions.classes == logits.argmax(1).numpy()).mean() > 0.999
    assert np.allclose(predictions.probabilities, logits.softmax(1).max(1).values.numpy(), atol=1e-4)
    assert predictions.evaluations == 5
    assert predictions.right.mean() / 5 == pytest.approx(done.outcome.metrics["test_accuracy_last_epoch"])


def test_train_metrics_are_keras_running_means_over_the_changing_network(mnist: Dataset) -> None:
    """Keras averages each batch's loss before its update; a plain re-implementation must agree."""
    of = trial(epochs=1)
    done = trained(of, mnist)
    network = build(of.arm, seed=1)
    parameters: list[torch.Tensor] = list(network.parameters())
    first, second = ([torch.zeros_like(parameter) for parameter in parameters] for _ in range(2))
    counts = [torch.tensor(0.0) for _ in parameters]
    division = split(of.arm.settings.data, seed=1)
    data = images(mnist.train_images, mnist.train_labels)
    losses, right, count = 0.0, 0, 0
    network.start_epoch(1)
    for step, chosen in enumerate(torch.from_numpy(division.epoch_order(1)).split(100), start=1):
        logits = network(data.batch(chosen))
        loss = functional.cross_entropy(logits, data.labels[chosen])
        losses += float(loss.detach()) * len(chosen)
        right += int((logits.argmax(1) == data.labels[chosen]).sum())
        count += len(chosen)
        slopes = list(torch.autograd.grad(loss, parameters))
        with torch.no_grad():
            adam(
                [*parameters], slopes, first, second, [], counts, foreach=False, lr=0.001, beta1=0.9, beta2=0.999,
                eps=1e-7 / math.sqrt(1 - 0.999**step), weight_decay=0.0, amsgrad=False, maximize=False,
            )  # fmt: skip
    assert done.outcome.metrics["train_loss"] == pytest.approx(losses / count, rel=1e-4)
    assert done.outcome.metrics["train_accuracy"] == pytest.approx(right / count, abs=2 / count)


def test_a_rate_that_explodes_is_the_outcome_diverged_with_its_epoch(mnist: Dataset) -> None:
    """A failed seed must never drop out silently; it is an outcome with a reason."""
    done = trained(trial(optimizer={"name": "sgd", "learning_rate": 1e30}), mnist)
    assert done.outcome.state == "diverged"
    assert done.outcome.epochs == 0
    assert "epoch 1" in done.outcome.reason
    assert done.outcome.metrics == {}


def test_validation_images_are_never_trained_on_unless_the_split_is_reshuffled(mnist: Dataset) -> None:
    """The leak that this project exists to expose must be zero by default and counted otherwise."""
    assert trained(trial(), mnist).outcome.metrics["validation_seen"] == 0
    leaking = trained(trial(data={"train": 900, "validation": 500, "split": "reshuffled"}), mnist)
    assert leaking.outcome.metrics["validation_seen"] > 0.9


def test_early_stopping_ends_where_validation_has_stopped_improving(mnist: Dataset) -> None:
    """The history alone decides, and the last epoch run is the one that is watched closely."""
    rule = {"monitor": "validation_loss", "patience": 2, "min_delta": 10.0}
    done = trained(trial(epochs=9, early_stopping=rule), mnist)
    assert done.outcome.epochs == 3
    assert done.outcome.predictions is not None and done.outcome.predictions.evaluations == 5


def test_the_test_images_are_not_touched_before_training_has_ended(mnist: Dataset) -> None:
    """The test set steers nothing: with other test images every other number is the same."""
    swapped = replace(mnist, test_images=mnist.test_images[::-1].copy(), test_labels=mnist.test_labels)
    honest, blind = trained(trial(), mnist), trained(trial(), swapped)
    assert honest.outcome.weights_sha256 == blind.outcome.weights_sha256
    assert honest.outcome.metrics["test_accuracy"] != blind.outcome.metrics["test_accuracy"]


def test_a_batch_larger_than_the_data_is_one_step_an_epoch(mnist: Dataset) -> None:
    """Nine hundred images in a batch of ten thousand are a batch of nine hundred."""
    whole, larger = trained(trial(batch_size=900), mnist), trained(trial(batch_size=10_000), mnist)
    assert numbers(whole)[1:] == numbers(larger)[1:]
    assert trial(batch_size=900).key == trial(batch_size=10_000).key


def test_a_schedule_changes_the_training_and_a_constant_one_does_not(mnist: Dataset) -> None:
    """`{constant: 0.001}` is 0.001 under another name; a cosine to zero is not."""
    plain, cosine = (
        {"name": "adam", "learning_rate": rate} for rate in (0.001, {"cosine": {"initial": 0.001}})
    )
    assert trial(optimizer=plain).key == trial(optimizer={**plain, "learning_rate": {"constant": 0.001}}).key
    assert numbers(trained(trial(optimizer=plain), mnist)) != numbers(trained(trial(optimizer=cosine), mnist))


@pytest.mark.parametrize(("steps", "count"), [(540, 10), (540, 5), (6, 10), (1, 5), (54_000, 10), (7, 5)])
def test_moments_are_spread_over_the_epoch_and_end_with_it(steps: int, count: int) -> None:
    """Unequal spacing would weigh some part of the last epoch more than another."""
    chosen = moments(steps, count)
    assert chosen[-1] == steps
    assert len(chosen) == min(steps, count)
    gaps = np.diff((0, *chosen))
    assert gaps.max() - gaps.min() <= 1


def test_epoch_records_come_one_by_one_as_they_are_trained(mnist: Dataset) -> None:
    """The screen shows an epoch when it is done, not when the trial is."""
    steps = train(trial(), mnist, provenance={})
    assert isinstance(next(steps), EpochRecord)


def test_the_weights_fingerprint_sees_every_bit(mnist: Dataset) -> None:
    """Seeds that are not wired are recognised by equal fingerprints, so these must tell all apart."""
    weights = trained(trial(epochs=1), mnist).weights
    changed = {name: array.copy() for name, array in weights.items()}
    first = next(iter(changed))
    changed[first].flat[0] = np.nextafter(changed[first].flat[0], np.float32(9))
    assert fingerprint(weights) != fingerprint(changed)
