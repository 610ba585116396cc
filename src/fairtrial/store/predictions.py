"""What the network said of each test image, packed small: about 20 kB for ten thousand images.

Classes and counts come back as they were. Probabilities are kept as sixteenth-bit fractions,
p = q / 65535: off by at most 7.7e-6 everywhere. float16 would take as much room and be off by up to
2.4e-4 near 1, where most of them are.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import StoreError
from fairtrial.trial import Predictions

_STEPS = 65535


def pack(predictions: Predictions) -> tuple[int, int, bytes, bytes, bytes]:
    """The columns of table `predictions` after the key."""
    images = len(predictions.classes)
    if len(predictions.probabilities) != images or len(predictions.right) != images:
        raise StoreError(
            f"predictions need one entry per test image in each array, got {images} classes, "
            f"{len(predictions.probabilities)} probabilities, {len(predictions.right)} counts"
        )
    fractions = predictions.probabilities.astype(np.float64)
    if not ((fractions >= 0) & (fractions <= 1 + 1e-6)).all():  # bfloat16 sums may pass 1 by a hair
        raise StoreError("predictions hold a probability that is not in [0, 1]")
    steps = np.rint(np.minimum(fractions, 1) * _STEPS).astype("<u2")
    # High bytes together, then low bytes: the high ones are alike and compress well.
    planes = steps.view(np.uint8).reshape(images, 2)[:, ::-1].T
    return (
        images,
        predictions.evaluations,
        _compressed(predictions.classes),
        _compressed(planes),
        _compressed(predictions.right),
    )


def as_kept(predictions: Predictions) -> Predictions:
    """What `unpack` would give back of these."""
    steps = np.rint(np.minimum(predictions.probabilities.astype(np.float64), 1) * _STEPS)
    return replace(predictions, probabilities=(steps / _STEPS).astype(np.float32))


def unpack(row: sqlite3.Row) -> Predictions:
    images: int = row["images"]
    planes = _bytes(row["probabilities"], 2 * images).reshape(2, images)
    steps = planes[::-1].T.copy().view("<u2").reshape(images)
    return Predictions(
        classes=_bytes(row["classes"], images).copy(),
        probabilities=(steps / _STEPS).astype(np.float32),
        right=_bytes(row["right_counts"], images).copy(),
        evaluations=row["evaluations"],
    )


def _compressed(array: NDArray[np.uint8]) -> bytes:
    return zlib.compress(np.ascontiguousarray(array, dtype=np.uint8).tobytes(), 9)


def _bytes(blob: Any, count: int) -> NDArray[np.uint8]:
    """As many as there must be, whatever the blob would swell to."""
    content = zlib.decompressobj().decompress(blob, count + 1)
    if len(content) != count:
        raise ValueError(f"predictions of {count} images have another number of bytes")
    return np.frombuffer(content, dtype=np.uint8)
