"""Final weights as a worker saved them, read back without torch."""

from __future__ import annotations

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
