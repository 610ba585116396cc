"""Reading IDX files, the format MNIST and its siblings are published in, gzipped or not.

A file is a magic number (two zero bytes, the type of its numbers, how many dimensions), one
big-endian 32-bit size per dimension, then the numbers. Anything else is refused: a data set
that was cut short or mixed up must not quietly become another data set.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fairtrial.bounded import read_bounded
from fairtrial.errors import DataError, DataTooLargeError

LARGEST_BYTES = 2**30
"""Of a file, and of what is packed in it: twenty times MNIST."""

UNSIGNED_BYTES, INTEGERS = 0x08, 0x0C
"""Types of numbers that data sets are published in: one byte each, or four with a sign."""

_KINDS = {
    UNSIGNED_BYTES: ("unsigned bytes", np.dtype(np.uint8)),
    INTEGERS: ("integers of four bytes", np.dtype(">i4")),
}
_GZIP = 16 + zlib.MAX_WBITS
_SURPLUS = 4096
"""So many bytes too many are still counted for the message."""


class Decompressor(Protocol):
    """What zlib gives no name of its own."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Plain:
    """A file that was never packed, read like one that was."""

    eof: bool
    unused_data: bytes = b""


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
    """The array of unsigned bytes in an IDX file that must have this many dimensions.

    The array is read-only. Never more is unpacked than its header announces, and that is bounded.
    Raises DataError naming the file, what was found and what was expected.
    """
    return parsed(_packed(path), where=str(path), dimensions=dimensions)


def parsed(packed: bytes, *, where: str, dimensions: int, kind: int = UNSIGNED_BYTES) -> NDArray[Any]:
    """The same of the content of a file, which messages call `where`; `kind` is the type of its numbers."""
    words, dtype = _KINDS[kind]
    header = 4 + 4 * dimensions
    start, _ = _unpacked(where, packed, most=header)
    if len(start) < header:
        raise DataError(
            f"{where}: {len(start)} bytes of content; expected an IDX header of {header} bytes: "
            "the file was cut short"
        )
    expected = bytes((0, 0, kind, dimensions))
    if start[:4] != expected:
        raise DataError(
            f"{where}: magic number 0x{start[:4].hex()}; expected 0x{expected.hex()}, "
            f"{words} in {dimensions} dimension{'s' if dimensions > 1 else ''}"
        )
    shape = struct.unpack(f">{dimensions}I", start[4:])
    content = _content(where, packed, header=header, shape=shape, width=dtype.itemsize)
    return np.frombuffer(content, dtype, offset=header).reshape(shape)


def _content(where: str, packed: bytes, *, header: int, shape: tuple[int, ...], width: int) -> bytes:
    """Header and numbers of a file that is whole and holds as many as its header says."""
    size, sizes = math.prod(shape) * width, " x ".join(map(str, shape))
    if size > LARGEST_BYTES:
        raise DataError(
            f"{where}: its header announces {sizes} = {size} bytes; expected {LARGEST_BYTES} at most"
        )
    try:
        content, stream = _unpacked(where, packed, most=header + size + _SURPLUS)
    except MemoryError:
        raise DataTooLargeError(
            f"{where}: its {sizes} = {size} bytes do not fit into the memory there is"
        ) from None
    found = len(content) - header
    if not stream.eof and found < size + _SURPLUS:
        raise DataError(
            f"{where}: the gzip file ends in mid-stream after {len(packed)} bytes: it was cut short"
        )
    if found != size:
        more = "" if stream.eof else "at least "
        raise DataError(
            f"{where}: {more}{found} bytes follow the header; expected {size} for its size of {sizes}"
        )
    if stream.unused_data:
        raise DataError(
            f"{where}: {len(stream.unused_data)} bytes follow the end of the gzip stream; expected none"
        )
    return content


def _packed(path: Path) -> bytes:
    try:
        return read_bounded(path, largest=LARGEST_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected an IDX file") from error


def _unpacked(where: object, packed: bytes, *, most: int) -> tuple[bytes, Decompressor]:
    """The first `most` bytes of what was packed, and how far that went; a file begins with two zeros if it was not."""
    if packed[:2] == b"\0\0":
        return packed[:most], _Plain(eof=len(packed) <= most)
    # zlib rather than gzip.open: that one takes a file padded with zeros for a whole one.
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed, most)
    except zlib.error as error:
        raise DataError(f"{where}: not an undamaged gzip file ({error})") from error
    return content, stream
