"""What `check` says of images that occur twice, and when it refuses a test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fairtrial.data import catalog
from fairtrial.data.catalog import Dataset
from fairtrial.data.heldout import image_findings
from fairtrial.data.split import split
from fairtrial.errors import DataError, StudyError
from fairtrial.images.facts import MNIST, DatasetFacts
from fairtrial.study.schema import DataSettings, Study
from fairtrial.study.studyfile import study_from_dict


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    return catalog.load("mnist")


@pytest.fixture
def study() -> Study:
    return study_from_dict({"schema": "fairtrial/1", "name": "one", "arms": {"plain": {}}})


def giving(dataset: Dataset) -> Callable[[DatasetFacts], Dataset]:
    return lambda _: dataset


def with_test(mnist: Dataset, count: int) -> Dataset:
    """MNIST whose first `count` test images are training images."""
    images = mnist.test_images.copy()
    images[:count] = mnist.train_images[-count:] if count else images[:0]
    return replace(mnist, test_images=images)


def test_a_data_set_without_duplicates_is_said_to_have_none(study: Study, mnist: Dataset) -> None:
    """Silence could mean that nobody looked."""
    (found,) = image_findings(study, load=giving(mnist))
    assert (found.kind, found.arm, found.question) == ("images", None, None)
    assert found.message == (
        "data set mnist: no image occurs twice within or across training, validation and test images "
        "(60,000 and 10,000 compared by content)"
    )


def test_a_test_set_that_is_used_as_validation_is_refused(study: Study, mnist: Dataset) -> None:
    """Its images under other indices are still its images: what it says has been chosen by it."""
    copied = replace(mnist, train_images=np.concatenate([mnist.train_images[:50_000], mnist.test_images]))
    with pytest.raises(DataError, match=r"10000 of its 10000 test images .* a test set used as validation"):
        image_findings(study, load=giving(copied))
    with pytest.raises(DataError, match="5000 of its 10000"):
        image_findings(study, load=giving(with_test(mnist, 5000)))


def test_some_test_images_among_the_others_are_a_leak_with_their_number(study: Study, mnist: Dataset) -> None:
    """A few can be lived with, if they are known."""
    (found,) = image_findings(study, load=giving(with_test(mnist, 12)))
    assert found.kind == "leak"
    assert "12 of the 10000 test images occur among those that are trained and validated on" in found.message


def test_repeated_training_images_are_counted_where_the_split_lets_them_through(
    study: Study, mnist: Dataset
) -> None:
    """A copy on the other side of the split is validated on after it was trained on."""
    drawn = split(DataSettings(), seed=1)
    images = mnist.train_images.copy()
    images[drawn.validation[:3]] = images[drawn.pool[:3]]
    images[drawn.pool[10]] = images[drawn.pool[11]]
    (found,) = image_findings(study, load=giving(replace(mnist, train_images=images)))
    assert found.kind == "leak"
    assert "images of the training set that repeat another of it, byte for byte: 4; " in found.message
    assert "with seed 1 3 of the 6000 validation images are trained on as well" in found.message


def test_repeated_test_images_are_no_leak_but_said(study: Study, mnist: Dataset) -> None:
    """They count twice in every test accuracy."""
    images = mnist.test_images.copy()
    images[1] = images[0]
    (found,) = image_findings(study, load=giving(replace(mnist, test_images=images)))
    assert (found.kind, "repeat another of it: 1" in found.message) == ("images", True)


def test_two_arms_of_one_data_set_are_looked_at_once(mnist: Dataset) -> None:
    """Seventy thousand images are hashed once, however many arms learn from them."""
    opened: list[DatasetFacts] = []

    def load(facts: DatasetFacts) -> Dataset:
        opened.append(facts)
        return mnist

    both = study_from_dict(
        {
            "schema": "fairtrial/1",
            "name": "two",
            "arms": {"a": {}, "b": {"data.train": 1000}, "c": {"epochs": 1}},
        }
    )
    assert len(image_findings(both, load=load)) == 1
    assert opened == [MNIST]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("data.validation", "test"), ("data.validation", "test_set"), ("early_stopping.monitor", "test_loss")],
)
def test_a_study_file_cannot_ask_to_validate_on_the_test_set(setting: str, value: str) -> None:
    """ "Must be a whole number" would leave the reader looking for the right number."""
    with pytest.raises(StudyError) as refused:
        study_from_dict({"schema": "fairtrial/1", "name": "leak", "arms": {"a": {setting: value}}})
    (mistake,) = refused.value.mistakes
    assert (
        f"{setting}: the test set steers nothing and is never validated on, got {value!r}" in mistake.message
    )
