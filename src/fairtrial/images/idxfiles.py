"""A data set in IDX files: the four that MNIST comes in, gzipped or not, or the two of a part alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fairtrial.errors import DataError
from fairtrial.images import idx
from fairtrial.images.arrays import Part, Parts, labels_of
from fairtrial.images.facts import Source

_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)(?P<dash>[-_.])images[-._]idx3[-._]ubyte(?P<gz>\.gz)?"
)
_PARTS = {"train": "train", "t10k": "test", "test": "test"}


def takes(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) if path.is_file() else path.is_dir() and bool(_found(path))


def files(path: Path) -> list[Path]:
    return [one for pair in _pairs(path).values() for one in pair]


def read(path: Path, source: Source) -> Parts:
    """The training part, and the test part where there is one; a single part is the training part."""
    pairs = _pairs(path)
    what = path.name
    images = {part: idx.read_array(pair[0], dimensions=3) for part, pair in pairs.items()}
    labels = {part: idx.read_array(pair[1], dimensions=1) for part, pair in pairs.items()}
    for part, pair in pairs.items():
        if len(images[part]) != len(labels[part]):
            raise DataError(
                f"{pair[1]}: {len(labels[part])} labels for the {len(images[part])} images of {pair[0]}; "
                "expected one label for each image"
            )
        if not images[part].size:
            raise DataError(f"{pair[0]}: there are no images in it")
    numbered, classes, names, notes = labels_of([labels["train"], labels.get("test")], what=what)
    made = {
        part: Part(images=np.ascontiguousarray(images[part][..., np.newaxis]), labels=one)
        for part, one in zip(("train", "test"), numbered, strict=True)
        if one is not None
    }
    return Parts(
        name=what, classes=classes, class_names=names, train=made["train"], test=made.get("test"), notes=notes
    )


def _found(folder: Path) -> list[re.Match[str]]:
    return [
        match for one in sorted(folder.iterdir()) if one.is_file() and (match := _NAME.fullmatch(one.name))
    ]


def _pairs(path: Path) -> dict[str, tuple[Path, Path]]:
    """Images and labels by part. Raises DataError where files are missing or it is unclear which belong together."""
    folder = path if path.is_dir() else path.parent
    found = _found(folder)
    if path.is_file() and (named := _NAME.fullmatch(path.name)):
        found = [one for one in found if one["prefix"] == named["prefix"]]
    prefixes = list(dict.fromkeys(one["prefix"] for one in found))
    if len(prefixes) > 1:
        raise DataError(
            f"{path}: holds several data sets ({', '.join(prefixes)[:200]}); name one of its files, such as "
            f"{found[0].string}"
        )
    pairs: dict[str, tuple[Path, Path]] = {}
    for one in found:
        part = _PARTS[one["part"]]
        start = f"{one['prefix']}{one['part']}{one['dash']}labels"
        labels = sorted(file for file in folder.iterdir() if re.fullmatch(
            re.escape(start) + r"[-._]idx1[-._]ubyte(\.gz)?", file.name
        ))  # fmt: skip
        if not labels:
            raise DataError(
                f"{folder / one.string}: there are no labels beside it ({start}-idx1-ubyte, perhaps with .gz)"
            )
        # Of a file and its packed twin either will do: both are to hold the same.
        pairs.setdefault(part, (folder / one.string, labels[0]))
    if "train" not in pairs:
        raise DataError(
            f"{path}: there are test images alone; training images are in a file train-images-idx3-ubyte"
        )
    return {part: pairs[part] for part in ("train", "test") if part in pairs}
