"""Moving images: one compiled pass over the bytes of those that an epoch trains on."""

from __future__ import annotations

import numpy as np

from fairtrial.engine.compiled import kept

_HALF, _NOWHERE = np.float32(0.5), np.float32(-1)
_ONE = np.uint64(1)


@kept
def move(images, chosen, maps, moved):
    """The chosen images as their maps have them, into the same places of `moved`.

    `images` and `moved` are bytes (n, height, width, channels), `maps` (n, 2, 3): the pixel at (y, x) is what stands at
    maps[i] @ (y, x, 1), between pixels their mean weighted by nearness (bilinear), and zero outside the image. Rounded to
    the nearest byte.
    """
    height, width, channels = images.shape[1], images.shape[2], images.shape[3]
    # A frame of zeros: what lies outside is looked up like anything else. One before, two after, for the pixel beyond.
    framed = np.zeros((height + 3, width + 3), np.float32)
    bottom, edge = np.float32(height), np.float32(width)
    for at in range(len(chosen)):
        i = chosen[at]
        y_by_y, y_by_x, y_first = maps[i, 0, 0], maps[i, 0, 1], maps[i, 0, 2]
        x_by_y, x_by_x, x_first = maps[i, 1, 0], maps[i, 1, 1], maps[i, 1, 2]
        for c in range(channels):
            for y in range(height):
                for x in range(width):
                    framed[y + 1, x + 1] = images[i, y, x, c]
            for y in range(height):
                y_row, x_row = y_first + y_by_y * np.float32(y), x_first + x_by_y * np.float32(y)
                for x in range(width):
                    from_y, from_x = y_row + y_by_x * np.float32(x), x_row + x_by_x * np.float32(x)
                    from_y = min(max(from_y, _NOWHERE), bottom) - _NOWHERE
                    from_x = min(max(from_x, _NOWHERE), edge) - _NOWHERE
                    # Unsigned: an index that might be negative would be looked at.
                    top, left = np.uint64(from_y), np.uint64(from_x)
                    low, far = from_y - np.float32(top), from_x - np.float32(left)
                    upper = framed[top, left] + far * (framed[top, left + _ONE] - framed[top, left])
                    under = framed[top + _ONE, left] + far * (
                        framed[top + _ONE, left + _ONE] - framed[top + _ONE, left]
                    )
                    moved[i, y, x, c] = np.uint8(upper + low * (under - upper) + _HALF)
