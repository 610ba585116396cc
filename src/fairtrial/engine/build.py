"""How this PyTorch was built: what its products are computed by."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fairtrial.engine.device import chosen, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """`capability` are the widest vectors its own loops use here; `device` is where trials train."""

    version: str
    blas: str
    onednn: bool
    capability: str
    threads: int
    device: str


def torch_build() -> Build:
    """Raises FairtrialError where FAIRTRIAL_DEVICE asks for what is not there."""
    return Build(
        version=torch.__version__,
        blas="MKL" if torch.backends.mkl.is_available() else "OpenBLAS or another BLAS",
        onednn=torch.backends.mkldnn.is_available(),
        capability=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        device=name_of(chosen()),
    )
