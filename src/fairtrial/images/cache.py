"""Decoded arrays on disk, so that every worker maps the same pages instead of decoding its own.

A cache can only save time: what it gives is checked by whoever reads it, and where it cannot be
written the arrays in memory serve as well.
"""

from __future__ import annotations

import os
import sys
import tempfile
import tokenize
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairtrial.images.idx import LARGEST_BYTES

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

# What numpy raises, besides OSError, for a file that only begins like an array.
_UNREADABLE = (ValueError, EOFError, TypeError, OverflowError, SyntaxError, MemoryError, tokenize.TokenError)


def folder() -> Path:
    """Where arrays are cached: `FAIRTRIAL_CACHE`, or the platform's cache folder of the user.

    Raises RuntimeError if the user has no home.
    """
    if own := os.environ.get("FAIRTRIAL_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "fairtrial" / "Cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fairtrial"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairtrial"


def read(fingerprint: str) -> Mapping[str, NDArray[np.uint8]] | None:
    """The arrays cached under `fingerprint`, mapped read-only and not checked; None if unreadable."""
    try:
        place = folder() / fingerprint
        # As plain arrays: a memmap would hand its class on to everything computed from it.
        return {name: np.asarray(_mapped(place / f"{name}.npy")) for name in ARRAYS}
    except (OSError, RuntimeError, *_UNREADABLE):
        return None


def _mapped(path: Path) -> NDArray[np.uint8]:
    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path} is no array of ours")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def write(fingerprint: str, arrays: Mapping[str, NDArray[np.uint8]]) -> None:
    """Cache `arrays` under `fingerprint`, or leave it where the disk does not allow it.

    Each file appears whole or not at all. Two processes may write at once: under one
    fingerprint both write the same.
    """
    try:
        place = folder() / fingerprint
        place.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            _replace(place / f"{name}.npy", arrays[name])
    except (OSError, RuntimeError):
        return


def _replace(path: Path, array: NDArray[np.uint8]) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.stem}-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.save(file, array, allow_pickle=False)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
