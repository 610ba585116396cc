"""Forms that are drawn round a digit or under it and are none of it: frames, and the lines of paper."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from fairtrial.models.preparing.regions import Mask, Place, inner_distance, labelled, places_of, sides_of

_LEAST_SIDE = 40
"""Pixels of a picture in which lines can be told from strokes."""


def without_frames(mask: Mask) -> tuple[Mask, bool]:
    """Without what runs along the edges, or around everything, provided that something else is left."""
    mask, peeled = _without_edges(mask)
    labels, count = labelled(mask)
    if count < 2:
        return mask, peeled
    places = places_of(labels)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(float)
    sides = np.array([max(sides_of(one)) for one in places], float)
    frames = np.zeros(count + 1, bool)
    for number in np.flatnonzero(sides >= 0.3 * max(mask.shape)):
        others = ~frames[1:] & (sides >= 0.1 * sides[number]) & (areas >= 0.02 * areas[number])
        others[number] = False
        frames[number + 1] = others.any() and _is_frame(labels == number + 1, places[number])
    return mask & ~frames[labels], peeled or bool(frames.any())


def _without_edges(mask: Mask) -> tuple[Mask, bool]:
    """Where at least three edges are lined with ink: without these lines, even where strokes touch them."""
    if min(mask.shape) < _LEAST_SIDE:
        return mask, False
    depth = [_lined(one) for one in (mask, mask[::-1], mask.T, mask.T[::-1])]
    if sum(one > 0 for one in depth) < 3:
        return mask, False
    top, bottom, left, right = depth
    inner = np.zeros_like(mask)
    rows, columns = slice(top, mask.shape[0] - bottom), slice(left, mask.shape[1] - right)
    inner[rows, columns] = mask[rows, columns]
    return (inner, True) if inner.sum() > 0.02 * mask.sum() else (mask, False)


def _lined(mask: Mask) -> int:
    """How many rows from the top are nearly all ink."""
    most = mask.shape[0] // 6
    full = mask[:most].mean(1) > 0.85
    return 0 if not full[0] else most if full.all() else int(full.argmin()) + 1


def _is_frame(shape: Mask, place: Place) -> bool:
    """Whether it runs along an edge for long, or around the picture with nothing in the middle."""
    height, width = shape.shape
    along = max(shape[0].mean(), shape[-1].mean(), shape[:, 0].mean(), shape[:, -1].mean())
    if along > 0.4:
        return True
    tall, wide = sides_of(place)
    if tall < 0.6 * height or wide < 0.6 * width:
        return False
    part = shape[place]
    inside = part[tall // 8 : tall - tall // 8, wide // 8 : wide - wide // 8]
    lined = sum(one.any(axis).mean() > 0.9 for one, axis in (
        (part[: tall // 8 + 1], 0), (part[-tall // 8 :], 0), (part[:, : wide // 8 + 1], 1), (part[:, -wide // 8 :], 1),
    ))  # fmt: skip
    # A large 0 goes round as well, but fills no corner.
    reach = max(2, tall // 20), max(2, wide // 20)
    corners = sum(
        bool(part[rows, columns].any())
        for rows in (slice(0, reach[0]), slice(-reach[0], None))
        for columns in (slice(0, reach[1]), slice(-reach[1], None))
    )
    return bool(inside.sum() < 0.05 * part.sum()) and lined >= 3 and corners >= 2


def without_lines(mask: Mask) -> tuple[Mask, bool]:
    """Without straight lines from edge to edge where they are several, or one that is thin beside what remains.

    A line is kept where a stroke goes on above or below it.
    """
    if min(mask.shape) < _LEAST_SIDE:
        return mask, False
    level, upright = _bands(mask), _bands(mask.T)
    if not level and not upright:
        return mask, False
    rows, columns = _covered(level, mask.shape[0]), _covered(upright, mask.shape[1])
    rest = mask.copy()
    for first, last in level:
        _clear(rest, mask & ~columns[None, :], first, last)
    for first, last in upright:
        _clear(rest.T, mask.T & ~rows[None, :], first, last)
    lines = mask & ~rest
    if _largest_side(rest) < max(8, 0.06 * max(mask.shape)):
        return mask, False
    if len(level) + len(upright) < 2 and _thickness(lines) > 0.6 * _thickness(rest):
        return mask, False
    return rest, True


def _bands(mask: Mask) -> list[tuple[int, int]]:
    """First and last rows of thin level lines that run over four fifths of the width."""
    height, width = mask.shape
    thin = max(3, round(0.025 * height))
    runs = ndimage.binary_opening(mask, np.ones((1, max(15, width // 5)), bool))
    # A line that is not quite level goes from row to row.
    full = ndimage.maximum_filter1d(runs, 3, axis=0).mean(1) > 0.8
    return [(first, last) for first, last in _stretches(full) if last - first < thin + 2]


def _stretches(full: Mask) -> Iterator[tuple[int, int]]:
    change = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    for first, end in zip(change[::2], change[1::2], strict=True):
        yield int(first), int(end) - 1


def _covered(bands: list[tuple[int, int]], length: int) -> Mask:
    found = np.zeros(length, bool)
    for first, last in bands:
        found[first : last + 1] = True
    return found


def _clear(rest: Mask, crossing: Mask, first: int, last: int) -> None:
    """Take the rows from `first` to `last` out of `rest`, but for columns in which `crossing` goes on beside them."""
    above = crossing[max(0, first - 2) : first].any(0)
    below = crossing[last + 1 : last + 3].any(0)
    rest[first : last + 1, ~(above | below)] = False


def _thickness(mask: Mask) -> float:
    if not mask.any():
        return 0.0
    return 4 * float(inner_distance(mask)[mask].mean())


def _largest_side(mask: Mask) -> int:
    labels, count = labelled(mask)
    return 0 if not count else max(max(sides_of(one)) for one in places_of(labels))


def gap(one: Place, other: Place) -> float:
    """Between two boxes, in pixels."""
    apart = [max(0, max(a.start, b.start) - min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)]
    return math.hypot(*apart)
