"""Arrays as anybody may give them, as what is learnt from: images of unsigned bytes, labels from 0."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.facts import LARGEST_SIDE, MOST_CLASSES
from fairtrial.images.idx import LARGEST_BYTES

Bytes = NDArray[np.uint8]
Arrays = Mapping[str, Bytes]

_AT_ONCE = 4096
"""Images converted at a time, so that no copy of all of them in floating point is made."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Images (n, height, width, channels) of unsigned bytes, and a label for each, from 0."""

    images: Bytes
    labels: Bytes
    files: tuple[str, ...] = ()
    """The file that each image came from, where each has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """A data set as it was read; without `test` where no images were said to be for testing."""

    name: str
    classes: int
    train: Part
    test: Part | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fingerprint(arrays: Arrays) -> str:
    """SHA-256 over names, shapes and bytes of the arrays, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def images_of(given: NDArray[Any], *, what: str, highest: float | None) -> tuple[Bytes, tuple[str, ...]]:
    """The images (n, height, width, channels) in an array of any usual form, and what was done to make them so.

    `highest` is the value of a white pixel: 255 unless given, and 1 in arrays of fractions. Raises DataError, which
    begins with `what`, for an array that does not hold images.
    """
    array, notes = _as_pictures(given, what)
    if math.prod(array.shape) > LARGEST_BYTES:
        raise DataError(
            f"{what}: {math.prod(array.shape):,} values; at most {LARGEST_BYTES:,} bytes of images are taken"
        )
    kind = array.dtype.kind
    if kind not in "buif":
        raise DataError(f"{what}: pixels must be numbers, got an array of {array.dtype}")
    lowest, most = _range(array, what)
    if kind == "b":
        highest = 1.0
    if highest is None:
        if kind == "f" and most > 1:
            raise DataError(
                f"{what}: fractions from {lowest:g} to {most:g}; pixels that are fractions must lie between 0 and 1. "
                f"Say which value is white, such as data.highest: {most:g}"
            )
        highest = 1.0 if kind == "f" else 255.0
    if lowest < 0:
        raise DataError(
            f"{what}: pixels from {lowest:g} to {most:g}; they must lie between 0 (black) and {highest:g} (white). Give them "
            "as they were before they were centred or scaled; (images + 1) / 2 brings -1 to 1 back to 0 to 1"
        )
    if most > highest:
        raise DataError(
            f"{what}: pixels from {lowest:g} to {most:g}; they must lie between 0 (black) and {highest:g} (white). "
            f"Say which value is white, such as data.highest: {most:g}"
        )
    if highest == 255 and kind == "u" and array.dtype.itemsize == 1:
        return np.ascontiguousarray(array), (*notes, *_dim(most, what))
    made = np.empty(array.shape, np.uint8)
    rounded = False
    for begin in range(0, len(array), _AT_ONCE):
        scaled = array[begin : begin + _AT_ONCE].astype(np.float64) * (255 / highest)
        nearest = np.rint(scaled)
        rounded = rounded or bool(np.abs(scaled - nearest).max(initial=0) > 1e-3)
        made[begin : begin + _AT_ONCE] = nearest
    if highest != 255:
        # Sixteen levels of grey stay sixteen; what lay between two levels is what is lost.
        said = ", each rounded to the nearest of 256 levels" if rounded else ""
        notes = (*notes, f"{what}: pixels from 0 to {highest:g} became 0 to 255{said}")
    elif rounded:
        notes = (*notes, f"{what}: pixels were rounded to whole numbers")
    else:
        notes = (*notes, *_dim(most, what))
    return made, notes


def _dim(most: float, what: str) -> tuple[str, ...]:
    """A scale of 16 or 63 levels that is taken for one of 255 trains, and trains badly: it must be said."""
    if most > 127:
        return ()
    return (
        f"{what}: the brightest pixel is {most:g} of 255; if it is meant to be white, say data.highest: {most:g}",
    )


def _range(array: NDArray[Any], what: str) -> tuple[float, float]:
    lowest, most = float(array.min()), float(array.max())
    if not (math.isfinite(lowest) and math.isfinite(most)):
        raise DataError(f"{what}: pixels that are no numbers (nan or inf); every pixel must be finite")
    return lowest, most


