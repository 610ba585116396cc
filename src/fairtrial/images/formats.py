"""The forms in which published data sets come, each as the parts that are learnt from.

Whatever is read here was checked against its published checksum before; it is still refused if it is not what it
should be.
"""

from __future__ import annotations

import bz2
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images import idx
from fairtrial.images.arrays import Bytes, Part
from fairtrial.images.idx import LARGEST_BYTES

Files = Mapping[str, Path]
Pair = tuple[Part, Part]
"""Training and test images."""

_BAD = (OSError, EOFError, ValueError, KeyError, TypeError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
        NotImplementedError, RuntimeError, MemoryError)  # fmt: skip


def idx_pairs(files: Files) -> Pair:
    """The four files of MNIST and those that were made to replace it."""
    made: list[Part] = []
    for prefix in ("train", "t10k"):
        images = idx.read_array(files[f"{prefix}-images-idx3-ubyte.gz"], dimensions=3)
        labels = idx.read_array(files[f"{prefix}-labels-idx1-ubyte.gz"], dimensions=1)
        made.append(_part(images[..., np.newaxis], labels, prefix))
    return made[0], made[1]


def qmnist(files: Files) -> Pair:
    """Labels are rows of eight numbers, the first of which is the class; the rest says who wrote the digit."""
    made: list[Part] = []
    for part in ("train", "test"):
        images = idx.read_array(files[f"qmnist-{part}-images-idx3-ubyte.gz"], dimensions=3)
        path = files[f"qmnist-{part}-labels-idx2-int.gz"]
        rows = idx.parsed(path.read_bytes(), where=str(path), dimensions=2, kind=idx.INTEGERS)
        made.append(_part(images[..., np.newaxis], rows[:, 0], part))
    return made[0], made[1]


def emnist(files: Files, *, split: str, first: int) -> Pair:
    """One split out of the archive of all. Its images are stored column by column, and are turned upright here.

    `first` is the smallest label: the letters are numbered from 1.
    """
    (path,) = files.values()
    made: list[Part] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for part in ("train", "test"):
                stem = f"gzip/emnist-{split}-{part}"
                images = _idx_in(archive, f"{stem}-images-idx3-ubyte.gz", 3)
                labels = _idx_in(archive, f"{stem}-labels-idx1-ubyte.gz", 1)
                upright = np.ascontiguousarray(images.transpose(0, 2, 1))[..., np.newaxis]
                made.append(_part(upright, labels.astype(np.int64) - first, part))
    except DataError:
        raise
    except _BAD as error:
        raise DataError(f"{path}: not the archive it should be ({error})") from None
    return made[0], made[1]


def _idx_in(archive: zipfile.ZipFile, member: str, dimensions: int) -> NDArray[Any]:
    if archive.getinfo(member).file_size > LARGEST_BYTES:
        raise DataError(f"{member}: larger than {LARGEST_BYTES} bytes")
    return idx.parsed(archive.read(member), where=member, dimensions=dimensions)


def cifar(files: Files, *, batches: tuple[tuple[str, ...], str], labels: int) -> Pair:
    """The binary version, which is no pickle: rows of `labels` label bytes, the last of which counts, and three planes."""
    (path,) = files.values()
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            # An archive has its members one after the other; they are read in one pass.
            wanted = {*batches[0], batches[1]}
            content: dict[str, bytes] = {}
            for member in archive:
                name = Path(member.name).name
                if name in wanted and member.isfile():
                    if member.size > LARGEST_BYTES:
                        raise DataError(f"{path}: {name} is larger than {LARGEST_BYTES} bytes")
                    file = archive.extractfile(member)
                    content[name] = b"" if file is None else file.read()
        if missing := wanted - set(content):
            raise DataError(f"{path}: {', '.join(sorted(missing))} is not in it")
        train = b"".join(content[name] for name in batches[0])
        return _cifar_part(train, labels, path), _cifar_part(content[batches[1]], labels, path)
    except DataError:
        raise
    except _BAD as error:
        raise DataError(f"{path}: not the archive it should be ({error})") from None


def _cifar_part(content: bytes, labels: int, path: Path) -> Part:
    width = labels + 3 * 32 * 32
    if not content or len(content) % width:
        raise DataError(f"{path}: {len(content)} bytes, which are no rows of {width}")
    rows = np.frombuffer(content, np.uint8).reshape(-1, width)
    images = np.ascontiguousarray(rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return _part(images, rows[:, labels - 1], str(path))


def svhn(files: Files) -> Pair:
    """Two files of MATLAB 5: X is height x width x channel x image, and y has 10 where the digit is 0."""
    from scipy import io  # pyright: ignore[reportMissingTypeStubs]  the one reader of MATLAB's files that is here anyway
    from scipy.io.matlab import MatReadError  # pyright: ignore[reportMissingTypeStubs]

    loadmat = cast("Callable[..., object]", io.loadmat)  # pyright: ignore[reportUnknownMemberType]

    made: list[Part] = []
    for path in files.values():
        try:
            found = cast("dict[str, NDArray[Any]]", loadmat(path, variable_names=("X", "y")))
            images, labels = found["X"], found["y"]
        except (*_BAD, MatReadError) as error:
            raise DataError(f"{path}: not a file of MATLAB 5 with X and y ({error})") from None
        if images.ndim != 4 or images.shape[2] != 3 or images.dtype != np.uint8:
            raise DataError(
                f"{path}: X is {images.dtype} of {images.shape}; expected bytes, height x width x 3 x n"
            )
        upright = np.ascontiguousarray(images.transpose(3, 0, 1, 2))
        made.append(_part(upright, labels.reshape(-1).astype(np.int64) % 10, str(path)))
    return made[0], made[1]


def usps(files: Files) -> Pair:
    """Lines of `label index:value ...`, packed with bzip2: labels from 1, values from -1 to 1, 16 x 16 of them."""
    made: list[Part] = []
    for path in files.values():
        try:
            text = bz2.BZ2Decompressor().decompress(path.read_bytes(), LARGEST_BYTES).decode("ascii")
            rows = [line.split() for line in text.splitlines()]
            values = np.array(
                [[_value(place, one) for place, one in enumerate(row[1:])] for row in rows], np.float64
            )
            labels = np.array([int(row[0]) for row in rows]) - 1
        except _BAD as error:
            raise DataError(
                f"{path}: not lines of a label and 256 values, packed with bzip2 ({error})"
            ) from None
        if values.ndim != 2 or values.shape[1] != 256 or np.abs(values).max() > 1:
            raise DataError(f"{path}: expected 256 values from -1 to 1 in each line")
        images = np.floor((values + 1) / 2 * 255 + 0.5).astype(np.uint8)
        made.append(_part(images.reshape(-1, 16, 16, 1), labels, str(path)))
    return made[0], made[1]


def _value(place: int, text: str) -> float:
    index, _, value = text.partition(":")
    if int(index) != place + 1:
        raise ValueError(f"value {index} where {place + 1} belongs")
    return float(value)


def _part(images: Bytes, labels: NDArray[Any], where: object) -> Part:
    if len(images) != len(labels):
        raise DataError(f"{where}: {len(labels)} labels for {len(images)} images")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) <= 255:
        raise DataError(f"{where}: labels from {int(labels.min())} to {int(labels.max())}")
    return Part(images=images, labels=np.ascontiguousarray(labels, np.uint8))
