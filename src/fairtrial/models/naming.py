"""Formats of models: what their files are called, and how images lie in what they take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormat:
    suffix: str
    layout: Literal["NHWC", "NCHW"]
    loaded_by: str


FORMATS: dict[str, ModelFormat] = {
    "keras": ModelFormat(suffix=".keras", layout="NHWC", loaded_by="keras.saving.load_model"),
    "onnx": ModelFormat(suffix=".onnx", layout="NCHW", loaded_by="onnxruntime.InferenceSession"),
    "safetensors": ModelFormat(suffix=".safetensors", layout="NHWC", loaded_by="safetensors.numpy.load_file"),
    "torch.export": ModelFormat(suffix=".pt2", layout="NCHW", loaded_by="torch.export.load"),
    "torchscript": ModelFormat(suffix=".pt", layout="NCHW", loaded_by="torch.jit.load"),
}


def file_name(arm: str, seeds: Sequence[int], format: str) -> str:
    """Of a file nobody named.

    >>> file_name("width 200", [3], "onnx"), file_name("a/b", [1, 2], "keras")
    ('width-200-seed-3.onnx', 'a-b-ensemble.keras')
    """
    name = as_file_name(arm) or "model"
    which = f"seed-{seeds[0]}" if len(seeds) == 1 else "ensemble"
    return f"{name}-{which}{FORMATS[format].suffix}"


def as_file_name(name: str) -> str:
    """A name of a study or an arm as part of a file's; empty if nothing of it can be."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.")[:80]
