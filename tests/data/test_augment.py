"""How images are moved: drawn for the image, the epoch and the seed, and for nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from fairtrial.data.augment import affine, maps
from fairtrial.study.augment import Augment

ALL = Augment(shift=2, rotate=10, zoom=0.1)
PICTURE = (28, 28)


def drawn(augment: Augment = ALL, *, seed: int = 1, epoch: int = 1, images: int = 1000) -> np.ndarray:
    return maps(augment, seed=seed, epoch=epoch, images=images, shape=PICTURE)


def test_the_same_seed_and_epoch_move_an_image_alike_and_others_do_not():
    """A resumed trial begins an epoch anew and must see what it saw."""
    assert np.array_equal(drawn(), drawn())
    for other in (drawn(seed=2), drawn(epoch=2)):
        assert (np.abs(other - drawn()).max(axis=(1, 2)) > 0).all()


def test_how_an_image_moves_does_not_depend_on_how_many_there_are():
    """The number belongs to the image: a data set that has grown moves its first images as before."""
    assert np.array_equal(drawn(images=10), drawn(images=1000)[:10])


def test_twice_as_far_is_twice_as_far_for_every_image():
    """Arms that differ in one amount differ in that alone: the same images, turned further, shifted as before."""
    near, far = drawn(Augment(rotate=5)), drawn(Augment(rotate=10, shift=3))
    turned = [np.arctan2(one[:, 0, 1], one[:, 0, 0]) for one in (near, far)]
    assert turned[1] == pytest.approx(2 * turned[0], abs=1e-6)
    once, twice = drawn(Augment(shift=1)), drawn(Augment(shift=2))
    assert np.allclose(2 * once[:, :, 2], twice[:, :, 2], atol=1e-6)


def test_each_amount_is_uniform_within_its_bounds_and_apart_from_the_others():
    """Bounds that are never reached, or one number for two amounts, would be another augmentation."""
    moved = drawn(Augment(shift=2), images=60_000)
    assert np.array_equal(moved[:, :, :2], np.broadcast_to(np.eye(2, dtype=np.float32), (60_000, 2, 2)))
    scaled = drawn(Augment(zoom=0.25, rotate=90), images=60_000)
    size = 1 / np.hypot(scaled[:, 0, 0], scaled[:, 0, 1])
    turn = np.rad2deg(np.arctan2(scaled[:, 0, 1], scaled[:, 0, 0]))
    amounts = np.stack([-moved[:, 0, 2] / 2, -moved[:, 1, 2] / 2, turn / 90, (size - 1) / 0.25])
    assert np.abs(amounts).max() <= 1 + 1e-5
    for amount in amounts:
        assert np.quantile(amount, [0.0, 0.25, 0.5, 0.75, 1.0]) == pytest.approx(
            [-1, -0.5, 0, 0.5, 1], abs=0.02
        )
    assert np.abs(np.corrcoef(amounts) - np.eye(4)).max() < 4.5 / np.sqrt(60_000)


def test_the_first_image_of_the_first_seed_moves_as_it_always_did():
    """Stored outcomes hang on these: change them only with a new engine version."""
    expected = [[0.9423615, -0.0458811, 1.8553685], [0.0458811, 0.9423615, 1.3586118]]
    assert drawn(images=1)[0] == pytest.approx(np.array(expected), abs=1e-5)


def test_an_image_is_scaled_and_turned_about_its_centre_and_shifted_then():
    """Half a pixel off, and every rotation would be a shift as well."""
    one = np.ones(1)
    turned = affine(0 * one, 0 * one, 0.3 * one, 1.2 * one, shape=(20, 31))[0]
    assert turned @ (9.5, 15, 1) == pytest.approx([9.5, 15], abs=1e-5)
    shifted = affine(2 * one, -3 * one, 0.3 * one, 1.2 * one, shape=(20, 31))[0]
    assert shifted @ (11.5, 12, 1) == pytest.approx([9.5, 15], abs=1e-5)
    # Turned to the left: what is at the top was at the right.
    left = affine(0 * one, 0 * one, np.pi / 2 * one, one, shape=(21, 21))[0]
    assert left @ (0, 10, 1) == pytest.approx([10, 20], abs=1e-5)


def test_epochs_are_counted_from_one():
    """Epoch 0 would be a stream that no training has."""
    with pytest.raises(ValueError, match="counted from 1"):
        drawn(epoch=0)
