"""A trial in mid-training, on disk: enough to go on bit for bit after a kill.

No random state is kept: every stream is named by seed and epoch and starts anew with its epoch.
Tensors are safetensors, never pickles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fairtrial.engine.saved_weights import LARGEST_BYTES, MOST_TENSORS
from fairtrial.engine.whole_files import whole_file
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
    """Write atomically: a kill leaves the previous checkpoint or this one, never half of it.

    Raises OSError where it cannot be written.
    """
    about = {
        "key": checkpoint.key,
        "history": [record._asdict() for record in checkpoint.history],
        "seconds": checkpoint.seconds,
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in checkpoint.tensors.items()}
    text = json.dumps(about)
    with whole_file(path, lasting=False) as part:
        save_file(tensors, part, metadata={"fairtrial": text, "sha256": _digest(text, tensors)})


def load(path: Path, *, key: str) -> Checkpoint | None:
    """The checkpoint of trial `key`, or None where there is none that can be used: the trial then starts anew.

    Every byte of it counts: one that was damaged on the disk would go on to other numbers without a word.
    """
    try:
        # A pipe or a device of that name would keep us waiting.
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return None
        with safe_open(path, framework="pt") as file:
            if len(file.keys()) > MOST_TENSORS:
                return None
            metadata = file.metadata() or {}
            text = metadata.get("fairtrial", "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError, MemoryError):
        return None
    if metadata.get("sha256") != _digest(text, tensors):
        return None
    # Ours from here on: nothing else has the digest of its own content.
    about = json.loads(text)
    if about["key"] != key:
        return None
    history = tuple(EpochRecord(**record) for record in about["history"])
    return Checkpoint(key=key, tensors=tensors, history=history, seconds=about["seconds"])


def _digest(about: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over all that a checkpoint holds."""
    digest = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).cpu().numpy().data)
    return digest.hexdigest()
