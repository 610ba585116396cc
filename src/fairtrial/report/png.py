"""Small images as PNG in a data address: what a page can show without asking anybody for a file."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

# From one end through white to the other; apart in hue and, for black and white, marked by a key.
_NEGATIVE: Colour = (0xB3, 0x4A, 0x00)
_POSITIVE: Colour = (0x00, 0x5A, 0x96)
_STEPS = 7


def gray(pixels: Bytes) -> str:
    """An image of shape (height, width), black at 0 and white at 255, as a data address."""
    height, width = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), pixels], axis=1)
    return _address(_chunks(width, height, depth=8, colour_type=0, rows=rows))


def rgb(pixels: Bytes) -> str:
    """An image of shape (height, width, 3) as a data address."""
    return _address(picture(pixels))


def of_channels(image: Bytes) -> str:
    """An image of shape (height, width, 1 or 3) as a data address."""
    return rgb(image) if image.shape[2] == 3 else gray(image[..., 0])


def picture(pixels: Bytes) -> bytes:
    """An image of shape (height, width, 1 or 3) as a PNG file."""
    height, width, channels = pixels.shape
    flat = pixels.reshape(height, width * channels)
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), flat], axis=1)
    return _chunks(width, height, depth=8, colour_type=2 if channels == 3 else 0, rows=rows)


def signed(values: NDArray[np.floating]) -> str:
    """Values of shape (height, width), blue above zero and orange below, white at zero and where NaN.

    Seven steps to either side of zero, scaled by the largest size.
    """
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    steps = np.rint(np.nan_to_num(values / largest) * _STEPS).astype(np.int64) + _STEPS
    height, width = steps.shape
    padded = np.zeros((height, width + width % 2), dtype=np.uint8)
    padded[:, :width] = steps
    packed = (padded[:, 0::2] << 4 | padded[:, 1::2]).astype(np.uint8)
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), packed], axis=1)
    return _address(_chunks(width, height, depth=4, colour_type=3, rows=rows, palette=_palette()))


def tiled(tiles: NDArray[np.floating], *, columns: int) -> NDArray[np.float64]:
    """Tiles of shape (count, height, width) side by side with a gap of one pixel, NaN where there is none."""
    count, height, width = tiles.shape
    lines = -(-count // columns)
    sheet = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for place, tile in enumerate(tiles):
        line, column = divmod(place, columns)
        top, left = line * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def _palette() -> list[Colour]:
    def towards(end: Colour, share: float) -> Colour:
        red, green, blue = (round(255 + (one - 255) * share) for one in end)
        return red, green, blue

    below = [towards(_NEGATIVE, step / _STEPS) for step in range(_STEPS, 0, -1)]
    above = [towards(_POSITIVE, step / _STEPS) for step in range(_STEPS + 1)]
    return [*below, *above]


def _chunks(
    width: int, height: int, *, depth: int, colour_type: int, rows: Bytes, palette: Sequence[Colour] = ()
) -> bytes:
    """The file: `rows` are the packed lines, each after its filter byte (PNG specification, 1996)."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", head)]
    if palette:
        parts.append((b"PLTE", b"".join(bytes(colour) for colour in palette)))
    parts += [(b"IDAT", zlib.compress(np.ascontiguousarray(rows).tobytes(), 9)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _address(file: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"
