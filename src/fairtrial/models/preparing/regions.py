"""Regions of a mask that hang together, each with a number from 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
Place = tuple[slice, slice]

AROUND = np.ones((3, 3), bool)
"""All eight neighbours: strokes hang together over corners as well."""


def labelled(mask: Mask, *, corners: bool = True) -> tuple[Labels, int]:
    """The number of each pixel's region, 0 outside, and how many there are."""
    found: Any = ndimage.label(mask, AROUND if corners else None)
    return found[0], int(found[1])


def places_of(labels: Labels) -> list[Place]:
    """The box of each region, in the order of their numbers."""
    found: Any = ndimage.find_objects(labels)
    return list(found)


def sides_of(place: Place) -> tuple[int, int]:
    return place[0].stop - place[0].start, place[1].stop - place[1].start


def inner_distance(mask: Mask) -> NDArray[np.float64]:
    """How far each pixel of the mask is from what is not in it; there is nothing of it beyond its edges."""
    found: Any = ndimage.distance_transform_edt(np.pad(mask, 1))
    return found[1:-1, 1:-1]


def outer_distance(mask: Mask) -> NDArray[np.float64]:
    """How far each pixel outside the mask is from it."""
    found: Any = ndimage.distance_transform_edt(~mask)
    return found
