"""Reading IDX files, the gzipped format MNIST and its siblings are published in.

A file is a magic number (two zero bytes, the type of its numbers, how many dimensions), one
big-endian 32-bit size per dimension, then the numbers. Anything else is refused: a data set
that was cut short or mixed up must not quietly become another data set.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError

_UNSIGNED_BYTES = 0x08
_GZIP = 16 + zlib.MAX_WBITS


def read_pair(
    images_path: Path, labels_path: Path, *, classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, height, width, 1) and their labels (n,), each label below `classes`.

    Raises DataError naming the file, what was found and what was expected.
    """
    images = read_array(images_path, dimensions=3)
    labels = read_array(labels_path, dimensions=1)
    if len(images) != len(labels):
        raise DataError(
            f"{labels_path}: {len(labels)} labels for the {len(images)} images of {images_path}; "
            "expected one label for each image"
        )
    if labels.size and int(labels.max()) >= classes:
        first = int(np.argmax(labels >= classes))
        raise DataError(
            f"{labels_path}: label {int(labels[first])} of image {first} is out of range; "
            f"expected 0 to {classes - 1}"
        )
    return images[..., np.newaxis], labels


def read_array(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in a gzipped IDX file that must have this many dimensions.

    The array is read-only. Raises DataError naming the file, what was found and what was expected.
    """
    content = _decompressed(path)
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(
            f"{path}: {len(content)} bytes of content; expected an IDX header of {header} bytes: "
            "the file was cut short"
        )
    expected = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
    if content[:4] != expected:
        raise DataError(
            f"{path}: magic number 0x{content[:4].hex()}; expected 0x{expected.hex()}, "
            f"unsigned bytes in {dimensions} dimension{'s' if dimensions > 1 else ''}"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    size = len(content) - header
    if size != math.prod(shape):
        raise DataError(
            f"{path}: {size} bytes follow the header; expected {math.prod(shape)} for its size of "
            + " x ".join(map(str, shape))
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _decompressed(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a gzipped IDX file") from error
    # zlib rather than gzip.open: that one takes a file padded with zeros for a whole one.
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed)
    except zlib.error as error:
        raise DataError(f"{path}: not an undamaged gzip file ({error})") from error
    if not stream.eof:
        raise DataError(
            f"{path}: the gzip file ends in mid-stream after {len(packed)} bytes: it was cut short"
        )
    if stream.unused_data:
        raise DataError(
            f"{path}: {len(stream.unused_data)} bytes follow the end of the gzip stream; expected none"
        )
    return content
