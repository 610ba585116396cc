"""Images from a path: what kind of file or folder it is, and its content."""

from __future__ import annotations

from pathlib import Path

from fairtrial.errors import DataError
from fairtrial.images import arrayfiles, folders, idxfiles
from fairtrial.images.arrays import Parts
from fairtrial.images.facts import Source

KINDS = (
    "a folder with a folder of images for each class (`train/CLASS/*.png` and `test/CLASS/*.png`, or the class folders "
    "alone), a folder or file in the IDX format, an .npz file, or two .npy files (images and labels)"
)


def files(path: Path) -> list[Path]:
    """The files that a data set at `path` is read from, in order. Raises DataError where there is none."""
    return _kind(path).files(path)


def read(path: Path, source: Source) -> Parts:
    """The images and labels at `path`. Raises DataError for what is none or is damaged."""
    return _kind(path).read(path, source)


def _kind(path: Path):
    for kind in (arrayfiles, idxfiles, folders):
        if kind.takes(path):
            return kind
    raise DataError(f"{path}: holds no images that can be read; a data set is {KINDS}")
