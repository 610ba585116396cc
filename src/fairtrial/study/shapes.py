"""What follows from a network's description alone: shapes, parameters, multiply-adds. No torch.

Shapes are (height, width, channels) or (units,), without the batch, as Keras prints them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairtrial.errors import StudyError
from fairtrial.study.layers import (
    AnyLayer,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Network,
    Pool,
    Window,
)
from fairtrial.study.schema import Arm

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One line of the layer table. `multiply_adds` are per image, forward pass."""

    name: str
    keras_class: str
    output_shape: Shape
    trainable: int
    non_trainable: int
    multiply_adds: int

    @property
    def parameters(self) -> int:
        return self.trainable + self.non_trainable


def layer_facts(network: Network, *, input_shape: Shape) -> tuple[LayerFacts, ...]:
    """Facts of each layer in order.

    Raises StudyError naming the first layer that cannot take the shape that reaches it.
    """
    facts: list[LayerFacts] = []
    shape = input_shape
    for layer in network:
        facts.append(_facts(layer, shape))
        shape = facts[-1].output_shape
    return tuple(facts)


def arm_facts(arm: Arm) -> tuple[LayerFacts, ...]:
    """Facts of each layer; none where the network is the user's own code, and nobody can tell without running it."""
    return layer_facts(arm.network, input_shape=arm.settings.data.facts.input_shape)


def parameters(arm: Arm) -> int:
    """All weights of the network, trainable or not; 0 where its layers are not known."""
    return sum(facts.parameters for facts in arm_facts(arm))


def multiply_adds(arm: Arm) -> int:
    """Multiply-adds of one image's forward pass."""
    return sum(facts.multiply_adds for facts in arm_facts(arm))


def updates(arm: Arm) -> int:
    """Optimiser steps of a whole training (early stopping not considered)."""
    return arm.steps_per_epoch * arm.settings.epochs


def training_work(arm: Arm) -> int:
    """Multiply-adds of a whole trial, the unit of predicted cost.

    0 where nobody knows, since the code is the user's own. Forward once and backward twice per training image, plus four elementary passes over the
    parameters per update: what dominates at batch size 1.
    """
    if arm.is_command or not arm.is_described:
        return 0
    images = arm.settings.data.train_count * arm.settings.epochs
    return 3 * multiply_adds(arm) * images + 4 * parameters(arm) * updates(arm)


def pair(window: Window) -> tuple[int, int]:
    """A window's height and width.

    >>> pair(3), pair((5, 1))
    ((3, 3), (5, 1))
    """
    return window if isinstance(window, tuple) else (window, window)


def _facts(layer: AnyLayer, shape: Shape) -> LayerFacts:
    trainable = non_trainable = work = 0
    match layer:
        case Dense():
            if len(shape) != 1:
                raise _impossible(layer, shape, "needs a flat input: put flatten before it")
            trainable = shape[0] * layer.units + layer.units * layer.bias
            work = shape[0] * layer.units
            output: Shape = (layer.units,)
        case Conv():
            height, width = _slide(layer, shape, layer.kernel, layer.stride, layer.padding)
            weights = math.prod(pair(layer.kernel)) * shape[2] * layer.filters
            trainable = weights + layer.filters * layer.bias
            work = weights * height * width
            output = (height, width, layer.filters)
        case Pool() | AveragePool():
            stride = layer.size if layer.stride is None else layer.stride
            output = (
                *_slide(layer, shape, layer.size, stride, layer.padding),
                shape[2] if len(shape) == 3 else 0,
            )
        case GlobalAveragePool():
            if len(shape) != 3:
                raise _impossible(layer, shape, "needs an image (height, width, channels)")
            output = (shape[2],)
        case Flatten():
            output = (math.prod(shape),)
        case BatchNorm():
            trainable = non_trainable = 2 * shape[-1]
            output = shape
        case _:
            output = shape
    return LayerFacts(
        name=layer.name or layer.kind,
        keras_class=layer.keras_class,
        output_shape=output,
        trainable=trainable,
        non_trainable=non_trainable,
        multiply_adds=work,
    )


def _slide(layer: AnyLayer, shape: Shape, window: Window, stride: Window, padding: str) -> tuple[int, int]:
    """Height and width after a window has slid over an image."""
    if len(shape) != 3:
        raise _impossible(layer, shape, "needs an image (height, width, channels), not a flat input")
    sizes: list[int] = []
    for length, extent, step in zip(shape, pair(window), pair(stride), strict=False):
        if padding == "same":
            sizes.append(-(-length // step))
        elif extent > length:
            raise _impossible(layer, shape, f"has a window of {extent} pixels, larger than the image")
        else:
            sizes.append((length - extent) // step + 1)
    return sizes[0], sizes[1]


def _impossible(layer: AnyLayer, shape: Shape, why: str) -> StudyError:
    reached = " x ".join(map(str, shape))
    return StudyError(
        f"layer {layer.name or layer.kind!r} ({layer.kind}) {why}; the shape that reaches it is {reached}"
    )
