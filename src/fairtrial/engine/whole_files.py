"""Files of tensors that are there whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from safetensors import SafetensorError

from fairtrial import whole_files


def whole_file(path: Path, *, lasting: bool) -> AbstractContextManager[Path]:
    """As `fairtrial.whole_files`; safetensors has exceptions of its own for a disk that is full."""
    return whole_files.whole_file(path, lasting=lasting, faults=(SafetensorError,))
