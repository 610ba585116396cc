"""Keras's table of layers, as version 2 or 3 prints it, back to the layers it shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fairtrial.audit.document import Place
from fairtrial.audit.experiment import LayerSeen

_ROW = re.compile(
    r"^[\s│|]*(?P<name>[\w./-]+)\s*\((?P<type>\w+)\)?[\s│|,]*\[?\((?P<shape>[\w, ]{0,80})\)\]?[\s│|,]+(?P<parameters>\d[\d,]{0,20})(?=[\s│|]|$)"
)
_SHAPELESS = re.compile(
    r"^[\s│|]*(?P<name>[\w./-]+)\s*\((?P<type>\w+)\)[\s│|]*(?:\?|multiple)[\s│|]+(?P<parameters>\d[\d,]{0,20})"
)
_BROKEN = re.compile(r"^[\s│|]*(?P<name>[\w./-]+)[\s│|]+(?P<rest>\[?\([\w, ]*\)\]?[\s│|]+\d[\d,]*)")
_CLASS = re.compile(r"^[\s│|]*\((?P<type>\w+)\)[\s│|]*$")
_KINDS = {
    "Dense": "dense",
    "Conv2D": "conv",
    "MaxPooling2D": "pool",
    "MaxPool2D": "pool",
    "AveragePooling2D": "average_pool",
    "GlobalAveragePooling2D": "global_average_pool",
    "Flatten": "flatten",
    "Dropout": "dropout",
    "BatchNormalization": "batch_norm",
    "Activation": "activation",
}
_FUNCTIONS = {"ReLU": "relu", "Softmax": "softmax", "LeakyReLU": "leaky_relu", "ELU": "elu"}


@dataclass(frozen=True)
class Row:
    """One line of the table: the layer's own name, its class, the shape of what it gives, its parameters."""

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    place: Place
    said: str


@dataclass(frozen=True)
class Network:
    layers: tuple[LayerSeen, ...]
    input_shape: tuple[int, ...] | None
    classes: int | None


def row_in(text: str, place: Place, following: str = "") -> Row | None:
    """The row that a line shows, if it shows one; a class that had no room stands in the line `following`.

    >>> row_in("dense_3 (Dense)	(None, 200)	157000", Place(1, 1)).parameters
    157000
    """
    found = _ROW.match(text) or _SHAPELESS.match(text)
    if found is None and (broken := _BROKEN.match(text)) and (class_below := _CLASS.match(following)):
        found = _ROW.match(f"{broken['name']} ({class_below['type']}) {broken['rest']}")
    if found is None:
        return None
    named = found.groupdict().get("shape") or ""
    shape = tuple(int(part) for part in re.findall(r"\d+", named.split(",", 1)[-1]))
    if not all(0 < size < 10**9 for size in shape):
        return None
    return Row(
        found["name"],
        found["type"],
        shape,
        int(found["parameters"].replace(",", "")),
        place,
        " ".join(text.split()),
    )


def network_of(rows: Iterable[Row]) -> Network:
    """The layers in a study file's words, without input and output layer.

    A table shows no activations and no rates. A kernel or a pool's size is taken from it only where it follows: from
    the parameters, with or without a bias, or from the shapes before and after.
    """
    listed = list(rows)
    input_shape: tuple[int, ...] | None = None
    if listed and listed[0].type == "InputLayer":
        input_shape = listed.pop(0).shape or None
    before = input_shape or ()
    layers: list[LayerSeen] = []
    for row in listed:
        if row.type == "Flatten" and input_shape is None and not layers and row.shape:
            input_shape = row.shape
        layers.append(_layer(row, before))
        before = row.shape
    if listed and input_shape is None:
        input_shape = _inputs(listed[0])
    while len(layers) > 1 and layers[-1].kind == "activation" and listed[len(layers) - 2].type == "Dense":
        layers.pop()
    classes = None
    if layers and layers[-1].kind == "dense":
        classes = layers.pop().settings["units"]
    return Network(tuple(layers), input_shape, classes)


def _layer(row: Row, before: tuple[int, ...]) -> LayerSeen:
    kind = _KINDS.get(row.type) or ("activation" if row.type in _FUNCTIONS else None)
    settings: dict[str, Any] = {}
    last = row.shape[-1] if row.shape else None
    if kind in ("dense", "conv") and last is None:
        kind = None
    elif kind == "dense":
        settings["units"] = last
    elif kind == "conv":
        settings["filters"] = last
        if before and (kernel := _kernel(row, before[-1])) is not None:
            settings["kernel"] = kernel
    elif kind in ("pool", "average_pool") and len(before) == len(row.shape) == 3:
        sizes = {a // b for a, b in zip(before[:2], row.shape[:2], strict=True) if b}
        if len(sizes) == 1 and (size := sizes.pop()) > 1 and before[0] // size == row.shape[0]:
            settings["size"] = size
    elif kind == "activation" and row.type in _FUNCTIONS:
        settings["function"] = _FUNCTIONS[row.type]
    return LayerSeen(kind, settings, row.said, row.place)


def _kernel(row: Row, channels: int) -> int | None:
    for bias in (1, 0):
        weights, rest = divmod(row.parameters - bias * row.shape[-1], row.shape[-1] * channels)
        if rest == 0 and weights > 0 and (side := math.isqrt(weights)) ** 2 == weights:
            return side
    return None


def _inputs(first: Row) -> tuple[int, ...] | None:
    """How many numbers reach a first dense layer, with its bias: what follows from its parameters."""
    if first.type != "Dense" or not first.shape:
        return None
    inputs, rest = divmod(first.parameters - first.shape[-1], first.shape[-1])
    return (inputs,) if rest == 0 and inputs > 0 else None
