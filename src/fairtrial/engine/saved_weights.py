"""Final weights as a worker saved them, read back without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open


def read_tensor(path: Path, name: str) -> NDArray[np.float32] | None:
    """One tensor by its name (`dense-1/kernel`), in Keras's layout; None where it cannot be read."""
    try:
        with safe_open(path, framework="np") as file:
            return file.get_tensor(name)
    except (OSError, SafetensorError):
        return None


def fingerprint(weights: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over names, shapes and bytes: equal for bit-equal networks alone."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def saved_fingerprint(path: Path) -> str | None:
    """The `fingerprint` of the weights in a file, whatever the file says of itself; None where it cannot be read."""
    try:
        with safe_open(path, framework="np") as file:
            return fingerprint({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError):
        return None
