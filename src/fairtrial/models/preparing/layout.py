"""Strokes laid out as the images of a data set are: MNIST's way, and EMNIST's.

MNIST: the bilevel images of NIST were scaled to fit a box of 20 x 20 pixels with their aspect ratio preserved, grey where
a pixel is covered in part, and laid into 28 x 28 with the centre of mass of the pixels in the middle (LeCun, Cortes and
Burges, "The MNIST database of handwritten digits"; Bottou et al. 1994, "Comparison of classifier methods", ICPR 2:77).
With w the values and (i, j) the pixels from 0, the digit is moved by whole pixels until sum(w i) / sum(w) and
sum(w j) / sum(w) are both in [13.5, 14.5): so it is in every one of the 70,000 images.

EMNIST: the same with a box of 24 x 24 in the middle, whatever its mass (Cohen et al. 2017, arXiv:1702.05373).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fairtrial.models.preparing.paper import Floats
from fairtrial.models.preparing.regions import Mask, inner_distance, labelled, outer_distance

SIDE = 28
_CENTRE = 14
_WORKING = 200
"""Pixels of the longer side at which strokes are made thicker or thinner: ten for each of MNIST's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`thickness` of strokes in pixels of the result: thinner ones are made as thick, thicker ones as thin."""

    box: int
    by_mass: bool
    thickness: tuple[float, float]


MNIST = Layout(box=20, by_mass=True, thickness=(1.8, 3.6))
EMNIST = Layout(box=24, by_mass=False, thickness=(2.2, 4.4))


def laid_out(
    ink: Floats, layout: Layout
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int], tuple[str, ...]]:
    """The image (28, 28), the box (top, left, height, width) of what was drawn, and what was done."""
    top, left, height, width = box = box_of(ink > 0.5)
    shape = _large(ink[top : top + height, left : left + width])
    shape, done = _of_thickness(shape, layout)
    top, left, height, width = box_of(shape)
    shape = shape[top : top + height, left : left + width].astype(float)
    scale = layout.box / max(height, width)
    rows, columns = (max(1, round(one * scale)) for one in (height, width))
    small = averaged(shape, rows, columns)
    place = tuple(_start(small, axis, layout) for axis in (0, 1))
    image = np.zeros((SIDE, SIDE))
    image[place[0] : place[0] + rows, place[1] : place[1] + columns] = small
    done = (f"cropped to {box[3]} x {box[2]}", *done, f"scaled to {columns} x {rows}", "centred")
    return np.rint(255 * image).astype(np.uint8), box, done


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Top, left, height and width of what is in it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    return top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1


def averaged(image: Floats, rows: int, columns: int) -> Floats:
    """Each pixel is the mean of what it covers."""
    return _cover(image.shape[0], rows) @ image @ _cover(image.shape[1], columns).T


def _cover(before: int, after: int) -> Floats:
    """(after, before): the share of each pixel in each larger or smaller one."""
    edges = np.arange(after + 1) * before / after
    low = np.maximum(edges[:-1, None], np.arange(before)[None])
    high = np.minimum(edges[1:, None], np.arange(1, before + 1)[None])
    share = np.maximum(0.0, high - low)
    return share / share.sum(1, keepdims=True)


def _large(ink: Floats) -> Mask:
    """Bilevel, as NIST's images were, at a size where a pixel more or less of thickness is little."""
    padded = np.pad(ink, 1)
    height, width = ink.shape
    scale = _WORKING / max(height, width)
    rows, columns = (max(3, round(one * scale)) for one in (height, width))
    if scale < 1:
        return averaged(ink, rows, columns) > 0.5
    y = (np.arange(rows) + 0.5) * height / rows + 0.5
    x = (np.arange(columns) + 0.5) * width / columns + 0.5
    grown: Any = ndimage.map_coordinates(padded, np.meshgrid(y, x, indexing="ij"), order=1)
    mask = grown > 0.5
    return mask if mask.any() else grown >= grown.max()


def _of_thickness(shape: Mask, layout: Layout) -> tuple[Mask, tuple[str, ...]]:
    least, most = (one * max(shape.shape) / layout.box for one in layout.thickness)
    width = thickness(shape)
    if width < least:
        reach = (least - width) / 2
        padded = np.pad(shape, int(reach) + 2)
        return outer_distance(padded) <= reach, ("strokes thickened",)
    if width > most:
        reach = (width - most) / 2
        inside = inner_distance(shape)
        for share in (1.0, 0.75, 0.5, 0.25):
            thinner = inside > share * reach
            if thinner.any() and _parts(thinner) == _parts(shape):
                return thinner, ("strokes thinned",)
    return shape, ()


def thickness(shape: Mask) -> float:
    """Of strokes, in pixels: the mean distance to the edge of a band is a quarter of its width."""
    inside = inner_distance(shape)
    return 4 * float(inside[shape].mean()) - 1


def _parts(shape: Mask) -> tuple[int, int]:
    """How many shapes there are, and how many regions of paper around and in them."""
    return labelled(shape)[1], labelled(~np.pad(shape, 1), corners=False)[1]


def _start(small: Floats, axis: int, layout: Layout) -> int:
    length = small.shape[axis]
    if layout.by_mass:
        mass = small.sum(1 - axis)
        centre = float(mass @ np.arange(length) / mass.sum())
        start = int(np.floor(_CENTRE - centre + 0.5))
    else:
        start = (SIDE - length) // 2
    return min(max(start, 0), SIDE - length)
