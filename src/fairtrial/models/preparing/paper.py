"""What in a picture is paper and what is ink: the level of the paper, place by place, and how far each pixel is from it.

Paper is taken to be smooth: in each channel a surface of the second degree, so that light may fall from one side. Where
that leaves long parts of the picture's edges as ink, a shadow lies across it, and paper is the median around each place.
Ink is what departs from paper in one direction of colour, so that red on green is as good as black on white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fairtrial.models.preparing.regions import Mask, labelled, places_of, sides_of

Floats = NDArray[np.float64]
Invert = Literal["auto", "yes", "no"]

COARSE = 72
"""Pixels of the longer side, on which paper and ink are told apart: single pixels of noise are averaged away."""
FAINTEST = 10.0
"""Levels of 255 by which ink must differ from the paper: less is a shade of it."""
_LUMA = np.array([0.299, 0.587, 0.114])
_ROUNDS = 8
_SHADOWED = 0.2
"""No drawing takes up more of the picture's edges."""
_RECTANGLE = 0.8
_EVEN = 1.5
"""Where half of the paper is within so many levels of one, it is of one level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """`values` (height, width) are levels towards ink, about 0 on paper. `within` is the part of the picture they are of."""

    values: Floats
    dark: bool
    """Ink is darker than paper, so that MNIST's light on dark is its inverse."""
    within: tuple[slice, slice]
    peeled: bool
    """A frame, or what a sheet of paper lies on, was left out."""


def contrast(picture: Floats, *, invert: Invert = "auto") -> Contrast:
    """Of a picture (height, width, 1 or 3) with levels from 0 to 255."""
    rows, columns = slice(0, picture.shape[0]), slice(0, picture.shape[1])
    peeled = False
    coarse = _coarse(picture)
    paper = _paper(coarse, invert)
    for _ in range(2):
        inner = _sheet(~paper, coarse)
        if inner is None or min(rows.stop - rows.start, columns.stop - columns.start) < 40:
            break
        step = _step((rows.stop - rows.start, columns.stop - columns.start))
        rows = _cut(rows, inner[0], coarse.shape[0], step)
        columns = _cut(columns, inner[1], coarse.shape[1], step)
        peeled = True
        coarse = _coarse(picture[rows, columns])
        paper = _paper(coarse, invert)
    part = picture[rows, columns]
    paper, surface = _settled(coarse, paper, invert)
    level: Floats = _values(surface, coarse.shape)
    if _along_edges(~paper) > _SHADOWED:
        level = _around(coarse)
        paper = _near(coarse - level, paper, invert)
    towards = _direction(coarse - level, paper, invert)
    level = _values(surface, part.shape) if level.shape != coarse.shape else _enlarged(level, part.shape)
    values = _along(part - level, towards)
    luma = _LUMA if len(towards) == 3 else np.ones(1)
    return Contrast(
        values=values, dark=bool((towards * luma).sum() < 0), within=(rows, columns), peeled=peeled
    )


def _coarse(picture: Floats) -> Floats:
    """Averages of square blocks; those at the lower and right edges may be smaller."""
    step = _step(picture.shape)
    rows, columns = (np.arange(0, length, step) for length in picture.shape[:2])
    sums: Floats = np.asarray(np.add.reduceat(np.add.reduceat(picture, rows, axis=0), columns, axis=1))
    tall, wide = (
        np.diff(np.append(one, length)).astype(float)
        for one, length in zip((rows, columns), picture.shape, strict=False)
    )
    return sums / tall[:, None, None] / wide[None, :, None]


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape[:2]) // COARSE)


def _paper(coarse: Floats, invert: Invert) -> Mask:
    """The pixels of paper: of two kinds of colour that along the edges, or where these say nothing the more frequent."""
    if invert == "auto":
        flat = coarse.reshape(-1, coarse.shape[2])
        centred = flat - flat.mean(0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        level = (coarse - flat.mean(0)) @ axes[:, -1]
    else:
        level = _grey(coarse) * (1 if invert == "yes" else -1)
    high = level > _between(level.ravel())
    if invert != "auto":
        return high
    ring = _along_edges(high)
    if abs(ring - 0.5) < 0.2:
        ring = high.mean()
    return high if ring >= 0.5 else ~high


def _between(levels: Floats) -> float:
    """The threshold that divides levels into two groups which differ most (Otsu 1979)."""
    ordered = np.sort(levels)
    total, count = ordered.sum(), len(ordered)
    below = np.cumsum(ordered)[:-1]
    number = np.arange(1, count)
    spread = (total * number / count - below) ** 2 / (number * (count - number))
    if not len(spread) or spread.max() <= 0:
        return float(ordered[-1])
    # Of equal cuts the middle one, so that the picture and its negative are cut at the same place.
    best = np.flatnonzero(spread >= spread.max() * (1 - 1e-12))
    return float((ordered[best[0]] + ordered[best[-1] + 1]) / 2)


def _sheet(light: Mask, coarse: Floats) -> tuple[slice, slice] | None:
    """The place of a sheet of paper in what looked like ink: one region that nearly fills a rectangle, written upon."""
    filled: Any = ndimage.binary_fill_holes(light)
    labels, count = labelled(filled, corners=False)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    largest = int(sizes.argmax())
    place = places_of(labels)[largest]
    sides = sides_of(place)
    full, small = sizes[largest] / (sides[0] * sides[1]), light.mean() < 0.5
    # Strokes, however thick, fill no rectangle, and are not much more than what they enclose.
    if min(sides) < 8 or sizes[largest] < 0.15 * light.size or light[place].mean() < 0.5:
        return None
    return place if full > (0.9 if small else _RECTANGLE) and (not small or _written(coarse[place])) else None


def _written(sheet: Floats) -> bool:
    """Whether anything within its margins departs from the sheet."""
    inner = sheet[2:-2, 2:-2]
    away = np.linalg.norm(inner - np.median(inner, axis=(0, 1)), axis=2)
    return bool(away.max() > 2 * FAINTEST)


def _cut(whole: slice, part: slice, count: int, step: int) -> slice:
    """The part of a coarse picture in pixels of the whole one, a coarse pixel less on sides that were cut."""
    first = 0 if part.start == 0 else part.start + 1
    begin = whole.start + first * step
    end = whole.stop if part.stop == count else whole.start + (part.stop - 1) * step
    return slice(begin, max(begin + 1, min(whole.stop, end)))


def _settled(coarse: Floats, paper: Mask, invert: Invert) -> tuple[Mask, Floats]:
    """Paper and its surface, each found anew from the other until neither changes."""
    surface = _fitted(coarse, paper)
    for _ in range(_ROUNDS):
        found = _near(coarse - _values(surface, coarse.shape), paper, invert)
        if found.sum() < 0.3 * found.size or (found == paper).all():
            break
        paper = found
        surface = _fitted(coarse, paper)
    return paper, surface


def _near(away: Floats, paper: Mask, invert: Invert) -> Mask:
    """Where the departure from paper is small beside the largest."""
    distance = np.linalg.norm(away, axis=2) if invert == "auto" else _grey(away) * _sign(invert)
    usual = float(np.median(distance[paper])) if paper.any() else 0.0
    return distance <= max(3 * usual, FAINTEST / 2, 0.35 * float(distance.max()))


def _along_edges(mask: Mask) -> float:
    """The share of the picture's edges that is in the mask."""
    return float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())


