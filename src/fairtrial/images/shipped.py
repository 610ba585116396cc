"""MNIST, which comes with fairtrial."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fairtrial.errors import DataError
from fairtrial.images import idx
from fairtrial.images.arrays import Arrays, Bytes, fingerprint
from fairtrial.images.facts import MNIST, DatasetFacts


def read() -> Arrays:
    """The arrays of the packaged files. Raises DataError if these are missing, damaged or not the published ones."""
    with resources.as_file(resources.files("fairtrial") / "data" / MNIST.name) as folder:
        return decode(folder, MNIST)


def decode(folder: Path, facts: DatasetFacts) -> Arrays:
    """The arrays of the four published files in `folder`, by name.

    Raises DataError if their content is not exactly what `facts` knows.
    """
    arrays: dict[str, Bytes] = {}
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
