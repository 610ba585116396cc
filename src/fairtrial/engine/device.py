"""Where networks are trained: on the processor, or on a CUDA device where torch has one.

The processor is what the compiled loops of this engine are for, and what every published figure was measured on. On a CUDA
device the same training loop goes through torch's own kernels: it is there to be used, and no figure here speaks of it.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from fairtrial.errors import FairtrialError
from fairtrial.study.algorithm import algorithm
from fairtrial.study.schema import Arm

VARIABLE = "FAIRTRIAL_DEVICE"
CPU = torch.device("cpu")


def chosen() -> torch.device:
    """The device of this process: CUDA's first where there is one, unless FAIRTRIAL_DEVICE says `cpu`."""
    asked = os.environ.get(VARIABLE, "auto")
    if asked not in ("auto", "cpu", "cuda"):
        raise FairtrialError(f"{VARIABLE} must be auto, cpu or cuda, got {asked!r}")
    if asked == "cuda" and not torch.cuda.is_available():
        raise FairtrialError(
            f"{VARIABLE} is cuda, but torch {torch.__version__} finds no CUDA device; leave it away to train on the "
            "processor"
        )
    return CPU if asked == "cpu" or not torch.cuda.is_available() else torch.device("cuda")


def device_of(arm: Arm) -> torch.device:
    """Where this arm is trained: one image at a time, with weights left out that have no gradient, on the processor."""
    return chosen() if algorithm(arm) == "batched" else CPU


def one_thread() -> None:
    """What every process that trains with torch does first."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    prepare()


def prepare() -> None:
    """Make a CUDA device compute what it is asked for, twice alike: no TF32 for float32, no sums in any order."""
    if chosen().type != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)


def products(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    """Within it, products of matrices and convolutions are in bfloat16, or as their operands are."""
    return torch.autocast(device.type, torch.bfloat16) if bfloat16 else nullcontext()


def wait(device: torch.device) -> None:
    """Until all that was asked of the device is done: it works on while the program goes on, and a clock would not see it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def name_of(device: torch.device) -> str:
    """In words, for provenance: `cpu`, or which CUDA device."""
    return f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type
