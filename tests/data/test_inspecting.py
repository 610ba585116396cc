"""What is said of a data set is there: images that occur twice, doubtful labels, dead pixels."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from fairtrial.data import catalog
from fairtrial.data.catalog import Dataset
from fairtrial.data.inspecting import NEAR, inspect
from fairtrial.images.facts import MNIST, DatasetFacts


def made(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, tested: np.ndarray
) -> tuple[Dataset, DatasetFacts]:
    arrays = {"train_images": train, "train_labels": labels, "test_images": test, "test_labels": tested}
    dataset = Dataset(name="some", fingerprint="0" * 64, **{k: v.astype(np.uint8) for k, v in arrays.items()})
    facts = DatasetFacts(
        name="some", input_shape=train.shape[1:], classes=3, train_images=len(train), test_images=len(test),
        fingerprint="0" * 64, class_names=("cat", "dog", "cow"),
    )  # fmt: skip
    return dataset, facts


@pytest.fixture(scope="module")
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Three kinds of images, 40 of each, that no eye would mistake for one another."""
    rng = np.random.default_rng(1)
    kinds = rng.integers(40, 200, (3, 12, 12, 1))
    labels = np.arange(120) % 3
    images = np.clip(kinds[labels] + rng.integers(-35, 36, (120, 12, 12, 1)), 0, 255)
    images[:, 0, :3] = 7
    return images, labels


def test_duplicates_doubts_and_dead_pixels_are_found(clusters) -> None:
    images, labels = clusters
    images, labels = images.copy(), labels.copy()
    images[5] = images[2]  # the same image, and the same label
    images[6] = images[1]  # the same image under two labels
    labels[30] = (labels[30] + 1) % 3  # a wrong label
    test = np.concatenate([images[:1], images[[9]] + 1, images[100:118] // 2 + 60])
    tested = np.concatenate([labels[:1], labels[[9]], labels[100:118]])
    found = inspect(*made(images, labels, test, tested))
    exact = {(one.first.index, one.second.part, one.second.index, one.in_dispute) for one in found.exact}
    assert exact == {(2, "train", 5, False), (1, "train", 6, True), (0, "test", 0, False)}
    near = [
        (one.first.part, one.first.index, one.second.part, one.second.index)
        for one in found.near
        if one.across
    ]
    assert ("train", 9, "test", 1) in near
    assert [one.place.index for one in found.doubts if one.place.part == "train"][:1] == [30]
    assert found.doubts[0].agreeing >= 9
    assert int(found.constant.sum()) == 3
    assert found.train_counts == tuple(np.bincount(labels, minlength=3))
    told = json.loads(json.dumps(found.as_dict()))
    assert told["exact_duplicates"]["with_different_labels"] == 1
    assert told["exact_duplicates"]["across_train_and_test"] == 1
    assert told["classes"][2]["name"] == "cow"


def test_a_data_set_without_faults_has_none(clusters) -> None:
    images, labels = clusters
    found = inspect(*made(images[:90], labels[:90], images[90:], labels[90:]))
    assert (found.exact, found.near, found.doubts) == ((), (), ())


def test_a_handful_of_images_is_looked_at_all_the_same() -> None:
    """Fewer than ten neighbours tell nothing of labels."""
    images = np.random.default_rng(1).integers(0, 255, (6, 5, 5, 3))
    found = inspect(*made(images[:4], np.array([0, 1, 2, 0]), images[4:], np.array([1, 2])))
    assert found.doubts == () and found.compared == 6


@pytest.mark.long
def test_no_two_images_of_mnist_are_near_duplicates_and_it_takes_no_longer_than_said() -> None:
    """Its eights are all different images; the two nearest of any class are ones, 0.134 apart."""
    began = time.process_time()
    found = inspect(catalog.load("mnist"), MNIST)
    assert time.process_time() - began < 90
    assert (found.exact, found.near, found.compared) == ((), (), 70_000)
    assert 0.1 <= NEAR < 0.1336
    assert 50 < len(found.doubts) < 2000
    assert int(found.constant.sum()) == 67
