"""A data set in arrays that NumPy wrote: one .npz file, or images and labels in .npy files of their own."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.arrays import Parts
from fairtrial.images.facts import Source
from fairtrial.images.named import ROLES, parts_from, role

LARGEST_ARRAY = 2**32
"""Bytes of one array as it is stored; images of double precision take eight times what they take here."""

MOST_MEMBERS = 1000
PAIR = ","
"""Between the two paths of images and labels."""

_BAD = (
    ValueError, EOFError, TypeError, OverflowError, SyntaxError, MemoryError, RecursionError, KeyError,
    tokenize.TokenError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError,
)  # fmt: skip
"""What NumPy and zipfile raise for files that only begin like their own."""


def takes(path: Path) -> bool:
    if PAIR in str(path):
        return all(one.suffix.lower() == ".npy" for one in _pair(path))
    if path.is_dir():
        return any(role(one.stem) and one.suffix.lower() == ".npy" for one in path.iterdir())
    return path.is_file() and path.suffix.lower() in (".npz", ".npy")


def files(path: Path) -> list[Path]:
    return [path] if path.suffix.lower() == ".npz" else list(_members(path).values())


def read(path: Path, source: Source) -> Parts:
    """The arrays by their usual names: train_images and the like, Keras's x_train and the like, or images and labels."""
    name = path.name if PAIR not in str(path) else _pair(path)[0].stem
    if path.suffix.lower() == ".npz" and path.is_file():
        return parts_from(_of_npz(path), name=name, where=str(path), highest=source.highest)
    arrays = {called: _of_npy(file) for called, file in _members(path).items()}
    return parts_from(arrays, name=name, where=str(path), highest=source.highest)


def _pair(path: Path) -> list[Path]:
    return [Path(one) for one in str(path).split(PAIR)]


def _members(path: Path) -> dict[str, Path]:
    """The .npy files by what they are. Raises DataError for images without labels."""
    if PAIR in str(path):
        images, *labels = _pair(path)
        if len(labels) != 1:
            raise DataError(f"{path}: give two .npy files, images and then labels, with a comma between them")
        return {"images": images, "labels": labels[0]}
    folder = path if path.is_dir() else path.parent
    found = {
        one.stem: one for one in sorted(folder.iterdir()) if one.suffix.lower() == ".npy" and role(one.stem)
    }
    if path.is_file():
        given = role(path.stem)
        if given is None:
            raise DataError(
                f"{path}: images and labels are in two files; name both with a comma between them, such as "
                f"{path.name},labels.npy, or call them images.npy and labels.npy"
            )
        kin = {"train", "test"} if given[0] != "whole" else {"whole"}
        found = {stem: one for stem, one in found.items() if (known := role(stem)) and known[0] in kin}
    return found


def _of_npy(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            return _array(file, path.stat().st_size, str(path))
    except DataError:
        raise
    except _BAD as error:
        raise DataError(f"{path}: not an undamaged .npy file ({_why(error)})") from None


def _of_npz(path: Path) -> Mapping[str, NDArray[Any]]:
    """The arrays that have a known name. Raises DataError for a file that is none or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise DataError(f"{path}: {len(members)} arrays; at most {MOST_MEMBERS} are looked at")
            return dict(_arrays(archive, members, path))
    except DataError:
        raise
    except _BAD as error:
        raise DataError(f"{path}: not an undamaged .npz file ({_why(error)})") from None


def _arrays(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], path: Path
) -> Iterator[tuple[str, NDArray[Any]]]:
    stems = [one.filename.removesuffix(".npy") for one in members]
    if not any(role(stem) for stem in stems):
        raise DataError(
            f"{path}: no array in it has a name that is known; it has {', '.join(stems)[:200] or 'none'}; known are "
            f"{'; '.join(ROLES)}. numpy.savez({path.name!r}, images=..., labels=...) gives names"
        )
    for stem, member in zip(stems, members, strict=True):
        if role(stem):
            with archive.open(member) as file:
                yield stem, _array(file, member.file_size, f"{path}: {stem}")


def _array(file: IO[bytes], size: int, where: str) -> NDArray[Any]:
    """One array, of which no more is read than its header announces and its file is said to hold."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise DataError(
            f"{where}: version {version[0]}.{version[1]} of the .npy format; 1.0 and 2.0 are read"
        )
    if dtype.hasobject or dtype.kind not in "buifUS":
        raise DataError(
            f"{where}: an array of {dtype}; images are numbers, labels numbers or words. Python objects are never read"
        )
    announced = math.prod(shape) * dtype.itemsize
    if announced > min(size, LARGEST_ARRAY):
        most = f"at most {LARGEST_ARRAY:,} are read" if announced > LARGEST_ARRAY else f"there are {size:,}"
        raise DataError(f"{where}: its header announces {announced:,} bytes; {most}")
    content = file.read(announced)
    if len(content) != announced:
        raise DataError(f"{where}: {len(content):,} bytes of {announced:,}: it was cut short")
    array = np.frombuffer(content, dtype) if dtype.itemsize else np.zeros(math.prod(shape), dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _why(error: BaseException) -> str:
    said = (str(error).splitlines() or [""])[0][:200]
    if " object at 0x" in said:
        return "its header cannot be read"  # NumPy tells of a part of Python's own there
    return said or type(error).__name__
