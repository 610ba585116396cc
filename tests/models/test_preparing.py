"""What was drawn comes out as MNIST's images are, wherever it stood, whichever way round, and whatever lay on it."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fairtrial.data import catalog
from fairtrial.images.converting import scaled
from fairtrial.models.preparing.layout import MNIST, box_of
from fairtrial.models.preparing.prepared import Prepared, is_laid_out, prepared

pytest.importorskip("PIL")
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from drawn_digits import SPOILT, cropped, drawn  # pyright: ignore[reportMissingImports]

Bytes = np.ndarray
SHAPE = (28, 28, 1)


def as_mnist(pixels: Bytes, invert: str = "auto") -> Prepared:
    return prepared(pixels, preparation="mnist", shape=SHAPE, invert=invert)  # pyright: ignore[reportArgumentType]


@cache
def plain(digit: int, seed: int) -> Bytes:
    """Black on white, about half as large as it was drawn, in the upper left corner of 260 x 260 pixels."""
    canvas = np.full((260, 260, 3), 255, np.uint8)
    pixels = np.ascontiguousarray(drawn(digit, seed, plain=True).pixels[::2, ::2])
    top, left, height, width = box_of(pixels[..., 0] < 255)
    canvas[:height, :width] = pixels[top : top + height, left : left + width]
    return canvas


@settings(max_examples=80, deadline=None)
@given(
    pixels=arrays.arrays(
        np.uint8,
        st.tuples(st.integers(1, 50), st.integers(1, 50), st.sampled_from([1, 3, 4])),
        elements=st.sampled_from([0, 1, 9, 100, 128, 254, 255]) | st.integers(0, 255),
    ),
    preparation=st.sampled_from(["mnist", "emnist", "resize"]),
    invert=st.sampled_from(["auto", "yes", "no"]),
)
def test_whatever_is_given_an_image_comes_out(pixels: Bytes, preparation: str, invert: str) -> None:
    """A picture may hold anything: noise, one pixel, one colour, nothing that is opaque."""
    found = prepared(pixels, preparation=preparation, shape=SHAPE, invert=invert)  # pyright: ignore[reportArgumentType]
    assert found.image.shape == SHAPE and found.image.dtype == np.uint8
    assert found.blank == (preparation != "resize" and not found.image.any())
    if found.box is not None:
        top, left, height, width = found.box
        assert 0 <= top < top + height <= pixels.shape[0] and 0 <= left < left + width <= pixels.shape[1]


@settings(max_examples=12, deadline=None)
@given(digit=st.integers(0, 9), seed=st.integers(0, 3), down=st.integers(1, 25), right=st.integers(1, 25))
def test_where_it_stands_and_which_way_round_it_is_change_nothing(
    digit: int, seed: int, down: int, right: int
) -> None:
    """The same strokes elsewhere on the sheet, and chalk instead of ink, are the same digit, pixel by pixel."""
    first = as_mnist(np.roll(plain(digit, seed), (5, 3), (0, 1)))
    moved = np.roll(plain(digit, seed), (down, right), (0, 1))
    again, turned = as_mnist(moved), as_mnist(255 - moved)
    assert np.abs(first.image.astype(int) - again.image).max() <= 1
    assert np.abs(again.image.astype(int) - turned.image).max() <= 1
    assert first.inverted and again.inverted and not turned.inverted
    assert first.box is not None and again.box is not None
    assert (again.box[0] - first.box[0], again.box[1] - first.box[1]) == (down - 5, right - 3)


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_is_laid_out_as_mnist_is(digit: int) -> None:
    """20 pixels in the longer direction with its proportions kept, and its centre of mass within half a pixel of (14, 14)."""
    found = as_mnist(plain(digit, 1))
    image = found.image[..., 0].astype(float)
    _, _, height, width = box_of(image > 0)
    assert found.box is not None
    assert max(height, width) == 20
    assert abs(width / height - found.box[3] / found.box[2]) < 0.2
    centre = [(image.sum(1 - axis) * np.arange(28)).sum() / image.sum() for axis in (0, 1)]
    assert all(13.5 <= one < 14.5 for one in centre)
    assert 25 < image.sum() / 255 < 200  # as much ink as nearly all of MNIST's have
    assert image.max() > 250


def test_every_image_of_mnist_passes_unchanged_and_so_does_its_negative() -> None:
    """An image that is laid out already is what the network was tested on; to lay it out again would change it."""
    images = catalog.load("mnist").test_images
    assert all(is_laid_out(one[..., 0], MNIST) for one in images)
    for one in images[:200]:
        kept, turned = as_mnist(one), as_mnist(255 - one)
        assert np.array_equal(kept.image, one) and np.array_equal(turned.image, one)
        assert not kept.inverted and turned.inverted


def test_small_pictures_that_are_not_laid_out_are() -> None:
    """A digit moved to a corner, or a grey image with noise in it, is 28 x 28 as well."""
    one = catalog.load("mnist").test_images[0]
    top, left, height, width = box_of(one[..., 0] > 0)
    corner = np.zeros_like(one)
    corner[:height, :width] = one[top : top + height, left : left + width]
    assert not is_laid_out(corner[..., 0], MNIST)
    found = as_mnist(corner).image
    assert _likeness(found, one) > 0.9


@cache
def _neighbours() -> tuple[Bytes, Bytes]:
    data = catalog.load("mnist")
    images = data.train_images[:4000].reshape(4000, -1).astype(np.float32)
    return images / np.linalg.norm(images, axis=1, keepdims=True), data.train_labels[:4000]


def _nearest(images: list[Bytes]) -> Bytes:
    """What the most similar image of training is: no network, and nothing to train."""
    known, labels = _neighbours()
    rows = np.stack(images).reshape(len(images), -1).astype(np.float32)
    return labels[(known @ rows.T).argmax(0)]


def _likeness(one: Bytes, other: Bytes) -> float:
    """The correlation of two images, one of which may stand a pixel beside the other."""
    near = [np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(one.ravel().astype(float), moved.ravel())[0, 1]) for moved in near)


def test_drawn_digits_are_recognised_in_noise_dirt_and_slanting_light() -> None:
    """Colours, chalk and ink, thin and thick brushes, off the middle; scaled alone, hardly one is recognised."""
    digits = [(digit, drawn(digit, seed).pixels) for seed in range(500, 502) for digit in range(10)]
    truth = np.array([digit for digit, _ in digits])
    found = _nearest([as_mnist(one).image for _, one in digits])
    alone = _nearest([prepared(one, preparation="resize", shape=SHAPE).image for _, one in digits])
    assert (found == truth).mean() >= 0.9
    assert (alone == truth).mean() < 0.4


@pytest.mark.parametrize("what", list(SPOILT))
def test_what_lies_on_or_around_it_changes_little(what: str) -> None:
    """Each against the same drawing as it was."""
    for digit, seed in ((3, 601), (7, 602), (4, 603), (0, 604)):
        pixels = drawn(digit, seed, plain=True).pixels
        before, after = as_mnist(pixels), as_mnist(SPOILT[what](pixels))
        assert _likeness(before.image, after.image) > 0.8, (digit, after.done)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_sheet_is_blank_however_it_is_lit(level: int) -> None:
    """Noise, dirt and a shade are no digit; a network would name one all the same."""
    rng = np.random.default_rng(1)
    sheet = np.full((200, 300, 1), level, np.uint8)
    grainy = (sheet + rng.normal(0, 12, sheet.shape)).clip(0, 255).astype(np.uint8)
    dirty = np.where(rng.random(sheet.shape) < 0.02, 255 - level, sheet).astype(np.uint8)
    shaded = (np.linspace(0.6, 1, 300)[None, :, None] * (sheet * 0.8 + 40)).astype(np.uint8)
    for one in (sheet, grainy, dirty, shaded):
        found = as_mnist(one)
        assert found.blank and "nothing is drawn" in found.doubts[0]


def test_two_digits_are_doubted() -> None:
    """A model answers for one digit; whoever gives it two should hear of it."""
    both = np.concatenate([cropped(plain(3, 1)), np.full((260, 150, 3), 255, np.uint8)[: cropped(plain(3, 1)).shape[0]],
                           cropped(plain(3, 1))], axis=1)  # fmt: skip
    assert "far apart" in as_mnist(np.pad(both, ((20, 20), (20, 20), (0, 0)), constant_values=255)).doubts[0]


def test_which_way_round_it_is_can_be_said() -> None:
    """Told that the drawing is the lighter part, what is dark is paper."""
    pixels = plain(0, 1)
    assert as_mnist(pixels, "yes").inverted and not as_mnist(pixels, "no").inverted
    assert np.array_equal(as_mnist(pixels, "yes").image, as_mnist(pixels).image)


def test_emnist_is_laid_out_by_its_own_rule() -> None:
    """A box of 24 x 24 in the middle of the image."""
    image = prepared(plain(7, 2), preparation="emnist", shape=SHAPE).image[..., 0]
    top, left, height, width = box_of(image > 0)
    assert max(height, width) == 24
    assert abs(2 * top + height - 28) <= 1 and abs(2 * left + width - 28) <= 1
    again = prepared(image[..., np.newaxis], preparation="emnist", shape=SHAPE)
    assert np.array_equal(again.image[..., 0], image) and again.done == ("as it is",)


def test_other_images_are_scaled_as_those_of_training_were_and_nothing_else() -> None:
    """Byte for byte what `data.size` and `data.colour` make of a folder's pictures."""
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)
    found = prepared(picture, preparation="resize", shape=(32, 24, 3))
    assert np.array_equal(found.image, scaled(picture[None], (32, 24))[0])
    assert found.done == ("scaled to 24 x 32",) and not found.inverted
    grey = prepared(picture, preparation="resize", shape=(50, 40, 1))
    assert np.array_equal(
        grey.image[..., 0], ((picture.astype(int) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)
    )


def test_pictures_of_light_things_on_dark_are_turned_only_where_the_model_was_trained_on_such() -> None:
    """A shirt on a white wall is dark on light; a photograph of a plane in the sky is as it should be."""
    shirt = np.full((60, 60, 1), 240, np.uint8)
    shirt[20:40, 20:40] = 30
    told = {"preparation": "resize", "shape": SHAPE}
    assert prepared(shirt, light_on_dark=True, **told).inverted  # pyright: ignore[reportArgumentType]
    assert not prepared(255 - shirt, light_on_dark=True, **told).inverted  # pyright: ignore[reportArgumentType]
    assert not prepared(shirt, **told).inverted  # pyright: ignore[reportArgumentType]
    assert not prepared(shirt, light_on_dark=True, invert="no", **told).inverted  # pyright: ignore[reportArgumentType]
