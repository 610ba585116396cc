"""Loops over bfloat16 numbers that torch spreads over several passes, compiled into one each.

A bfloat16 number is the upper half of a float32; numpy has no such type, so arrays of them are
their bits, uint16. All arrays are contiguous.
"""

from __future__ import annotations

import numpy as np

from fairtrial.engine.compiled import compiled, kept

_BRIGHTEST = np.float32(255)
_HALF_BITS, _ONE_BIT, _QUIET_NAN = np.uint32(16), np.uint32(1), np.uint16(0x7FC0)
_JUST_UNDER_HALF = np.uint32(0x7FFF)
_ZERO = np.uint16(0)
_TWO = np.uint64(2)


@compiled
def _widened(bits):
    """The float32 that the bits of a bfloat16 stand for."""
    return np.uint32(np.uint32(bits) << _HALF_BITS).view(np.float32)


@compiled
def _rounded(value):
    """The bits of the bfloat16 nearest to a float32, to even where two are as near."""
    bits = np.float32(value).view(np.uint32)
    near = np.uint16((bits + _JUST_UNDER_HALF + ((bits >> _HALF_BITS) & _ONE_BIT)) >> _HALF_BITS)
    return near if value == value else _QUIET_NAN


@kept
def adam(weights, momentum, velocity, gradient, rounded, rate, rest_1, rest_2, epsilon, decay):
    """One step of Keras's Adam: reads each number once, and rounds the weights it leaves.

    `gradient` and `rounded` are bfloat16 bits, the rest float32, all of one length. `rate` is the
    learning rate freed of bias, `rest_1` and `rest_2` are 1 - beta, `decay` is what all weights
    lose of themselves first.
    """
    for i in range(len(weights)):
        g = _widened(gradient[i])
        m = momentum[i] + (g - momentum[i]) * rest_1
        v = velocity[i] + (g * g - velocity[i]) * rest_2
        w = weights[i] - weights[i] * decay
        w -= rate * m / (np.sqrt(v) + epsilon)
        momentum[i], velocity[i], weights[i] = m, v, w
        rounded[i] = _rounded(w)


@kept
def gather(pixels, chosen, rows):
    """The chosen images' bytes (images, inputs), divided by 255: into the bfloat16 bits `rows` (n, inputs)."""
    for at in range(len(chosen)):
        image, row = pixels[chosen[at]], rows[at]
        for j in range(len(row)):
            row[j] = _rounded(np.float32(image[j]) / _BRIGHTEST)


@kept
def pool(images, shape, largest, where):
    """The largest number of each window of 2 x 2, side by side, and which of its four it was (0 to 3, row by row).

    `images` holds bfloat16 bits, `shape` (n, rows, columns, channels) of them; `largest` and `where` (n, rows // 2,
    columns // 2, channels) numbers each; all are flat. Of equal numbers the first is the largest, and a NaN always is.
    """
    count, rows, columns, channels = _sizes(shape)
    for n in range(count):
        for y in range(rows // _TWO):
            for x in range(columns // _TWO):
                to = ((n * (rows // _TWO) + y) * (columns // _TWO) + x) * channels
                above = ((n * rows + y * _TWO) * columns + x * _TWO) * channels
                below = above + columns * channels
                for c in range(channels):
                    bits, at = images[above + c], np.uint8(0)
                    rival = images[above + channels + c]
                    wins = _wins(rival, bits)
                    bits, at = (rival if wins else bits), (np.uint8(1) if wins else at)
                    rival = images[below + c]
                    wins = _wins(rival, bits)
                    bits, at = (rival if wins else bits), (np.uint8(2) if wins else at)
                    rival = images[below + channels + c]
                    wins = _wins(rival, bits)
                    largest[to + c] = rival if wins else bits
                    where[to + c] = np.uint8(3) if wins else at


@kept
def unpool(gradient, where, shape, images):
    """What `pool` passes back: each window's gradient to the number that was the largest, zero to all others."""
    count, rows, columns, channels = _sizes(shape)
    if rows % _TWO or columns % _TWO:
        images[:] = _ZERO  # a last row or column belongs to no window
    for n in range(count):
        for y in range(rows // _TWO):
            for x in range(columns // _TWO):
                of = ((n * (rows // _TWO) + y) * (columns // _TWO) + x) * channels
                above = ((n * rows + y * _TWO) * columns + x * _TWO) * channels
                below = above + columns * channels
                windows = above, above + channels, below, below + channels
                for k in range(4):
                    to, this = windows[k], np.uint8(k)
                    for c in range(channels):
                        images[to + c] = gradient[of + c] if where[of + c] == this else _ZERO


@compiled
def _sizes(shape):
    # Unsigned: an index that might be negative would be looked at, and keep the loops from becoming vectors.
    return np.uint64(shape[0]), np.uint64(shape[1]), np.uint64(shape[2]), np.uint64(shape[3])


@compiled
def _wins(rival, bits):
    value = _widened(rival)
    return (value > _widened(bits)) | (value != value)
