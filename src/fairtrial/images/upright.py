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


def turn_of(image: Any) -> Any:
    """Pillow's name of what stands the image upright, as EXIF says; None where it says nothing, or nothing that can be read."""
    from PIL.Image import Transpose

    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except _UNREADABLE:
        return None
    turns = (
        Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
        Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    )  # fmt: skip
    return turns[said - 2] if isinstance(said, int) and 2 <= said <= 8 else None


def upright(image: Any) -> tuple[Any, bool]:
    """An image of Pillow's as viewers show it, and whether it had to be turned or mirrored for that."""
    turn = turn_of(image)
    return (image, False) if turn is None else (image.transpose(turn), True)
