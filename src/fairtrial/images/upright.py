"""Which way up a photograph is: cameras store it as the sensor lay, and say in EXIF how to turn it.

Every viewer turns it, and so does a person who labels it. An image that is learnt from is the one that was seen.
"""

from __future__ import annotations

from typing import Any

_ORIENTATION = 0x0112
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    Warning,
)


def upright(image: Any) -> tuple[Any, bool]:
    """An image of Pillow's as viewers show it, and whether it had to be turned or mirrored for that.

    EXIF that says nothing of it, or cannot be read, leaves the image as it is.
    """
    from PIL.Image import Transpose

    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except _UNREADABLE:
        return image, False
    turns = (
        Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
        Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    )  # fmt: skip
    if not isinstance(said, int) or not 2 <= said <= 8:
        return image, False
    return image.transpose(turns[said - 2]), True
