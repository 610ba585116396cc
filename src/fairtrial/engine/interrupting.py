"""A training that ends after an epoch, as a kill would end it, with its checkpoint on disk."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch

from fairtrial.data import catalog
from fairtrial.engine import checkpoint, device
from fairtrial.engine.checkpoint import Checkpoint
from fairtrial.engine.train import train
from fairtrial.trial import Trial


def interrupted(trial: Trial, path: Path) -> None:
    """Train the first epoch of a trial of several, here and as a worker would, and keep its checkpoint at `path`."""
    data = catalog.load(trial.arm.settings.data.facts)
    with _as_in_a_worker():
        for step in train(trial, data, provenance={}):
            if isinstance(step, Checkpoint):
                checkpoint.save(step, path)
                return
    raise ValueError(f"trial {trial.key[:12]} has one epoch: there is nothing to go on with")


@contextmanager
def _as_in_a_worker() -> Generator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    device.prepare()
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
