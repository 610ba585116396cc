"""The nearest images are the nearest, however few of all pairs are compared pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from fairtrial.data.neighbours import neighbours, projection


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Blurred noise: images whose distances differ widely, as those of pictures do."""
    rng = np.random.default_rng(1)
    coarse = rng.normal(size=(700, 7, 5, 3)) @ np.diag([3.0, 1.0, 0.2])
    fine = np.kron(coarse, np.ones((1, 4, 6, 1))) + rng.normal(scale=0.1, size=(700, 28, 30, 3))
    return np.clip(128 + 20 * fine, 0, 255).astype(np.uint8)


def all_pairs(images: np.ndarray) -> np.ndarray:
    """Relative distances as they are defined, one by one."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    length = np.linalg.norm(flat - flat.mean(axis=1, keepdims=True), axis=1)
    apart = np.linalg.norm(flat[:, None] - flat[None, :], axis=2)
    return apart / ((length[:, None] + length[None, :]) / 2)


def test_the_nearest_of_each_image_is_found_with_its_distance(images: np.ndarray) -> None:
    few = images[:120]
    whole = all_pairs(few)
    np.fill_diagonal(whole, np.inf)
    found = neighbours(few)
    assert found.indices.shape == (120, 10)
    assert np.allclose(np.take_along_axis(whole, found.indices, axis=1), found.distances, atol=1e-4)
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert (found.indices[:, 0] == whole.argmin(axis=1)).mean() > 0.9
    assert not (found.indices == np.arange(120)[:, None]).any()


def test_a_projection_never_makes_two_images_farther_apart(images: np.ndarray) -> None:
    """What is far apart in the projection needs no second look: nothing near is missed."""
    points = projection(images[:200]).astype(np.float64)
    flat = images[:200].reshape(200, -1).astype(np.float64)
    for one in range(0, 200, 7):
        apart = np.linalg.norm(flat - flat[one], axis=1)
        assert (np.linalg.norm(points - points[one], axis=1) <= apart * (1 + 1e-5) + 1e-2).all()


def test_nearly_the_same_image_is_found_among_many(images: np.ndarray) -> None:
    """In blocks and groups of columns, in the last one of which most are empty."""
    copy = images[[3, 650]].astype(int) + np.random.default_rng(2).integers(-2, 3, (2, 28, 30, 3))
    found = neighbours(np.concatenate([images, np.clip(copy, 0, 255).astype(np.uint8)]), radius=0.1)
    assert found.indices[[3, 650, 700, 701], 0].tolist() == [700, 701, 3, 650]
    assert found.sure.all()


def test_three_images_have_two_neighbours_each() -> None:
    few = np.zeros((3, 4, 4, 1), np.uint8)
    few[1, 0], few[2, 0, 0] = 9, 200
    assert sorted(neighbours(few).indices[0].tolist()) == [1, 2]


def test_images_without_any_contrast_have_distances(images: np.ndarray) -> None:
    flat = np.repeat(np.arange(20, dtype=np.uint8)[:, None], 64, axis=1).reshape(20, 8, 8, 1)
    assert np.isfinite(neighbours(flat).distances).all()
