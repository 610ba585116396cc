"""One image file as an array of unsigned bytes; with `upright.py` the only module that knows Pillow."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairtrial.bounded import read_bounded
from fairtrial.errors import DataError
from fairtrial.images.arrays import Bytes
from fairtrial.images.facts import LARGEST_SIDE
from fairtrial.images.upright import upright

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".pgm", ".ppm", ".pnm", ".gif")
OTHER_SUFFIXES = (".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".tga", ".ico", ".svg", ".dcm")
"""Of images too, in formats that are not read: to leave them out without a word would be to learn from less."""
LARGEST_FILE = 2**26
"""Bytes of one image file."""

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "PPM", "GIF")
_KEPT = {
    "L": "L",
    "1": "L",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "LA": "RGBA",
    "PA": "RGBA",
    "La": "RGBA",
    "RGBX": "RGB",
}
"""The modes that lose nothing, and what they are read as."""

_BAD = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, OverflowError, MemoryError, LookupError, AttributeError,
    RuntimeError, AssertionError, struct.error, zlib.error, Warning,
)  # fmt: skip
"""What Pillow raises for files that only begin like an image."""


def read(path: Path) -> tuple[Bytes, bool]:
    """The image (height, width, channels): 1 channel if it is grey, 3 if it has colour, 4 if transparency.

    It stands as viewers show it; the second value says whether it had to be turned for that.

    Raises DataError for a file that is damaged, no image, or of a kind that would lose something.
    """
    with _opened(path) as image:
        return pixels_of(image, what=str(path))


def pixels_of(image: Any, *, what: str) -> tuple[Bytes, bool]:
    """The same of an image that Pillow holds already, which messages call `what`."""
    mode = _mode(image, what)
    image, turned = upright(image)
    pixels = np.asarray(image.convert(mode), np.uint8)
    return np.ascontiguousarray(pixels[..., np.newaxis] if pixels.ndim == 2 else pixels), turned


def shape_of(path: Path) -> tuple[int, int, int]:
    """Height, width and channels that `read` would give."""
    with _opened(path) as image:
        channels = {"L": 1, "RGB": 3, "RGBA": 4}[_mode(image, str(path))]
        standing, _ = upright(image)
        return standing.height, standing.width, channels


def demand_pillow(path: Path) -> None:
    """Raises DataError where the library that reads image files is not installed."""
    try:
        import PIL.Image  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise DataError(
            f"{path}: reading image files needs Pillow, which is not installed: pip install 'fairtrial[images]'"
        ) from None


@contextmanager
def _opened(path: Path) -> Generator[Image.Image]:
    demand_pillow(path)
    from PIL import Image

    try:
        content = read_bounded(path, largest=LARGEST_FILE)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of files that unpack to very much
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if max(image.size) > LARGEST_SIDE or min(image.size) < 1:
                    raise DataError(
                        f"{path}: {image.height} x {image.width} pixels; at most {LARGEST_SIDE} a side are read"
                    )
                if getattr(image, "n_frames", 1) > 1:
                    raise DataError(
                        f"{path}: holds {getattr(image, 'n_frames', 2)} images, one after the other; one is expected"
                    )
                yield image
    except DataError:
        raise
    except (*_BAD, Image.DecompressionBombError) as error:
        reason = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
        raise DataError(
            f"{path}: not an undamaged image ({reason.replace('<_io.BytesIO object', '<the file')}); save it anew, "
            "or take it out of the folder"
        ) from None


def _mode(image: Image.Image, what: str) -> str:
    """How the image is read. A palette is only a way to store; so the colours in it decide."""
    if image.mode == "P":
        if "transparency" in image.info:
            return "RGBA"
        palette = np.array(image.getpalette() or [0, 0, 0], np.uint8).reshape(-1, 3)
        return "L" if (palette == palette[:, :1]).all() else "RGB"
    if image.mode in ("L", "RGB") and "transparency" in image.info:
        return "RGBA"
    if image.mode not in _KEPT:
        raise DataError(
            f"{what}: an image of mode {image.mode} (more than 8 bits a pixel, or colours made for print); save it as "
            "8-bit grey or RGB"
        )
    return _KEPT[image.mode]