def _around(coarse: Floats) -> Floats:
    """The median around each place: strokes vanish in it, and the edges of shadows stay where they are."""
    side = max(5, min(coarse.shape[:2]) // 4 | 1)
    return np.stack(
        [ndimage.median_filter(one, side, mode="nearest") for one in np.moveaxis(coarse, 2, 0)], axis=2
    )


def _enlarged(coarse: Floats, shape: tuple[int, ...]) -> Floats:
    """Interpolated between the middles of the blocks that it is of."""
    step = _step(shape)
    y, x = ((np.arange(length) + 0.5) / step - 0.5 for length in shape[:2])
    places = np.meshgrid(y, x, indexing="ij")
    return np.stack(
        [ndimage.map_coordinates(one, places, order=1, mode="nearest") for one in np.moveaxis(coarse, 2, 0)],
        axis=2,
    )


def _fitted(coarse: Floats, paper: Mask) -> Floats:
    """Coefficients (6, channels) of the surface through the paper."""
    values = coarse[paper]
    surface = np.zeros((6, coarse.shape[2]))
    if not len(values):
        surface[0] = np.median(coarse.reshape(-1, coarse.shape[2]), axis=0)
        return surface
    surface[0] = middle = np.median(values, axis=0)
    if np.median(np.abs(values - middle)) <= _EVEN or len(values) < 60:
        return surface
    terms = _terms(coarse.shape)[paper]
    found = surface
    for _ in range(4):
        away = np.linalg.norm(values - terms @ found, axis=1)
        scale = 2.5 * float(np.median(away)) + 1e-6
        weighted = terms / (1 + (away / scale) ** 2)[:, None] ** 2
        found = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
    return found


def _terms(shape: tuple[int, ...]) -> Floats:
    """(height, width, 6): powers of the place, from -1 to 1 in the longer direction."""
    height, width = shape[:2]
    y = (np.arange(height) + 0.5) / height * 2 - 1
    x = (np.arange(width) + 0.5) / width * 2 - 1
    x, y = np.meshgrid(x, y)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)


def _values(surface: Floats, shape: tuple[int, ...]) -> Floats:
    if not surface[1:].any():
        return surface[0]
    height, width = shape[:2]
    y = ((np.arange(height) + 0.5) / height * 2 - 1)[:, None, None]
    x = ((np.arange(width) + 0.5) / width * 2 - 1)[None, :, None]
    one, right, down, right2, both, down2 = surface
    # A line across and a line down are few numbers; only what they have in common is as large as the picture.
    return (one + right * x + right2 * x * x) + (down * y + down2 * y * y) + both * (x * y)


def _direction(away: Floats, paper: Mask, invert: Invert) -> Floats:
    """The direction of colour from paper to ink, of length 1."""
    channels = away.shape[2]
    if invert != "auto":
        return (_LUMA if channels == 3 else np.ones(1)) * _sign(invert)
    ink = away[~paper] if not paper.all() else away.reshape(-1, channels)
    length = np.linalg.norm(ink, axis=1, keepdims=True)
    mean = (ink * length).sum(0)
    size = float(np.linalg.norm(mean))
    return mean / size if size > 0 else np.full(channels, -1 / np.sqrt(channels))


def _sign(invert: Invert) -> int:
    return -1 if invert == "yes" else 1


def _grey(picture: Floats) -> Floats:
    return _along(picture, _LUMA) if picture.shape[2] == 3 else picture[..., 0]


def _along(picture: Floats, direction: Floats) -> Floats:
    """As a product of matrices it would be handed to many threads, each with next to nothing to do."""
    found = picture[..., 0] * direction[0]
    for channel in range(1, len(direction)):
        found = found + picture[..., channel] * direction[channel]
    return found
