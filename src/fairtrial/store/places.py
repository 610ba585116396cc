"""What lies beside a store: files too large for it."""

from __future__ import annotations

from pathlib import Path

WEIGHTS_SUFFIX = ".safetensors"


def weights_folder(store: Path) -> Path:
    return store.with_suffix(".weights")


def weights_path(store: Path, key: str) -> Path:
    """Where a trial's final weights are, or would be."""
    return weights_folder(store) / f"{key}{WEIGHTS_SUFFIX}"


def checkpoints_folder(store: Path) -> Path:
    return store.with_suffix(".checkpoints")


def checkpoint_path(store: Path, key: str) -> Path:
    """Where a trial's checkpoint is, or would be, while it trains."""
    return checkpoints_folder(store) / key
