"""Final weights as a worker saved them, read back without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

LARGEST_BYTES, MOST_TENSORS = 2**32, 10_000
"""Of a file of ours. To take out a million tensors of nothing would take minutes."""


def read_tensor(path: Path, name: str) -> NDArray[np.float32] | None:
    """One tensor by its name (`dense-1/kernel`), in Keras's layout.

    None where there is none, or the file is not byte for byte what was saved.
    """
    saved, digest = _saved(path)
    return None if saved is None or digest != fingerprint(saved) else saved.get(name)


def fingerprint(weights: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over names, shapes and bytes: equal for bit-equal networks alone."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def saved_fingerprint(path: Path) -> str | None:
    """The `fingerprint` of the weights in a file, whatever the file says of itself; None where it cannot be read."""
    saved, _ = _saved(path)
    return None if saved is None else fingerprint(saved)


def _saved(path: Path) -> tuple[dict[str, NDArray[np.float32]] | None, str | None]:
    """All weights in a file, and the fingerprint that it claims; None where it cannot be read."""
    try:
        # A pipe or a device of that name would keep us waiting.
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return None, None
        with safe_open(path, framework="np") as file:
            if len(file.keys()) > MOST_TENSORS:
                return None, None
            saved = {one: file.get_tensor(one) for one in file.keys()}  # noqa: SIM118 - it is no dict
            return saved, (file.metadata() or {}).get("sha256")
    # The last two: numbers of a type unknown to numpy.
    except (OSError, SafetensorError, MemoryError, TypeError, AttributeError):
        return None, None
