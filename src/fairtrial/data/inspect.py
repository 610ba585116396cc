"""What is wrong with a data set before anything is trained: images that occur twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Duplicates:
    """Images of part `second` that occur, byte for byte, in part `first` as well.

    `pairs` (n, 2) holds an index into `first` and one into `second`: each image of `second` once,
    beside the first image of `first` that equals it. Within one part (`first` and `second` the
    same) each repetition once, beside its first occurrence.
    """

    first: str
    second: str
    pairs: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.pairs)


def duplicates(parts: Mapping[str, NDArray[np.uint8]]) -> tuple[Duplicates, ...]:
    """Exact duplicates within and between the named parts, every pair of parts in order.

    Each part is an array (n, height, width, channels). 70 000 images of MNIST take 0.1 s.
    """
    known: dict[bytes, int] = {}
    contents = {
        part: np.fromiter(
            (known.setdefault(image.tobytes(), len(known)) for image in images), np.int64, len(images)
        )
        for part, images in parts.items()
    }
    return tuple(
        Duplicates(
            first=first, second=second, pairs=_pairs(contents[first], contents[second], same=first == second)
        )
        for first, second in combinations_with_replacement(parts, 2)
    )


def _pairs(first: NDArray[np.int64], second: NDArray[np.int64], *, same: bool) -> NDArray[np.int64]:
    """Index pairs of equal contents; contents are numbers, equal for equal images."""
    occurs = np.full(max(first.max(initial=-1), second.max(initial=-1)) + 1, -1)
    # Backwards, so that the first occurrence is the one that stays.
    occurs[first[::-1]] = np.arange(len(first))[::-1]
    beside = occurs[second]
    indices = np.arange(len(second))
    found = (beside >= 0) & ((beside < indices) | (not same))
    return np.stack([beside[found], indices[found]], axis=1)
