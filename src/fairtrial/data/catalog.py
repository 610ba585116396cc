"""The data sets that ship with fairtrial, checked whenever they are opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairtrial.data import cache, idx
from fairtrial.errors import DataError
from fairtrial.study.datasets import DATASETS, DatasetFacts

Arrays = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Images (n, height, width, channels) and labels (n,), all unsigned bytes and read-only."""

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    fingerprint: str


def load(name: str) -> Dataset:
    """The data set called `name`, from the cache or from the files of the package.

    Whatever its source, it is used only if its fingerprint is the one known for the name: 0.1 s
    from the cache, below a second otherwise. Raises DataError if there is no such data set, or
    its files are missing, damaged or not the published ones.
    """
    if name not in DATASETS:
        raise DataError(f"there is no data set {name!r}; there is {', '.join(sorted(DATASETS))}")
    facts = DATASETS[name]
    # A cache that is missing, damaged or of something else is built anew, never used.
    cached = cache.read(facts.fingerprint)
    if cached is not None and fingerprint(cached) == facts.fingerprint:
        return _dataset(facts, cached)
    with resources.as_file(resources.files("fairtrial.data") / name) as folder:
        arrays = decode(folder, facts)
    cache.write(facts.fingerprint, arrays)
    return _dataset(facts, arrays)


def decode(folder: Path, facts: DatasetFacts) -> Arrays:
    """The arrays of the four published files in `folder`, by name.

    Raises DataError if their content is not exactly what `facts` knows.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = idx.read_pair(
            folder / f"{prefix}-images-idx3-ubyte.gz",
            folder / f"{prefix}-labels-idx1-ubyte.gz",
            classes=facts.classes,
        )
    found = fingerprint(arrays)
    if found != facts.fingerprint:
        raise DataError(
            f"{folder}: the files are readable but do not hold {facts.name}: fingerprint {found}; "
            f"expected {facts.fingerprint}. Install fairtrial again."
        )
    return arrays


def fingerprint(arrays: Arrays) -> str:
    """SHA-256 over names, shapes and bytes of the arrays, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _dataset(facts: DatasetFacts, arrays: Arrays) -> Dataset:
    return Dataset(name=facts.name, fingerprint=facts.fingerprint, **arrays)
