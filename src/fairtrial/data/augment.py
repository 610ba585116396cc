"""How training images are moved, epoch by epoch: drawn for each image, wherever in a batch it comes to stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairtrial.data.streams import generator
from fairtrial.study.augment import Augment


def maps(
    augment: Augment, *, seed: int, epoch: int, images: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Where the pixels of every image come from in epoch number `epoch` (from 1): (images, 2, 3).

    The pixel in row y and column x of moved image i is what stands at ``maps[i] @ (y, x, 1)`` of the image as it
    is stored. Row i is the same however many `images` there are, and however far `augment` goes the same share of it
    is drawn: arms that differ in anything see one image moved alike. `shape` is (height, width).
    """
    if epoch < 1:
        raise ValueError(f"epochs are counted from 1, got {epoch}")
    drawn = 2 * generator(seed, "augment", epoch).random((images, 4)) - 1
    down, right = augment.shift * drawn[:, 0], augment.shift * drawn[:, 1]
    turn, size = np.deg2rad(augment.rotate) * drawn[:, 2], 1 + augment.zoom * drawn[:, 3]
    return affine(down, right, turn, size, shape=shape)


def affine(
    down: NDArray[np.float64],
    right: NDArray[np.float64],
    turn: NDArray[np.float64],
    size: NDArray[np.float64],
    *,
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """The maps of images scaled by `size` and turned by `turn` radians (to the left) about their centre, then shifted.

    All are of shape (images,); `down` and `right` in pixels. The result is (images, 2, 3), from where a pixel is to
    where it comes from.
    """
    middle = (np.array(shape) - 1) / 2
    cosine, sine = np.cos(turn) / size, np.sin(turn) / size
    linear = np.stack([np.stack([cosine, sine], axis=1), np.stack([-sine, cosine], axis=1)], axis=1)
    centre = middle + np.stack([down, right], axis=1)
    origin = middle - np.einsum("nij,nj->ni", linear, centre)
    return np.concatenate([linear, origin[:, :, None]], axis=2).astype(np.float32)
