"""Digits as people draw them with a mouse: strokes of a round brush, from a seed alone, so that no pictures are kept.

Each seed is a hand: a way to write each digit, a slant, a tremor, a brush, a canvas, colours and what befell the picture
afterwards. Nothing here knows how pictures are prepared.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = list[tuple[float, float]]
Stroke = list[Points]
"""Curves that follow each other with a corner between them; each goes smoothly through its points."""

# (x, y) from the upper left of a box of height 1 and width 1; a hand makes it narrower.
WAYS: dict[int, list[list[Stroke]]] = {
    0: [
        [[[(0.55, 0.02), (0.22, 0.12), (0.05, 0.5), (0.2, 0.88), (0.5, 1.0), (0.82, 0.86), (0.95, 0.5), (0.8, 0.12), (0.5, 0.01)]]],
        [[[(0.7, 0.06), (0.35, 0.03), (0.08, 0.35), (0.08, 0.7), (0.4, 0.99), (0.78, 0.85), (0.95, 0.5), (0.82, 0.15), (0.55, 0.04), (0.4, 0.1)]]],
        [[[(0.3, 0.08), (0.65, 0.0), (0.95, 0.35), (0.88, 0.8), (0.5, 1.0), (0.12, 0.8), (0.05, 0.4), (0.28, 0.1)]]],
    ],
    1: [
        [[[(0.52, 0.0), (0.5, 0.5), (0.49, 1.0)]]],
        [[[(0.3, 0.24), (0.55, 0.0)], [(0.55, 0.0), (0.54, 0.5), (0.53, 1.0)]]],
        [[[(0.28, 0.22), (0.52, 0.0)], [(0.52, 0.0), (0.52, 1.0)]], [[(0.25, 1.0), (0.8, 0.99)]]],
    ],
    2: [
        [[[(0.1, 0.25), (0.25, 0.05), (0.58, 0.0), (0.85, 0.18), (0.8, 0.42), (0.45, 0.72), (0.06, 0.98)], [(0.06, 0.98), (0.5, 0.97), (0.96, 0.98)]]],
        [[[(0.12, 0.2), (0.4, 0.0), (0.75, 0.1), (0.8, 0.4), (0.5, 0.75), (0.2, 0.98), (0.06, 0.9), (0.2, 0.8), (0.5, 0.92), (0.95, 0.95)]]],
        [[[(0.15, 0.14), (0.5, 0.0), (0.85, 0.22), (0.62, 0.58), (0.1, 1.0)], [(0.1, 1.0), (0.9, 1.0)]]],
    ],
    3: [
        [[[(0.12, 0.12), (0.45, 0.0), (0.85, 0.15), (0.75, 0.38), (0.42, 0.47)], [(0.42, 0.47), (0.82, 0.56), (0.92, 0.78), (0.58, 1.0), (0.08, 0.9)]]],
        [[[(0.15, 0.1), (0.55, 0.01), (0.85, 0.22), (0.65, 0.44), (0.4, 0.48), (0.72, 0.52), (0.92, 0.76), (0.6, 0.99), (0.1, 0.92)]]],
        [[[(0.12, 0.02), (0.85, 0.0)], [(0.85, 0.0), (0.45, 0.4)], [(0.45, 0.4), (0.85, 0.55), (0.88, 0.82), (0.5, 1.0), (0.08, 0.9)]]],
    ],
    4: [
        [[[(0.32, 0.0), (0.22, 0.3), (0.06, 0.56)], [(0.06, 0.56), (0.95, 0.55)]], [[(0.7, 0.12), (0.67, 0.55), (0.64, 1.0)]]],
        [[[(0.66, 0.0), (0.35, 0.35), (0.04, 0.66)], [(0.04, 0.66), (0.96, 0.64)]], [[(0.68, 0.02), (0.67, 0.5), (0.66, 1.0)]]],
        [[[(0.15, 0.02), (0.12, 0.42)], [(0.12, 0.42), (0.5, 0.48), (0.85, 0.44)]], [[(0.85, 0.0), (0.82, 0.5), (0.78, 1.0)]]],
    ],
    5: [
        [[[(0.25, 0.03), (0.2, 0.42)], [(0.2, 0.42), (0.55, 0.36), (0.9, 0.6), (0.75, 0.92), (0.4, 1.0), (0.05, 0.88)]], [[(0.23, 0.03), (0.88, 0.0)]]],
        [[[(0.85, 0.02), (0.3, 0.03)], [(0.3, 0.03), (0.22, 0.42)], [(0.22, 0.42), (0.6, 0.37), (0.88, 0.65), (0.62, 0.98), (0.08, 0.92)]]],
        [[[(0.9, 0.0), (0.4, 0.02), (0.28, 0.2), (0.3, 0.42), (0.65, 0.48), (0.85, 0.7), (0.6, 0.97), (0.08, 0.95)]]],
    ],
    6: [
        [[[(0.75, 0.02), (0.35, 0.25), (0.1, 0.65), (0.25, 0.95), (0.6, 1.0), (0.86, 0.78), (0.65, 0.55), (0.3, 0.6), (0.13, 0.75)]]],
        [[[(0.5, 0.0), (0.2, 0.35), (0.1, 0.75), (0.4, 1.0), (0.8, 0.88), (0.75, 0.6), (0.42, 0.55), (0.15, 0.78)]]],
        [[[(0.85, 0.08), (0.6, 0.0), (0.25, 0.3), (0.1, 0.7), (0.45, 1.0), (0.85, 0.75), (0.55, 0.52), (0.18, 0.68)]]],
    ],
    7: [
        [[[(0.05, 0.05), (0.5, 0.03), (0.92, 0.03)], [(0.92, 0.03), (0.6, 0.5), (0.4, 1.0)]]],
        [[[(0.08, 0.03), (0.92, 0.0)], [(0.92, 0.0), (0.62, 0.5), (0.42, 1.0)]], [[(0.3, 0.52), (0.88, 0.48)]]],
        [[[(0.1, 0.18), (0.1, 0.03)], [(0.1, 0.03), (0.5, 0.08), (0.9, 0.02)], [(0.9, 0.02), (0.65, 0.4), (0.5, 1.0)]]],
    ],
    8: [
        [[[(0.78, 0.14), (0.5, 0.0), (0.2, 0.16), (0.35, 0.4), (0.72, 0.6), (0.82, 0.82), (0.5, 1.0), (0.16, 0.84), (0.28, 0.6), (0.66, 0.4), (0.78, 0.16)]]],
        [[[(0.5, 0.45), (0.2, 0.25), (0.5, 0.0), (0.8, 0.22), (0.5, 0.45), (0.12, 0.75), (0.5, 1.0), (0.88, 0.75), (0.52, 0.46)]]],
        [[[(0.5, 0.0), (0.22, 0.2), (0.5, 0.44), (0.78, 0.2), (0.5, 0.0)]], [[(0.5, 0.44), (0.12, 0.72), (0.5, 1.0), (0.9, 0.72), (0.5, 0.44)]]],
    ],
    9: [
        [[[(0.85, 0.2), (0.5, 0.0), (0.15, 0.2), (0.3, 0.47), (0.68, 0.42), (0.86, 0.18)], [(0.86, 0.18), (0.8, 0.6), (0.7, 1.0)]]],
        [[[(0.82, 0.12), (0.45, 0.02), (0.15, 0.28), (0.42, 0.5), (0.78, 0.35), (0.84, 0.1)], [(0.84, 0.1), (0.82, 0.65), (0.55, 0.98), (0.18, 0.9)]]],
        [[[(0.8, 0.22), (0.5, 0.02), (0.2, 0.25), (0.5, 0.48), (0.8, 0.25), (0.82, 0.55), (0.76, 1.0)]]],
    ],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """`pixels` (height, width, 3); `about` says what was drawn and what befell it."""

    digit: int
    pixels: NDArray[np.uint8]
    about: dict[str, Any] = field(default_factory=dict)


def drawn(digit: int, seed: int, *, plain: bool = False) -> Drawing:
    """A digit by the hand `seed`; `plain` is black on white with nothing done to it afterwards."""
    rng = np.random.default_rng([seed, digit, 20])
    height, width = (int(one) for one in rng.integers(140, 520, 2))
    side = min(height, width) * rng.uniform(0.28, 0.85)
    way = int(rng.integers(len(WAYS[digit])))
    paths = [_moved(_path(stroke, side, rng), side, rng_of(seed)) for stroke in WAYS[digit][way]]
    low = np.min([path.min(0) for path in paths], axis=0)
    size = np.max([path.max(0) for path in paths], axis=0) - low
    radius = max(0.8, side * float(np.exp(rng.uniform(np.log(0.012), np.log(0.075)))))
    room = np.maximum(0, np.array([width, height]) - size - 2 * radius - 4)
    place = radius + 2 + room * rng.uniform(0, 1, 2)
    paths = [path - low + place for path in paths]
    ink = _brushed(paths, (height, width), radius, smooth=bool(rng.random() < 0.7))
    dark = plain or bool(rng.random() < 0.65)
    about: dict[str, Any] = {
        "way": way,
        "brush": round(2 * radius, 1),
        "height": round(float(size[1])),
        "dark on light": dark,
    }
    paper, pen = ((255.0,) * 3, (0.0,) * 3) if plain else _colours(dark, rng)
    pixels = np.asarray(paper) * (1 - ink[..., None]) + np.asarray(pen) * ink[..., None]
    if not plain:
        pixels, done = _befallen(pixels, rng)
        about |= done
    return Drawing(digit=digit, pixels=np.clip(np.rint(pixels), 0, 255).astype(np.uint8), about=about)


def rng_of(seed: int) -> np.random.Generator:
    """What all digits of one hand have in common."""
    return np.random.default_rng([seed, 10])


def _path(stroke: Stroke, side: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The stroke as a mouse reports it: few points, a trembling hand."""
    found: list[NDArray[np.float64]] = []
    before: NDArray[np.float64] | None = None
    for curve in stroke:
        points = np.array(curve, float)
        points += rng.normal(0, 0.025, points.shape)
        if before is not None:
            points[0] = before
        before = points[-1]
        found.append(_through(points))
    dense = np.concatenate(found)
    gaps = np.linalg.norm(np.diff(dense, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(gaps)])
    step = rng.uniform(0.015, 0.05)  # of the height: fast hands leave corners
    count = max(3, int(at[-1] / step))
    where = np.sort(np.concatenate([[0.0, at[-1]], rng.uniform(0, at[-1], count)]))
    path = np.stack([np.interp(where, at, dense[:, axis]) for axis in (0, 1)], axis=1)
    tremor = rng.normal(0, 0.006, path.shape)
    return (path + tremor) * side


