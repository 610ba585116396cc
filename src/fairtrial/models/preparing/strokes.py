"""The strokes of what was drawn, without what was not: noise, specks, ruled lines, frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fairtrial.models.preparing.paper import FAINTEST, Floats, Mask

_AROUND = np.ones((3, 3), bool)
_NOISE = 4.0
"""Ink stands out of the paper's own grain by so many of its standard deviations."""
SPECK = 0.04
"""Shapes of less area than this share of the largest are specks, unless they lie beside it."""
FAR = 0.35
"""Shapes further from each other than this share of the largest one's size are far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strokes:
    """`ink` (height, width) is 1 on a stroke, 0 beside it, and in between along its edges."""

    ink: Floats
    done: tuple[str, ...]
    doubts: tuple[str, ...]


def strokes(values: Floats) -> Strokes | None:
    """What was drawn, of contrasts as `paper.contrast` gives them; None where nothing was."""
    values = _without_dots(values)
    grain = _grain(values)
    smooth = values if grain < 1 else ndimage.gaussian_filter(values, _width(values.shape))
    left = grain if grain < 1 else _grain(smooth) + grain / 8
    level = _level(smooth)
    if level < max(FAINTEST, _NOISE * left):
        return None
    mask = _connected(smooth, low=max(0.35 * level, 2.5 * left), high=0.5 * level)
    mask, ruled = _without_lines(mask)
    kept, specks, framed = _chosen(mask)
    if not kept.any():
        return None
    edge = np.clip((smooth / level - 0.25) / 0.5, 0, 1)
    near = ndimage.binary_dilation(kept, _AROUND)
    done = [
        word
        for word, true in (("grain smoothed", grain >= 1), ("ruled lines removed", ruled), ("frame removed", framed), ("specks removed", specks))
        if true
    ]  # fmt: skip
    return Strokes(ink=np.where(near, edge, 0.0), done=tuple(done), doubts=_doubts(kept))


def _width(shape: tuple[int, ...]) -> float:
    """Of smoothing, in pixels: little enough for the thinnest stroke."""
    return float(np.clip(max(shape) / 300, 0.6, 1.4))


def _grain(values: Floats) -> float:
    """The standard deviation of noise, from differences that smooth shades and strokes hardly have (Immerkær 1996)."""
    if min(values.shape) < 3:
        return 0.0
    second = values[:-2] - 2 * values[1:-1] + values[2:]
    mixed = second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:]
    return float(np.median(np.abs(mixed)) / 0.6745 / 6)


def _level(values: Floats) -> float:
    """The contrast of solid ink: the mean of what is above half of it (Ridler and Calvard 1978)."""
    level = float(values.max(initial=0.0))
    for _ in range(30):
        above = values[values > level / 2]
        found = float(above.mean()) if len(above) else 0.0
        if abs(found - level) < 1e-6:
            break
        level = found
    return level


def _without_dots(values: Floats) -> Floats:
    """Single pixels, and pairs, that are ink amid paper or paper amid ink become what is around them."""
    for _ in range(2):
        mask = values > 0.5 * _level(values)
        inside = _neighbours(mask)
        alone = np.where(mask, inside <= 1, inside >= 7)
        if not alone.any():
            return values
        values = values.copy()
        values[alone] = _middle(values, alone)
    return values


def _middle(values: Floats, there: Mask) -> Floats:
    """The medians of the nine pixels around those that are `there`."""
    rows, columns = np.nonzero(there)
    padded = np.pad(values, 1, mode="edge")
    around = [padded[rows + down, columns + right] for down in range(3) for right in range(3)]
    return np.median(around, axis=0)


def _neighbours(mask: Mask) -> NDArray[np.int8]:
    """How many of the eight pixels around each are in the mask, which goes on beyond its edges."""
    padded = np.pad(mask, 1, mode="edge").astype(np.int8)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] - mask


def _connected(values: Floats, *, low: float, high: float) -> Mask:
    """What is above `low` and hangs together with something above `high`."""
    labels, count = ndimage.label(values > low, _AROUND)
    sure = np.zeros(count + 1, bool)
    sure[np.unique(labels[values > high])] = True
    sure[0] = False
    return sure[labels]


def _without_lines(mask: Mask) -> tuple[Mask, bool]:
    """Without straight lines from edge to edge, where they are several, or thin beside what remains."""
    rows, columns = _lines(mask), _lines(mask.T).T
    lines = rows | columns
    rest = mask & ~lines
    if not lines.any() or rest.sum() < 0.1 * lines.sum() or not _size(rest):
        return mask, False
    count = ndimage.label(rows, _AROUND)[1] + ndimage.label(columns, _AROUND)[1]
    if count < 2 and _thickness(lines) > 0.6 * _thickness(rest):
        return mask, False
    return rest, True


def _lines(mask: Mask) -> Mask:
    """Pixels of level lines: thin, over nine tenths of the width, and not where a stroke crosses them."""
    height, width = mask.shape
    thin = max(2, round(0.02 * height))
    if width < 40 or height < 40:
        return np.zeros_like(mask)
    # A little slope is allowed: in each of eight parts the line may lie elsewhere.
    thick = ndimage.binary_opening(mask, np.ones((2 * thin + 1, 1), bool))
    flat = mask & ~ndimage.binary_dilation(thick, np.ones((3, 1), bool))
    labels, _ = ndimage.label(ndimage.binary_closing(flat, np.ones((1, 9), bool)) & ~thick, _AROUND)
    found = np.zeros_like(mask)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        if _sides(place)[1] <= 0.9 * width:
            continue
        shape = labels[place] == number
        if shape.any(0).sum() > 0.7 * width and shape.shape[0] <= max(3 * thin, 0.06 * height):
            found[place] |= shape
    return found & mask


def _thickness(mask: Mask) -> float:
    if not mask.any():
        return 0.0
    return 4 * float(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask].mean())


def _size(mask: Mask) -> int:
    """The longer side of the largest shape."""
    labels, count = ndimage.label(mask, _AROUND)
    return 0 if not count else max(max(_sides(one)) for one in ndimage.find_objects(labels))


def _sides(place: tuple[slice, ...]) -> tuple[int, int]:
    return place[0].stop - place[0].start, place[1].stop - place[1].start


def _chosen(mask: Mask) -> tuple[Mask, bool, bool]:
    """The shapes that make up what was drawn; whether specks were left out, and whether a frame was."""
    labels, count = ndimage.label(mask, _AROUND)
    if not count:
        return mask, False, False
    places = ndimage.find_objects(labels)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(float)
    sides = np.array([max(_sides(one)) for one in places], float)
    least = max(3.0, 0.03 * max(mask.shape))
    large = sides >= least
    frames = np.zeros(count, bool)
    for number in np.flatnonzero(large):
        others = large & ~frames
        others[number] = False
        if _is_frame(labels == number + 1, places[number]) and _something(others, sides, areas, number):
            frames[number] = True
    candidates = large & ~frames
    if not candidates.any():
        return np.zeros_like(mask), False, bool(frames.any())
    # A stroke is long or thick: neither a long scratch nor a thick blot alone makes a shape the main one.
    weight = np.where(candidates, areas * sides, 0)
    main = int(weight.argmax())
    chosen = {main}
    for number in np.argsort(-areas):
        if number == main or not candidates[number]:
            continue
        near = _gap(places[number], places[main]) < 0.25 * sides[main]
        share = areas[number] / areas[main]
        if share >= (SPECK if near else 3 * SPECK) and sides[number] >= (0.08 if near else 0.3) * sides[main]:
            chosen.add(int(number))
    wanted = np.zeros(count + 1, bool)
    wanted[[number + 1 for number in chosen]] = True
    rest = set(range(count)) - chosen - set(np.flatnonzero(frames))
    return wanted[labels], bool(rest), bool(frames.any())


def _is_frame(shape: Mask, place: tuple[slice, ...]) -> bool:
    """Whether it lies along the edges: runs along one for long, or around everything with nothing in the middle."""
    height, width = shape.shape
    along = max(shape[0].mean(), shape[-1].mean(), shape[:, 0].mean(), shape[:, -1].mean())
    if along > 0.4:
        return True
    tall, wide = _sides(place)
    if tall < 0.75 * height or wide < 0.75 * width:
        return False
    inside = shape[place][tall // 8 : tall - tall // 8, wide // 8 : wide - wide // 8]
    return bool(inside.sum() < 0.05 * shape.sum())


def _something(others: NDArray[np.bool_], sides: Floats, areas: Floats, number: int) -> bool:
    """Whether anything else could be what was drawn."""
    return bool((others & (sides >= 0.12 * sides[number]) & (areas >= 0.02 * areas[number])).any())


def _gap(one: tuple[slice, ...], other: tuple[slice, ...]) -> float:
    """Between two boxes, in pixels."""
    apart = [max(0, max(a.start, b.start) - min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)]
    return float(np.hypot(*apart))


def _doubts(kept: Mask) -> tuple[str, ...]:
    labels, count = ndimage.label(kept, _AROUND)
    places = ndimage.find_objects(labels)
    areas = np.bincount(labels.ravel())[1:]
    main = int(areas.argmax())
    side = max(_sides(places[main]))
    far = [
        number
        for number in range(count)
        if number != main and _gap(places[number], places[main]) > FAR * side
    ]
    if far:
        return (f"{len(far) + 1} shapes far apart: a picture should hold one digit",)
    if count > 3:
        return (f"{count} separate shapes: a picture should hold one digit",)
    return ()
