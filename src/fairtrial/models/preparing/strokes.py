"""The strokes of what was drawn, without what was not: noise, specks, ruled lines, frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fairtrial.models.preparing.forms import gap, without_frames, without_lines
from fairtrial.models.preparing.paper import FAINTEST, Floats
from fairtrial.models.preparing.regions import AROUND, Mask, Place, labelled, places_of, sides_of

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
    smooth: Floats = (
        values if grain < 1 else np.asarray(ndimage.gaussian_filter(values, _width(values.shape)))
    )
    left = grain if grain < 1 else _grain(smooth) + grain / 8
    level = _level(smooth)
    if level < max(FAINTEST, _NOISE * left):
        return None
    mask = _connected(smooth, low=max(0.35 * level, 2.5 * left), high=0.5 * level)
    mask, framed = without_frames(mask)
    mask, ruled = without_lines(mask)
    kept, specks = _chosen(mask)
    if not kept.any():
        return None
    edge = np.clip((smooth / level - 0.25) / 0.5, 0, 1)
    near = ndimage.binary_dilation(kept, AROUND)
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
    """The contrast of solid ink: the mean of what is above half of it (Ridler and Calvard 1978).

    It begins from the highest mean along five pixels in a row: a stroke has that contrast, however thin it is, and dirt,
    however black, has not.
    """
    level = float(_along_strokes(values).max(initial=0.0))
    for _ in range(30):
        above = values[values > level / 2]
        found = float(above.mean()) if len(above) else 0.0
        if abs(found - level) < 1e-6:
            break
        level = found
    return level


def _along_strokes(values: Floats) -> Floats:
    """At each pixel the highest mean of five in a row: across, down, or in either slope."""
    height, width = values.shape
    padded = np.pad(values, 2, mode="edge")
    directions = [(0, 1), (1, 0), (1, 1), (1, -1)]
    means = [
        np.mean(
            [
                padded[
                    2 + down * step : 2 + down * step + height, 2 + right * step : 2 + right * step + width
                ]
                for step in range(-2, 3)
            ],
            axis=0,
        )
        for down, right in directions
    ]
    return np.max(means, axis=0)


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
    labels, count = labelled(values > low)
    sure = np.zeros(count + 1, bool)
    sure[np.unique(labels[values > high])] = True
    sure[0] = False
    return sure[labels]


def _chosen(mask: Mask) -> tuple[Mask, bool]:
    """The shapes that make up what was drawn, and whether specks were left out."""
    labels, count = labelled(mask)
    if not count:
        return mask, False
    places = places_of(labels)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(float)
    sides = np.array([max(sides_of(one)) for one in places], float)
    least = max(3.0, 0.03 * max(mask.shape))
    large = sides >= least
    candidates = large
    if not candidates.any():
        return np.zeros_like(mask), False
    # A stroke is long or thick: neither a long scratch nor a thick blot alone makes a shape the main one.
    weight = np.where(candidates, areas * sides, 0)
    main = int(weight.argmax())
    chosen = {main}
    for number in np.argsort(-areas):
        if number == main or not candidates[number]:
            continue
        near = gap(places[number], places[main]) < 0.25 * sides[main]
        share, long = areas[number] / areas[main], sides[number] / sides[main]
        # What lies at the picture's edge, far from the rest, is cut off there and belongs to something else.
        enough = (SPECK, 0.08) if near else (0.5, 0.3) if _at_edge(places[number], mask) else (3 * SPECK, 0.3)
        if share >= enough[0] and long >= enough[1]:
            chosen.add(int(number))
    wanted = np.zeros(count + 1, bool)
    wanted[[number + 1 for number in chosen]] = True
    return wanted[labels], len(chosen) < count


def _at_edge(place: Place, mask: Mask) -> bool:
    return any(one.start == 0 or one.stop == length for one, length in zip(place, mask.shape, strict=True))


def _doubts(kept: Mask) -> tuple[str, ...]:
    labels, count = labelled(kept)
    places = places_of(labels)
    areas = np.bincount(labels.ravel())[1:]
    main = int(areas.argmax())
    side = max(sides_of(places[main]))
    far = [
        number for number in range(count) if number != main and gap(places[number], places[main]) > FAR * side
    ]
    if far:
        return (f"{len(far) + 1} shapes far apart: a picture should hold one digit",)
    if count > 3:
        return (f"{count} separate shapes: a picture should hold one digit",)
    return ()