def _as_pictures(array: NDArray[Any], what: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The array with its axes in the order image, height, width, channel."""
    shape = " x ".join(map(str, array.shape)) or "a single number"
    if array.size == 0 or array.ndim not in (2, 3, 4):
        raise DataError(
            f"{what}: an array of {shape}; images are n x height x width, or n x height x width x channels"
        )
    notes: tuple[str, ...] = ()
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        if side * side != array.shape[1]:
            raise DataError(
                f"{what}: {len(array)} rows of {array.shape[1]} values, which make no square image; give an array of "
                "n x height x width"
            )
        array = array.reshape(len(array), side, side)
        notes = (f"{what}: rows of {side * side} values were read as images of {side} x {side}",)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.shape[3] not in (1, 3, 4) and array.shape[1] in (1, 3):
        array = np.moveaxis(array, 1, 3)
        notes = (*notes, f"{what}: channels came first ({shape}) and were put last")
    if array.shape[3] not in (1, 3, 4):
        raise DataError(
            f"{what}: an array of {shape}; an image has 1 channel (grey), 3 (colour) or 4 (with transparency), last"
        )
    if max(array.shape[1:3]) > LARGEST_SIDE:
        raise DataError(f"{what}: images of {shape}; at most {LARGEST_SIDE} pixels a side are taken")
    return array, notes


def labels_of(
    given: Sequence[NDArray[Any] | None], *, what: str, names: Sequence[str] = ()
) -> tuple[list[Bytes | None], int, tuple[str, ...], tuple[str, ...]]:
    """The labels of each part numbered from 0, how many classes there are, their names, and what was done.

    Whole numbers from 0 without a gap stay as they are; any others, and words, are numbered in their order. Every
    class is to be among the labels of the first part. Raises DataError for what are no labels.
    """
    parts = [None if one is None else _in_a_row(one, what) for one in given]
    first = parts[0]
    if first is None or not len(first):
        raise DataError(f"{what}: there are no labels")
    values = np.unique(first)
    for part in parts[1:]:
        strangers: list[Any] = [] if part is None else np.setdiff1d(part, values).tolist()
        if strangers and not names:
            raise DataError(
                f"{what}: label {str(strangers[0])!r} is among the test images alone; every class needs training images"
            )
    whole = np.array_equal(values, np.arange(len(values))) if values.dtype.kind in "iu" else False
    if names and values.dtype.kind in "iu":
        both = np.concatenate([one for one in parts if one is not None])
        least, most = int(both.min()), int(both.max())
        if least < 0 or most >= len(names):
            raise DataError(
                f"{what}: labels from {least} to {most}; with {len(names)} class names they must be 0 to {len(names) - 1}"
            )
        values, whole = np.arange(len(names)), True
    count = len(values)
    if not 2 <= count <= MOST_CLASSES:
        raise DataError(
            f"{what}: {count} class{'' if count == 1 else 'es'}; there must be 2 to {MOST_CLASSES}"
        )
    if whole:
        made = [None if one is None else one.astype(np.uint8) for one in parts]
        return made, count, _texts(names), ()
    if names:
        raise DataError(
            f"{what}: labels that are words, such as {str(values[0])!r}, beside names for classes; words are the names of "
            "their classes already: leave the names out, or give labels from 0"
        )
    numbers = values.dtype.kind in "iu"
    order = values if numbers else values[_in_order([str(one) for one in values])]
    rank = {one: place for place, one in enumerate(order.tolist())}
    made = [None if one is None else np.array([rank[x] for x in one.tolist()], np.uint8) for one in parts]
    called = _texts(order.tolist())
    if values.dtype.kind in "iu":
        note = f"{what}: the labels {called[0]} to {called[-1]} were numbered 0 to {count - 1}, in this order"
        return made, count, called, (note,)
    return made, count, called, ()


def in_order(names: Iterable[str]) -> list[str]:
    """Names as people order them: class 2 before class 10, words by the alphabet."""
    return sorted(names, key=_sort_key)


def _sort_key(name: str) -> tuple[Any, ...]:
    # Alternating text and digits, so that like is compared with like.
    pieces = re.split(r"([0-9]{1,18})", name)
    return (*((0, piece) if place % 2 == 0 else (1, int(piece)) for place, piece in enumerate(pieces)), name)


def _in_order(names: list[str]) -> list[int]:
    return sorted(range(len(names)), key=lambda place: _sort_key(names[place]))


def _texts(names: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(one)[:200] for one in names)


def _in_a_row(given: NDArray[Any], what: str) -> NDArray[Any]:
    labels = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if labels.ndim != 1:
        shape = " x ".join(map(str, given.shape)) or "a single number"
        raise DataError(
            f"{what}: labels of {shape}; give one label for each image, not one column for each class "
            "(numpy.argmax(labels, axis=1) makes one of the other)"
        )
    if labels.dtype.kind == "O":
        listed = cast("list[object]", labels.tolist())
        if (
            other := next((place for place, one in enumerate(listed) if not isinstance(one, str)), None)
        ) is None:
            labels = labels.astype(str)
        elif all(isinstance(one, int | np.integer) for one in listed):
            labels = np.array(listed)
        else:
            raise DataError(
                f"{what}: label {other} is {str(listed[other])[:40]} ({type(listed[other]).__name__}) among others; labels are "
                "all whole numbers or all words"
            )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "f":
        if (
            not np.isfinite(labels).all()
            or (labels != np.rint(labels)).any()
            or np.abs(labels).max(initial=0) > 2**31
        ):
            raise DataError(f"{what}: labels that are fractions; a label is a whole number or a word")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iuU":
        raise DataError(f"{what}: labels of type {labels.dtype}; a label is a whole number or a word")
    return labels
