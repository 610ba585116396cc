"""One image file as an array of unsigned bytes; with `upright.py` the only module that knows Pillow.

Two readers: `read` for data sets, which takes what loses nothing and refuses the rest, so that what is learnt from is
what stands in the files; `read_any` for a picture that somebody wants to know something of, however it was made.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairtrial.bounded import read_bounded
from fairtrial.errors import DataError
from fairtrial.images.arrays import Bytes
from fairtrial.images.facts import LARGEST_SIDE
from fairtrial.images.upright import turn_of, upright

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".pgm", ".ppm", ".pnm", ".gif")
OTHER_SUFFIXES = (".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".tga", ".ico", ".svg", ".dcm")
"""Of images too, in formats that are not read: to leave them out without a word would be to learn from less."""
LARGEST_FILE = 2**26
"""Bytes of one image file."""
LARGEST_ANY_FILE = 2**28

ANY_SUFFIXES = (*SUFFIXES, ".pbm", ".tif", ".tiff", ".avif", ".ico", ".tga")
MOST_PIXELS = 50_000_000
"""Of a picture that `read_any` takes: those of a large photograph, and a quarter of a gigabyte while it is decoded."""

LONGEST_SIDE = 1280
"""Pixels; larger pictures are averaged down as they are read."""

_ANY_FORMATS = (
    "PNG", "JPEG", "BMP", "WEBP", "PPM", "GIF", "TIFF", "AVIF", "ICO", "TGA",
)  # fmt: skip

_HIGHEST = tuple(2.0**bits - 1 for bits in (8, 10, 12, 14, 16))
"""Of whole numbers of more than 8 bits: the least that holds all of a picture is taken to be white."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`pixels` are (height, width, 1, 3 or 4); `done` says what reading it took; `size` is (height, width) in the file."""

    pixels: Bytes
    size: tuple[int, int]
    done: tuple[str, ...]


def read_any(path: Path) -> Picture:
    """The first image of a file, upright, in 8 bits, and no larger than is of use.

    Raises DataError for a file that is damaged, no image, or would take too much memory.
    """
    done: list[str] = []
    with _opened(path, formats=_ANY_FORMATS, largest=LARGEST_ANY_FILE) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise DataError(
                f"{path}: {height} x {width} pixels; at most {MOST_PIXELS:,} in all are read. Make it smaller first"
            )
        if (frames := getattr(image, "n_frames", 1)) > 1 and image.format != "MPO":
            image.seek(0)
            done.append(f"the first of {frames} images taken")
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
        turn = turn_of(image)
        small = _eight_bits(_smaller(image), done)
        small = _smaller(small)
        if small.size != (width, height):
            done.append("averaged down")
        if turn is not None:
            small = small.transpose(turn)
            done.append("turned upright")
        pixels = np.asarray(small, np.uint8)
    pixels = np.ascontiguousarray(pixels[..., np.newaxis] if pixels.ndim == 2 else pixels)
    on_its_side = (pixels.shape[0] > pixels.shape[1]) != (height > width)
    return Picture(pixels=pixels, size=(width, height) if on_its_side else (height, width), done=tuple(done))


def _smaller(image: Image.Image) -> Image.Image:
    """Averaged down by a whole number, where its mode can be and it is larger than is of use."""
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    factor = -(-max(image.size) // LONGEST_SIDE)
    return (
        image.reduce(factor) if factor > 1 and image.mode in ("L", "RGB", "RGBA", "I", "F", "CMYK") else image
    )


def _eight_bits(image: Image.Image, done: list[str]) -> Image.Image:
    """As L, RGB or RGBA. Numbers that are no whole ones are scaled by their own highest."""
    from PIL.Image import fromarray

    if image.mode in ("I", "F"):
        levels = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0).clip(0)
        highest = float(levels.max(initial=0))
        if image.mode == "I":
            highest = next((one for one in _HIGHEST if highest <= one), highest)
        done.append("made 8 bits")
        return fromarray(np.rint(levels * (255 / max(highest, 1e-9))).clip(0, 255).astype(np.uint8))
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        done.append("made RGB")
        return image.convert("RGB")
    if image.mode in ("RGBa", "RGBA;16"):
        return image.convert("RGBA")
    return image.convert(_mode(image, ""))


def demand_pillow(path: Path) -> None:
    """Raises DataError where the library that reads image files is not installed."""
    try:
        import PIL.Image  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise DataError(
            f"{path}: reading image files needs Pillow, which is not installed: pip install 'fairtrial[images]'"
        ) from None


@contextmanager
def _opened(
    path: Path, *, formats: Sequence[str] = _FORMATS, largest: int = LARGEST_FILE
) -> Generator[Image.Image]:
    """The image in the file, and whatever Pillow says of it in words of ours. Sides and frames count for data sets alone."""
    demand_pillow(path)
    from PIL import Image, UnidentifiedImageError

    try:
        content = read_bounded(path, largest=largest)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of files that unpack to very much
            Image.init()
            kinds = [one for one in formats if one in Image.OPEN]  # not every build of Pillow has all
            with Image.open(io.BytesIO(content), formats=kinds) as image:
                if formats is not _FORMATS and min(image.size) > 0:
                    yield image
                    return
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
    except UnidentifiedImageError:
        named = ", ".join(one.lower() for one in formats)
        raise DataError(f"{path}: not an undamaged image of a kind that is read here ({named})") from None
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
