"""Conversions that a study asks for: to grey or to colour, to another size, onto a background.

All in whole numbers, or in floating point that is exact: an image comes out the same, bit for bit, on every machine
and with every version of every library, and so does the fingerprint.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.arrays import Bytes
from fairtrial.images.facts import Background, Colour, Source
from fairtrial.images.idx import LARGEST_BYTES

_UNIT = 2**14
"""Weights of a scaling are multiples of 1 / _UNIT: products of them with bytes are exact in double precision."""

_AT_ONCE = 2048


def converted(images: Bytes, source: Source, *, what: str) -> tuple[Bytes, tuple[str, ...]]:
    """Images (n, height, width, 1, 3 or 4) as `source` wants them, and what was done.

    Raises DataError, which begins with `what`, for transparent images without a background, and for more bytes than
    are taken.
    """
    notes: tuple[str, ...] = ()
    height, width = source.size or images.shape[1:3]
    channels = {"grey": 1, "rgb": 3, None: min(images.shape[3], 3)}[source.colour]
    if len(images) * height * width * channels > LARGEST_BYTES:
        raise DataError(
            f"{what}: {len(images):,} images of {height} x {width} x {channels} are more than {LARGEST_BYTES:,} bytes; make "
            "them smaller with data.size, such as 64x64"
        )
    if images.shape[3] == 4:
        images, opaque = on_background(images, source.background, what=what)
        notes = (f"{what}: {'no image is transparent, and' if opaque else f'transparent images were laid on {source.background}, and'} "
                 "the fourth channel was left out",)  # fmt: skip
    if source.colour is not None:
        images = coloured(images, source.colour)
    if source.size is not None and images.shape[1:3] != source.size:
        before = f"{images.shape[1]} x {images.shape[2]}"
        images = scaled(images, source.size)
        notes = (*notes, f"{what}: images of {before} were scaled to {source.size[0]} x {source.size[1]}")
    return images, notes


def on_background(images: Bytes, background: Background | None, *, what: str) -> tuple[Bytes, bool]:
    """Images of four channels without the fourth, and whether they were opaque throughout."""
    opacity = images[..., 3:]
    if (opacity == 255).all():
        return np.ascontiguousarray(images[..., :3]), True
    if background is None:
        first = int(np.argmax((opacity != 255).any(axis=(1, 2, 3))))
        raise DataError(
            f"{what}: image {first} is transparent in places; say what shows through with data.background: black or white"
        )
    behind = 255 if background == "white" else 0
    made = np.empty((*images.shape[:3], 3), np.uint8)
    for begin in range(0, len(images), _AT_ONCE):
        part = images[begin : begin + _AT_ONCE].astype(np.uint32)
        share = part[..., 3:]
        made[begin : begin + _AT_ONCE] = (part[..., :3] * share + behind * (255 - share) + 127) // 255
    return made, False


def coloured(images: Bytes, colour: Colour) -> Bytes:
    """In one channel or in three. Grey is the luma of ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue."""
    if colour == "rgb":
        return images if images.shape[3] == 3 else np.repeat(images, 3, axis=3)
    if images.shape[3] == 1:
        return images
    made = np.empty((*images.shape[:3], 1), np.uint8)
    weights = np.array([299, 587, 114], np.uint32)
    for begin in range(0, len(images), _AT_ONCE):
        part = images[begin : begin + _AT_ONCE].astype(np.uint32)
        made[begin : begin + _AT_ONCE, ..., 0] = ((part * weights).sum(axis=3, dtype=np.uint32) + 500) // 1000
    return made


def scaled(images: Bytes, size: tuple[int, int]) -> Bytes:
    """Scaled to `size` (height, width), stretched where the shape is another.

    Each pixel is a mean of those around its place, weighted by a triangle as wide as one pixel of the coarser grid
    is: what is made smaller is averaged, what is made larger interpolated.
    """
    count, height, width, channels = images.shape
    down, across = _weights(height, size[0]), _weights(width, size[1])
    made = np.empty((count, *size, channels), np.uint8)
    step = max(1, _AT_ONCE * 1024 // (max(height, size[0]) * max(width, size[1]) * channels))
    for begin in range(0, count, step):
        part = images[begin : begin + step].astype(np.float64)
        # Sums of whole numbers below 2**53 are exact in any order, however the products are computed.
        part = np.einsum("yh,nhwc->nywc", down, part, optimize=True)
        part = np.einsum("xw,nywc->nyxc", across, part, optimize=True)
        made[begin : begin + step] = np.floor(part / (_UNIT * _UNIT) + 0.5)
    return made


@lru_cache(maxsize=256)
def _weights(before: int, after: int) -> NDArray[np.float64]:
    """(after, before) whole numbers, each row adding up to _UNIT."""
    ratio = before / after
    reach = max(ratio, 1.0)
    centres = (np.arange(after)[:, None] + 0.5) * ratio - 0.5
    raw = np.maximum(0.0, 1 - np.abs(np.arange(before)[None, :] - centres) / reach)
    whole = np.floor(raw / raw.sum(axis=1, keepdims=True) * _UNIT + 0.5)
    # What rounding leaves over goes to the largest weight: white stays white.
    whole[np.arange(after), whole.argmax(axis=1)] += _UNIT - whole.sum(axis=1)
    return whole
