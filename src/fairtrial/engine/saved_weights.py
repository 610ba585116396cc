"""Final weights as a worker saves them, and read back without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from fairtrial.engine.whole_files import whole_file

if TYPE_CHECKING:
    from fairtrial.engine.train import Trained

LARGEST_BYTES, MOST_TENSORS = 2**32, 10_000
"""Of a file of ours. To take out a million tensors of nothing would take minutes."""


def save(trained: Trained, path: Path) -> None:
    """All of them or none, with the fingerprint they must have. Raises OSError where they cannot be written.

    On the disk before the outcome is told: the store must not name a file that a power cut took.
    """
    with whole_file(path, lasting=True) as part:
        save_file(trained.weights, part, metadata={"sha256": trained.outcome.weights_sha256})


def fingerprint(weights: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over names, shapes and bytes: equal for bit-equal networks alone."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def read_weights(path: Path, *, sha256: str) -> dict[str, NDArray[np.float32]] | None:
    """All tensors by their names (`dense-1/kernel`), in Keras's layouts.

    None where they cannot be read, or are not those of this fingerprint: a damaged file shows nobody's network.
    """
    saved = _saved(path)
    return saved if saved is not None and fingerprint(saved) == sha256 else None


def saved_fingerprint(path: Path) -> str | None:
    """The `fingerprint` of the weights in a file, whatever the file says of itself; None where it cannot be read."""
    saved = _saved(path)
    return None if saved is None else fingerprint(saved)


def _saved(path: Path) -> dict[str, NDArray[np.float32]] | None:
    """All weights in a file, whatever it says of itself; None where it cannot be read."""
    try:
        # A pipe or a device of that name would keep us waiting.
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return None
        with safe_open(path, framework="np") as file:
            if len(file.keys()) > MOST_TENSORS:
                return None
            return {one: file.get_tensor(one) for one in file.keys()}  # noqa: SIM118 - it is no dict
    # The last two: numbers of a type unknown to numpy.
    except (OSError, SafetensorError, MemoryError, TypeError, AttributeError):
        return None
