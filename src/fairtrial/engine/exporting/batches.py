"""Images as files take them, a few at a time; without torch, which an ONNX file needs none of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_PIXELS_AT_ONCE = 2_000_000


def in_unit(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes as every file takes them: float32 in [0, 1]."""
    return np.divide(images, np.float32(255), dtype=np.float32)


def parts(images: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The images in order, a few at a time, however large each is."""
    each = max(1, min(500, _PIXELS_AT_ONCE // max(1, int(np.prod(images.shape[1:])))))
    for begin in range(0, len(images), each):
        yield images[begin : begin + each]
