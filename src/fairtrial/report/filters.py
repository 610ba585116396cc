"""The first layer that looks at the image, as pictures: what each unit or filter responds to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.engine.saved_weights import read_weights
from fairtrial.report import png
from fairtrial.store import Store
from fairtrial.study.layers import Conv, Dense
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import arm_facts
from fairtrial.trial import StoredTrial

_DENSE_TILES = 18
_CONV_TILES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """`address` is a picture of all tiles; `scale` how many screen pixels one of its pixels wants."""

    address: str
    layer: str
    kind: str
    shown: int
    of: int
    seed: int
    width: int
    height: int


def filters(arm: Arm, trials: tuple[StoredTrial, ...], store: Store) -> Filters | None:
    """The first layer's kernel of the first trial whose weights are whole beside the store; None without one."""
    found = _first_layer(arm)
    if found is None:
        return None
    layer, shape = found
    for trial in trials:
        path = store.weights_path(trial.key)
        weights = read_weights(path, sha256=trial.outcome.weights_sha256) if path.exists() else None
        if weights is not None and (kernel := weights.get(f"{layer.name}/kernel")) is not None:
            tiles = _tiles(kernel, shape)
            return None if tiles is None else _filters(tiles, layer, seed=trial.seed)
    return None


def _first_layer(arm: Arm) -> tuple[Dense | Conv, tuple[int, ...]] | None:
    """The first layer with a kernel, and the shape of the picture that reaches it."""
    picture: tuple[int, ...] = arm.settings.data.facts.input_shape
    for layer, facts in zip(arm.network, arm_facts(arm), strict=True):
        if isinstance(layer, Dense | Conv):
            return layer, picture
        if len(facts.output_shape) == 3:
            picture = facts.output_shape
    return None


def _tiles(kernel: NDArray[np.float32], picture: tuple[int, ...]) -> NDArray[np.floating] | None:
    """Kernels as (count, height, width), the mean over channels where there are several."""
    if kernel.ndim == 4:
        return kernel.mean(axis=2).transpose(2, 0, 1)
    if kernel.ndim == 2 and kernel.shape[0] == np.prod(picture):
        return kernel.reshape(*picture, -1).mean(axis=2).transpose(2, 0, 1)
    return None


def _filters(tiles: NDArray[np.floating], layer: Dense | Conv, *, seed: int) -> Filters:
    wanted = _CONV_TILES if isinstance(layer, Conv) else _DENSE_TILES
    strength = np.sqrt((tiles.astype(np.float64) ** 2).sum(axis=(1, 2)))
    chosen = np.argsort(-strength, kind="stable")[:wanted]
    columns = 16 if isinstance(layer, Conv) else 6
    sheet = png.tiled(tiles[chosen], columns=min(columns, len(chosen)))
    zoom = max(1, min(12, 480 // sheet.shape[1]))
    return Filters(
        address=png.signed(sheet),
        layer=layer.name or layer.kind,
        kind="filters" if isinstance(layer, Conv) else "units",
        shown=len(chosen),
        of=len(tiles),
        seed=seed,
        width=sheet.shape[1] * zoom,
        height=sheet.shape[0] * zoom,
    )
