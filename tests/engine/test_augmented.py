"""Moved training images: known answers of the kernel, and who sees them: training does, validation never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from fairtrial.data.augment import affine
from fairtrial.data.catalog import Dataset
from fairtrial.data.split import split
from fairtrial.engine import augment_kernel as kernel
from fairtrial.engine import checkpoint
from fairtrial.engine.augmented import TrainingImages
from fairtrial.engine.checkpoint import Checkpoint
from fairtrial.engine.evaluate import evaluate, prepared
from fairtrial.engine.network import build
from fairtrial.engine.train import Trained, images, learner_of, train
from fairtrial.study.augment import Augment
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Trial

MOVED: dict[str, Any] = {"shift": 2, "rotate": 15, "zoom": 0.2}
CHAIN: dict[str, Any] = {"network": {"mlp": {"width": 16, "depth": 1}}}
ONLINE: dict[str, Any] = {**CHAIN, "batch_size": 1}
CONVOLUTIONAL: dict[str, Any] = {
    "network": {"layers": [{"conv": {"filters": 4, "activation": "relu"}}, {"pool": 2}, "flatten"]},
    "batch_size": 64,
}
LEARNERS = {"Chain": CHAIN, "Online": ONLINE, "Batched": CONVOLUTIONAL}
STILL = {"name": "adam", "learning_rate": 1e-30}
"""A rate so small that no weight ever changes: all scores are those of the initial network."""


def trial(base: dict[str, Any] = CHAIN, *, augment: object = MOVED, seed: int = 1, **changes: Any) -> Trial:
    data = {"train": 300, "validation": 200, "augment": augment, **changes.pop("data", {})}
    settings = ArmSettings.model_validate({"epochs": 2, **base, **changes, "data": data})
    return Trial(arm=Arm(name="arm", settings=settings), seed=seed, precision="float32")


def trained(of: Trial, data: Dataset, resume: Checkpoint | None = None) -> Trained:
    *_, last = train(of, data, provenance={}, resume=resume)
    assert isinstance(last, Trained)
    return last


def numbers(done: Trained) -> tuple[Any, ...]:
    """All that a trial measured but the clock."""
    history = [record._replace(train_seconds=0, validation_seconds=0) for record in done.outcome.history]
    return done.outcome.metrics, history, done.outcome.weights_sha256


def moved_by(pictures: np.ndarray, maps: np.ndarray) -> np.ndarray:
    moved = np.full_like(pictures, 7)
    kernel.move(pictures, np.arange(len(pictures)), maps, moved)
    return moved


def one_map(*, down: float = 0, right: float = 0, turn: float = 0, size: float = 1) -> np.ndarray:
    return affine(*(np.array([float(n)]) for n in (down, right, turn, size)), shape=(28, 28))


def test_a_point_shifted_by_whole_pixels_is_that_point_elsewhere() -> None:
    """Down and to the right, by the amounts said, and nothing of it left or smeared."""
    point = np.zeros((1, 28, 28, 1), np.uint8)
    point[0, 10, 20] = 200
    found = moved_by(point, one_map(down=2, right=-3))
    assert np.argwhere(found).tolist() == [[0, 12, 17, 0]]
    assert found.max() == 200
    assert not moved_by(point, one_map(down=18)).any()


def test_half_a_pixel_shares_a_point_between_its_neighbours() -> None:
    point = np.zeros((1, 28, 28, 1), np.uint8)
    point[0, 10, 20] = 200
    found = moved_by(point, one_map(right=0.5))[0, :, :, 0]
    assert {(int(y), int(x)): int(found[y, x]) for y, x in np.argwhere(found)} == {
        (10, 20): 100,
        (10, 21): 100,
    }


def test_a_quarter_turn_is_numpys_and_no_move_is_the_image_itself() -> None:
    """Every pixel, the corners too."""
    noise = np.random.default_rng(1).integers(0, 256, (1, 28, 28, 1), np.uint8)
    assert np.array_equal(moved_by(noise, one_map(turn=np.pi / 2))[0], np.rot90(noise[0]))
    assert np.array_equal(moved_by(noise, one_map()), noise)


@pytest.mark.parametrize("channels", [1, 3])
def test_any_move_agrees_with_scipy_to_a_grey_level(channels: int, mnist: Dataset) -> None:
    """Digits and noise, which is bright at the edges, through moves of every kind and size."""
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (30, 28, 28, channels), np.uint8)
    pictures = np.concatenate([np.repeat(mnist.train_images[:30], channels, axis=3), noise])
    n = len(pictures)
    maps = affine(
        rng.uniform(-20, 20, n),
        rng.uniform(-20, 20, n),
        rng.uniform(-3, 3, n),
        rng.uniform(0.1, 2, n),
        shape=(28, 28),
    )
    found = moved_by(pictures, maps)
    for i in range(n):
        for c in range(channels):
            expected = ndimage.affine_transform(
                pictures[i, :, :, c].astype(np.float64),
                maps[i, :, :2],
                maps[i, :, 2],  # pyright: ignore[reportArgumentType]
                order=1,
                mode="grid-constant",
            )
            assert np.abs(found[i, :, :, c] - expected).max() <= 0.51


def test_images_are_moved_by_their_own_number_in_whatever_order_they_come(mnist: Dataset) -> None:
    """Two arms with other batches, other networks, or fewer images train on the same pictures."""
    originals = images(mnist.train_images[:500], mnist.train_labels[:500])
    one, other = (TrainingImages(originals, Augment(**MOVED), seed=1) for _ in range(2))
    one.start_epoch(3, torch.arange(500))
    other.start_epoch(2, torch.arange(500))
    assert not torch.equal(one.images.pixels, other.images.pixels)
    few = torch.tensor([400, 3, 77])
    other.start_epoch(3, few)
    assert torch.equal(one.images.pixels[few], other.images.pixels[few])
    other.start_epoch(3, torch.arange(499, -1, -1))
    assert torch.equal(one.images.pixels, other.images.pixels)
    assert np.array_equal(originals.pixels.numpy(), mnist.train_images[:500])


def test_without_augmentation_no_image_is_copied(mnist: Dataset) -> None:
    """Whoever asks for nothing pays nothing."""
    originals = images(mnist.train_images, mnist.train_labels)
    training = TrainingImages(originals, Augment(), seed=1)
    training.start_epoch(1, torch.arange(10))
    assert training.images is originals


@pytest.mark.parametrize("name", LEARNERS)
def test_training_sees_the_moved_images_of_its_epoch_and_validation_and_test_the_originals(
    name: str, mnist: Dataset
) -> None:
    """With weights that stand still the scores say which images they come from, epoch by epoch."""
    base = LEARNERS[name]
    moved, plain = (
        trained(trial(base, augment=augment, optimizer=STILL), mnist).outcome for augment in (MOVED, "none")
    )
    for metric, value in plain.metrics.items():
        if not metric.startswith("train"):
            assert moved.metrics[metric] == pytest.approx(value, rel=1e-9), metric
    of = trial(base, optimizer=STILL)
    originals = images(mnist.train_images, mnist.train_labels)
    training = TrainingImages(originals, of.arm.settings.data.augment, seed=1)
    network = build(of.arm, seed=1)
    assert type(learner_of(of.arm, network, originals, bfloat16=False)).__name__ == name
    network = build(of.arm, seed=1)
    for record, unmoved in zip(moved.history, plain.history, strict=True):
        order = torch.from_numpy(split(of.arm.settings.data, seed=1).epoch_order(record.epoch))
        training.start_epoch(record.epoch, order)
        expected = evaluate(network, prepared(training.images, order, batch_size=100), bfloat16=False)
        assert record.train_loss == pytest.approx(expected.loss, rel=1e-5)
        assert record.train_loss != pytest.approx(unmoved.train_loss, rel=3e-5)
        assert record.validation_loss == pytest.approx(unmoved.validation_loss, rel=1e-9)


def test_the_reshuffled_split_trains_on_moved_copies_of_its_validation_images(mnist: Dataset) -> None:
    """The leak stays what it is, and is counted; what is validated on is never moved."""
    leaking = {"split": "reshuffled"}
    moved, plain = (
        trained(trial(augment=augment, optimizer=STILL, data=leaking), mnist).outcome.metrics
        for augment in (MOVED, "none")
    )
    assert moved["validation_seen"] == plain["validation_seen"] > 0.6
    assert moved["validation_loss"] == pytest.approx(plain["validation_loss"], rel=1e-9)
    assert moved["train_loss"] != pytest.approx(plain["train_loss"], rel=1e-4)


@pytest.mark.parametrize("name", LEARNERS)
def test_an_augmented_trial_is_bit_equal_when_repeated_and_when_resumed(
    name: str, mnist: Dataset, tmp_path: Path
) -> None:
    """A kill between two epochs must not show in what the next one draws."""
    of = trial(LEARNERS[name])
    whole = numbers(trained(of, mnist))
    assert numbers(trained(of, mnist)) == whole
    assert numbers(trained(trial(LEARNERS[name], augment="none"), mnist)) != whole
    for step in train(of, mnist, provenance={}):
        if isinstance(step, Checkpoint) and len(step.history) == 1:
            checkpoint.save(step, tmp_path / "kept")
            break
    assert numbers(trained(of, mnist, resume=checkpoint.load(tmp_path / "kept", key=of.key))) == whole


def test_a_short_training_on_moved_digits_learns_to_read_them(mnist: Dataset) -> None:
    """Labels that no longer belong to their images would leave it at one in ten."""
    of = trial(data={"train": 6000, "validation": 1000})
    done = trained(of, mnist).outcome
    assert done.metrics["validation_accuracy"] > 0.75
    assert done.metrics["train_accuracy"] > 0.5
