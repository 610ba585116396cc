"""A picture as a model's input: laid out as its training images were, or scaled and nothing else; and what was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.images.converting import coloured, on_background, scaled
from fairtrial.images.facts import Background
from fairtrial.models.preparing.layout import EMNIST, MNIST, SIDE, Layout, box_of, laid_out
from fairtrial.models.preparing.paper import Invert, contrast
from fairtrial.models.preparing.strokes import strokes

Bytes = NDArray[np.uint8]
Preparation = str
"""`mnist`, `emnist` or `resize`."""

WORKING_SIDE = 640
"""Pixels of the longer side, on which strokes are looked for."""
LAYOUTS: dict[str, Layout] = {"mnist": MNIST, "emnist": EMNIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """`image` (height, width, channels) is what the network sees. `box` is (top, left, height, width) in the picture as read."""

    image: Bytes
    blank: bool = False
    inverted: bool = False
    box: tuple[int, int, int, int] | None = None
    done: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def prepared(
    pixels: Bytes,
    *,
    preparation: Preparation,
    shape: tuple[int, int, int],
    invert: Invert = "auto",
    light_on_dark: bool = False,
    background: Background | None = None,
) -> Prepared:
    """Of a picture (height, width, 1, 3 or 4), for images of `shape`.

    With a layout `invert` says whether the drawing is darker than its paper; `auto` finds out. Without one it says whether
    to turn black into white, and `auto` does where `light_on_dark`, if the picture's edges are light.
    """
    if preparation in LAYOUTS:
        return _drawn(pixels, LAYOUTS[preparation], invert)
    return _resized(pixels, shape, invert, light_on_dark, background)


def _drawn(pixels: Bytes, layout: Layout, invert: Invert) -> Prepared:
    opaque, done = _opaque(pixels, None)
    grey = coloured(opaque[np.newaxis], "grey")[0, ..., 0]
    for inverted in (False, True):
        image = 255 - grey if inverted else grey
        allowed = {"auto": True, "yes": inverted, "no": not inverted}[invert]
        if allowed and is_laid_out(image, layout):
            word = "inverted" if inverted else "as it is"
            return Prepared(
                image=image[..., np.newaxis], inverted=inverted, box=box_of(image > 0), done=(*done, word)
            )
    step = -(-max(grey.shape) // WORKING_SIDE)
    found = contrast(_blocks(opaque.astype(np.float64), step), invert=invert)
    drawn = strokes(found.values)
    if drawn is None:
        return Prepared(
            image=np.zeros((SIDE, SIDE, 1), np.uint8),
            blank=True,
            done=done,
            doubts=("nothing is drawn on it",),
        )
    image, (top, left, height, width), laid = laid_out(drawn.ink, layout)
    peeled = ("frame removed",) if found.peeled and "frame removed" not in drawn.done else ()
    inverted = ("inverted",) if found.dark else ()
    box = (top + found.within[0].start, left + found.within[1].start, height, width)
    top, left, height, width = (one * step for one in box)
    laid = tuple(one if not one.startswith("cropped") else f"cropped to {width} x {height}" for one in laid)
    return Prepared(
        image=image[..., np.newaxis],
        inverted=found.dark,
        box=(top, left, height, width),
        done=(*done, *inverted, *peeled, *drawn.done, *laid),
        doubts=drawn.doubts,
    )


def is_laid_out(image: Bytes, layout: Layout) -> bool:
    """Whether a grey image is as those of the data set are.

    All of MNIST's are black for a half, 19 or 20 pixels long, and have their mass in the middle; EMNIST's have black
    around them, and their box in the middle.
    """
    if image.shape != (SIDE, SIDE) or not image.any():
        return False
    top, left, height, width = box_of(image > 0)
    if not layout.by_mass:
        middle = 2 * top + height - SIDE, 2 * left + width - SIDE
        within = min(top, left, SIDE - top - height, SIDE - left - width) >= 1
        return within and max(height, width) >= layout.box - 3 and max(map(abs, middle)) <= 2
    mass = image.astype(np.float64)
    places = np.arange(SIDE)
    centre = [float((mass.sum(1 - axis) * places).sum() / mass.sum()) for axis in (0, 1)]
    black = (image == 0).mean() >= 0.5
    return bool(black) and max(height, width) in (19, 20) and all(13.4 < one < 14.6 for one in centre)


def _resized(
    pixels: Bytes,
    shape: tuple[int, int, int],
    invert: Invert,
    light_on_dark: bool,
    background: Background | None,
) -> Prepared:
    opaque, done = _opaque(pixels, background)
    image = opaque[np.newaxis]
    if opaque.shape[2] != shape[2]:
        image = coloured(image, "grey" if shape[2] == 1 else "rgb")
        done = (*done, "made grey" if shape[2] == 1 else "made RGB")
    if image.shape[1:3] != shape[:2]:
        image = scaled(image, shape[:2])
        done = (*done, f"scaled to {shape[1]} x {shape[0]}")
    edges = np.concatenate([image[0, 0], image[0, -1], image[0, :, 0], image[0, :, -1]])
    inverted = invert == "yes" or (invert == "auto" and light_on_dark and float(np.median(edges)) > 127)
    if inverted:
        image, done = 255 - image, ("inverted", *done)
    doubts = ("every pixel of it is alike",) if int(image.max()) - int(image.min()) < 4 else ()
    return Prepared(image=image[0], inverted=inverted, done=done or ("as it is",), doubts=doubts)


def _opaque(pixels: Bytes, background: Background | None) -> tuple[Bytes, tuple[str, ...]]:
    """Transparent pictures on the background asked for, else on the one that what is opaque stands out from."""
    if pixels.shape[2] != 4:
        return pixels, ()
    if (pixels[..., 3] == 255).all():
        return np.ascontiguousarray(pixels[..., :3]), ()
    if background is None:
        share = pixels[..., 3].astype(np.float64)
        luma = coloured(np.ascontiguousarray(pixels[np.newaxis, ..., :3]), "grey")[0, ..., 0]
        mean = float((luma * share).sum() / share.sum()) if share.any() else 0.0
        background = "black" if mean > 127 else "white"
    laid, _ = on_background(pixels[np.newaxis], background, what="")
    return laid[0], (f"laid on {background}",)


def _blocks(picture: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Means of square blocks; what is left over at the lower and right edges is left out."""
    if step == 1:
        return picture
    rows, columns = picture.shape[0] // step, picture.shape[1] // step
    if not (rows and columns):
        return picture
    part = picture[: rows * step, : columns * step]
    return part.reshape(rows, step, columns, step, part.shape[2]).mean((1, 3))
