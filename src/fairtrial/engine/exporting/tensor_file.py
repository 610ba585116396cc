"""A model as its weights alone, in safetensors: what it says of itself is in the file's metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from fairtrial.engine.exporting.members import Model
from fairtrial.engine.saved_weights import LARGEST_BYTES, MOST_TENSORS


def write(model: Model, path: Path, *, card: str) -> None:
    """Tensors by `layer/weight` in Keras's layouts: kernels are (in, out) and (height, width, in, out)."""
    save_file(model.flat_weights, path, metadata={"fairtrial": card, "format": "np"})


def read(
    path: Path, *, room: Callable[[str], int] = lambda _: LARGEST_BYTES
) -> tuple[str | None, dict[str, NDArray[np.float32]]]:
    """The card, or None, and all tensors. Raises OSError, saying why, for what cannot be read.

    `room`: how many bytes a file with this card may have.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise OSError(27, "it is larger than 4 GiB")
    try:
        with safe_open(path, framework="np") as file:
            names = list(file.keys())
            if len(names) > MOST_TENSORS:
                raise OSError(27, f"it holds more than {MOST_TENSORS} tensors")
            card = (file.metadata() or {}).get("fairtrial")
            if card is None:
                return None, {}
            if path.stat().st_size > room(card):
                raise OSError(27, "it is larger than the weights of its network")
            tensors = {name: file.get_tensor(name) for name in names}
            if any(one.dtype != np.float32 for one in tensors.values()):
                raise ValueError("a weight is none of float32")
            return card, tensors
    except (SafetensorError, MemoryError, TypeError, AttributeError, ValueError) as error:
        raise OSError(22, f"it is no whole file of safetensors ({str(error)[:100]})") from None