def _moved(path: NDArray[np.float64], side: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Narrow, slanted and turned as this hand does."""
    narrow, slant, turn = rng.uniform(0.5, 0.85), rng.normal(0.12, 0.14), np.deg2rad(rng.normal(0, 5))
    path = path * [narrow, 1.0]
    path[:, 0] += slant * (side - path[:, 1])
    return path @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def _through(points: NDArray[np.float64], each: int = 24) -> NDArray[np.float64]:
    """A Catmull-Rom spline through the points."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, each, endpoint=False)[:, None]
    found = [
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]  # fmt: skip
    return np.concatenate([*found, points[-1:]])


def _brushed(
    paths: list[NDArray[np.float64]], shape: tuple[int, int], radius: float, *, smooth: bool
) -> NDArray[np.float64]:
    """How far each pixel is covered by a round brush along the paths: with smooth edges, or with jagged ones."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    nearest = np.full(shape, np.inf)
    for path in paths:
        for begin, end in pairwise(path):
            top, left = np.floor(np.minimum(begin, end)[::-1] - radius - 2).astype(int).clip(0)
            bottom, right = np.ceil(np.maximum(begin, end)[::-1] + radius + 3).astype(int)
            part = slice(top, bottom), slice(left, right)
            along = end - begin
            length = float(along @ along) or 1.0
            t = np.clip(((x[part] - begin[0]) * along[0] + (y[part] - begin[1]) * along[1]) / length, 0, 1)
            gap = np.hypot(x[part] - begin[0] - t * along[0], y[part] - begin[1] - t * along[1])
            nearest[part] = np.minimum(nearest[part], gap)
    edge = np.clip(radius + 0.5 - nearest, 0, 1)
    return edge if smooth else (edge >= 0.5).astype(float)


def _colours(dark: bool, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Paper and pen that a person can tell apart."""
    while True:
        paper = rng.uniform(175, 255, 3) if dark else rng.uniform(0, 70, 3)
        pen = rng.uniform(0, 130, 3) if dark else rng.uniform(130, 255, 3)
        if rng.random() < 0.5:
            paper, pen = np.full(3, paper.mean()), np.full(3, pen.mean())
        if abs(float((paper - pen) @ [0.299, 0.587, 0.114])) > 75:
            return paper, pen


def _befallen(
    pixels: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Light from one side, grain, dirt, and what a JPEG file does; each befalls some."""
    done: dict[str, Any] = {}
    height, width = pixels.shape[:2]
    if rng.random() < 0.4:
        across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
        turn, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.35)
        pixels = pixels * (1 + strength * (np.cos(turn) * across + np.sin(turn) * down) / 2)[..., None]
        done["light"] = round(float(strength), 2)
    if rng.random() < 0.5:
        grain = rng.uniform(3, 25)
        pixels = pixels + rng.normal(0, grain, (*pixels.shape[:2], 1))
        done["grain"] = round(float(grain), 1)
    pixels = pixels.clip(0, 255)
    if rng.random() < 0.35:
        share = rng.uniform(0.002, 0.05)
        hit = rng.random(pixels.shape[:2])
        pixels = np.where((hit < share / 2)[..., None], 0.0, pixels)
        pixels = np.where((hit > 1 - share / 2)[..., None], 255.0, pixels)
        done["dirt"] = round(float(share), 3)
    if rng.random() < 0.3:
        from PIL import Image

        quality, file = int(rng.integers(25, 90)), io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(file), float)
        done["jpeg"] = quality
    return pixels, done


def _ruled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    for row in range(15, len(pixels) - 1, 30):
        pixels[row : row + 2] = np.minimum(pixels[row : row + 2], 70)
    return pixels


def _squared(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels[11::24] = np.minimum(pixels[11::24], 120)
    pixels[:, 11::24] = np.minimum(pixels[:, 11::24], 120)
    return pixels


def _framed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels = np.pad(pixels, ((30, 30), (40, 40), (0, 0)), constant_values=255)
    for part in (np.s_[20:23, 25:-25], np.s_[-23:-20, 25:-25], np.s_[20:-20, 25:28], np.s_[20:-20, -28:-25]):
        pixels[part] = 0
    return pixels


def _on_a_desk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(pixels, ((40, 30), (30, 50), (0, 0)), constant_values=30)


def _shadowed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    dark = x + 0.3 * y > 0.6 * pixels.shape[1]
    return (pixels * np.where(dark, 0.55, 1)[..., None]).astype(np.uint8)


def _peppered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    hit = np.random.default_rng(1).random(pixels.shape[:2])
    spots = np.where((hit < 0.03)[..., None], 0, np.where((hit > 0.97)[..., None], 255, pixels))
    return spots.astype(np.uint8)


def _grained(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0, 30, (*pixels.shape[:2], 1))
    return (pixels * 0.7 + 30 + noise).clip(0, 255).astype(np.uint8)


def cropped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """To the very edges of the digit."""
    rows, columns = (np.flatnonzero((pixels[..., 0] < 128).any(axis)) for axis in (1, 0))
    return np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _reddened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Green on red of about the same luma: grey alone would lose it."""
    paper = pixels[..., :1] / 255.0
    return np.rint(paper * [220, 80, 55] + (1 - paper) * [60, 160, 60]).astype(np.uint8)


def _copying(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Callable[..., NDArray[np.uint8]]:
    return lambda pixels: change(pixels.copy())


SPOILT: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "on ruled paper": _copying(_ruled),
    "on squared paper": _copying(_squared),
    "in a frame": _copying(_framed),
    "on a sheet on a dark desk": _copying(_on_a_desk),
    "half in a shadow": _copying(_shadowed),
    "6 % of pixels black or white": _copying(_peppered),
    "grain of 30 levels, grey paper": _copying(_grained),
    "cropped to the digit": _copying(cropped),
    "green on red": _copying(_reddened),
}
"""What may happen to a plain drawing."""


def disturbed(image: NDArray[np.uint8], what: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An image of MNIST (28, 28) as a picture of 200 to 400 pixels on a larger sheet, with what the words say done to it."""
    from PIL import Image

    side = int(rng.integers(200, 401))
    large = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), float)
    height, width = (int(side * rng.uniform(1, 2)) for _ in range(2))
    sheet = np.zeros((height, width))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    sheet[top : top + side, left : left + side] = large
    if "inverted" in what:
        sheet = 255 - sheet
    if "shaded" in what:
        low, high, turn = rng.uniform(0, 60), rng.uniform(190, 255), rng.uniform(0, 2 * np.pi)
        y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        sheet = (low + sheet / 255 * (high - low)) * (1 + 0.15 * (np.cos(turn) * x + np.sin(turn) * y))
    if "grain" in what:
        sheet = sheet + rng.normal(0, rng.uniform(5, 30), sheet.shape)
    pixels = sheet.clip(0, 255).astype(np.uint8)
    if "dirt" in what:
        hit, share = rng.random(pixels.shape), rng.uniform(0.005, 0.05)
        pixels[hit < share / 2], pixels[hit > 1 - share / 2] = 0, 255
    if "JPEG" in what:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=int(rng.integers(20, 80)))
        pixels = np.asarray(Image.open(file))
    return pixels[..., None]


DISTURBED = (
    "scaled, shifted",
    "scaled, shifted, inverted",
    "scaled, shifted, inverted, shaded",
    "scaled, shifted, grain",
    "scaled, shifted, inverted, dirt",
    "scaled, shifted, inverted, shaded, grain, dirt, JPEG",
)
