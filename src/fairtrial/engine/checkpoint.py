"""A trial in mid-training, on disk: enough to go on bit for bit after a kill.

No random state is kept: every stream is named by seed and epoch and starts anew with its epoch.
Tensors are safetensors, never pickles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fairtrial.trial import EpochRecord, Trial

if TYPE_CHECKING:
    from fairtrial.engine.batched import Learner
    from fairtrial.engine.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """State after the epochs of `history`: weights, optimiser's state, and the seconds spent so far."""

    key: str
    tensors: dict[str, torch.Tensor]
    history: tuple[EpochRecord, ...]
    seconds: dict[str, float]

    @classmethod
    def of(
        cls,
        trial: Trial,
        network: Network,
        learner: Learner,
        history: Sequence[EpochRecord],
        seconds: dict[str, float],
    ) -> Checkpoint:
        tensors = {f"network/{name}": tensor for name, tensor in network.state_dict().items()}
        tensors |= {f"optimizer/{name}": tensor for name, tensor in learner.state().items()}
        return cls(key=trial.key, tensors=tensors, history=tuple(history), seconds=dict(seconds))

    def restore(self, network: Network, learner: Learner) -> None:
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "optimizer": {}}
        for name, tensor in self.tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        network.load_state_dict(parts["network"])
        learner.load_state(parts["optimizer"])


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write atomically: a kill leaves the previous checkpoint or this one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}.part")
    about = {
        "key": checkpoint.key,
        "history": [record._asdict() for record in checkpoint.history],
        "seconds": checkpoint.seconds,
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, written, metadata={"fairtrial": json.dumps(about)})
    written.replace(path)


def load(path: Path, *, key: str) -> Checkpoint | None:
    """The checkpoint of trial `key`, or None where there is none that can be used."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("fairtrial", "{}"))
            if about.get("key") != key:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (FileNotFoundError, SafetensorError):
        return None
    history = tuple(EpochRecord(**record) for record in about["history"])
    return Checkpoint(key=key, tensors=tensors, history=history, seconds=about["seconds"])
