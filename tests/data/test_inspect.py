"""Images that occur twice are found wherever they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fairtrial.data import catalog
from fairtrial.data.inspect import duplicates

few_different = arrays.arrays(np.uint8, st.tuples(st.integers(0, 12), st.just(1), st.just(2), st.just(1)),
                              elements=st.integers(0, 1))  # fmt: skip


@given(few_different, few_different)
def test_every_repetition_is_found_once_beside_its_first_occurrence(train, test):
    """Against the definition: compare every image with every other."""
    for found in duplicates({"train": train, "test": test}):
        first, second = ({"train": train, "test": test}[part] for part in (found.first, found.second))
        expected = []
        for index, image in enumerate(second):
            earlier = first[:index] if found.first == found.second else first
            equal = [place for place, other in enumerate(earlier) if (other == image).all()]
            if equal:
                expected.append([equal[0], index])
        assert found.pairs.tolist() == expected
        assert found.count == len(expected)


def test_each_pair_of_parts_is_reported():
    """Also those without a duplicate, so that silence is not mistaken for an answer."""
    one = np.zeros((1, 2, 2, 1), np.uint8)
    found = duplicates({"train": one, "validation": one, "test": one})
    assert [(each.first, each.second, each.count) for each in found] == [
        ("train", "train", 0),
        ("train", "validation", 1),
        ("train", "test", 1),
        ("validation", "validation", 0),
        ("validation", "test", 1),
        ("test", "test", 0),
    ]


def test_mnist_holds_no_image_twice():
    """A fact of the data set our fixed splits rely on: no test image was trained on in disguise."""
    mnist = catalog.load("mnist")
    found = duplicates({"train": mnist.train_images, "test": mnist.test_images})
    assert [each.count for each in found] == [0, 0, 0]
