"""The nearest images of every image, by the difference of their pixels: seventy thousand in about half a minute.

All pairs of images are far too many to compare pixel by pixel. So each image is first put as 64 numbers, by a
projection that never makes two images farther apart than they are; every pair is compared by these, in blocks of one
matrix product each; and only the nearest few are compared by all their pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNT = 10
"""Neighbours of each image."""

_SIDE = 16
"""Images are averaged down to about so many pixels a side before they are projected."""

_NUMBERS = 64
_SAMPLE = 10_000
_GROUP = 64
_ROWS = 512
_AT_ONCE = 4096

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """For each of n images its nearest others, nearest first.

    `indices` (n, k); `distances` (n, k) are relative: the length of the difference of two images over the mean length of
    the two, each taken about its own mean grey. 0 is the same image, and two that have nothing in common are about
    1.4 apart. `sure` (n,) says of which images no nearer one can have been missed within the radius that was asked about.
    """

    indices: NDArray[np.int64]
    distances: Floats
    sure: NDArray[np.bool_]


def neighbours(images: NDArray[np.uint8], *, count: int = COUNT, radius: float = 0.0) -> Neighbours:
    """The `count` nearest of each of the images (n, height, width, channels), which need more than two.

    They are the nearest by 64 numbers each, put into order by all pixels; `sure` is about relative distances up to `radius`.
    """
    total = len(images)
    count = min(count, total - 1)
    flat = images.reshape(total, -1)
    length = _lengths(flat)
    projected = projection(images)
    found = _nearest(projected, count)
    distances = np.empty((total, count), np.float32)
    for begin in range(0, total, _AT_ONCE):
        rows = slice(begin, min(begin + _AT_ONCE, total))
        own = flat[rows].astype(np.float32)
        for place in range(count):
            apart = np.sqrt(np.square(own - flat[found[rows, place]]).sum(axis=1))
            distances[rows, place] = apart / ((length[rows] + length[found[rows, place]]) / 2)
    order = np.argsort(distances, axis=1, kind="stable")
    farthest = np.zeros(total, np.float32)
    for place in range(count):
        apart = np.linalg.norm(projected - projected[found[:, place]], axis=1)
        np.maximum(farthest, apart, out=farthest)
    return Neighbours(
        indices=np.take_along_axis(found, order, axis=1),
        distances=np.take_along_axis(distances, order, axis=1),
        # The farthest of those that were looked at is farther by its few numbers than any near one can be by its pixels.
        sure=(farthest > radius * length) | (count == total - 1),
    )


def projection(images: NDArray[np.uint8]) -> Floats:
    """Each image as up to 64 numbers (n, d), no two of them farther apart than the images are.

    Means of blocks of pixels, and of these the directions in which a sample of the images differs most: orthonormal
    both, so that lengths can only shrink.
    """
    pooled = _pooled(images)
    sample = pooled[:: max(1, len(pooled) // _SAMPLE)]
    middle = sample.mean(axis=0)
    centred = (sample - middle).astype(np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    kept = np.ascontiguousarray(directions[:, ::-1][:, :_NUMBERS]).astype(np.float32)
    return (pooled - middle) @ kept


def _pooled(images: NDArray[np.uint8]) -> Floats:
    """Sums over blocks of pixels divided by the root of their number, which keeps lengths from growing."""
    count, height, width, channels = images.shape
    block = max(1, math.ceil(max(height, width) / _SIDE))
    down, across = list(range(0, height, block)), list(range(0, width, block))
    made = np.empty((count, len(down) * len(across) * channels), np.float32)
    sizes = np.outer(np.diff([*down, height]), np.diff([*across, width])).astype(np.float32)
    for begin in range(0, count, _AT_ONCE):
        part = images[begin : begin + _AT_ONCE].astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(part, down, axis=1), across, axis=2)
        made[begin : begin + _AT_ONCE] = (sums / np.sqrt(sizes)[None, :, :, None]).reshape(len(part), -1)
    return made


def _lengths(flat: NDArray[np.uint8]) -> Floats:
    """The length of each image about its own mean, at least that of one level in every pixel."""
    made = np.empty(len(flat), np.float32)
    for begin in range(0, len(flat), _AT_ONCE):
        part = flat[begin : begin + _AT_ONCE].astype(np.float32)
        made[begin : begin + _AT_ONCE] = np.linalg.norm(part - part.mean(axis=1, keepdims=True), axis=1)
    return np.maximum(made, np.float32(math.sqrt(flat.shape[1])))


def _nearest(points: Floats, count: int) -> NDArray[np.int64]:
    """The `count` nearest others of each point (n, d), in no order: indices (n, count).

    |a - b|^2 is least where a.b - |b|^2 / 2 is largest, which one product gives for a block of rows. The largest few of
    a row lie in the few groups of columns whose own largest are the largest: so nothing but these is looked through.
    """
    total = len(points)
    groups = -(-total // _GROUP)
    columns = np.zeros((groups * _GROUP, points.shape[1] + 1), np.float32)
    columns[:total, :-1] = points
    columns[:, -1] = -np.float32(1e30)
    columns[:total, -1] = -np.square(points).sum(axis=1) / 2
    rows = np.concatenate([points, np.ones((total, 1), np.float32)], axis=1)
    turned = np.ascontiguousarray(columns.T)
    found = np.empty((total, count), np.int64)
    wanted = min(count, groups)
    for begin in range(0, total, _ROWS):
        end = min(begin + _ROWS, total)
        nearness = rows[begin:end] @ turned
        here = np.arange(end - begin)
        nearness[here, np.arange(begin, end)] = -np.inf  # nobody is a neighbour of itself
        grouped = nearness.reshape(end - begin, groups, _GROUP)
        best = np.argpartition(grouped.max(axis=2), groups - wanted, axis=1)[:, groups - wanted :]
        among = np.take_along_axis(grouped, best[:, :, None], axis=1).reshape(end - begin, -1)
        chosen = np.argpartition(among, among.shape[1] - count, axis=1)[:, among.shape[1] - count :]
        group, place = np.divmod(chosen, _GROUP)
        found[begin:end] = np.take_along_axis(best, group, axis=1) * _GROUP + place
    return found
