"""A network built from its description, its weights drawn from named random streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairtrial.data.streams import generator
from fairtrial.engine import modules
from fairtrial.engine.initializers import draw
from fairtrial.errors import StudyError
from fairtrial.study import layers, shapes
from fairtrial.study.schema import Arm

if TYPE_CHECKING:
    from jaxtyping import Float


class Network(nn.Module):
    """The layers of an arm in a row.

    Takes images in [0, 1], (n, channels, height, width) in channels_last memory order, or rows
    (n, height * width * channels) in that order where the first layer is `flatten`. Gives logits.
    """

    def __init__(self, layers_in_order: Sequence[modules.Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers_in_order)
        # Bound methods rather than modules: no hooks to look for in each layer at each step.
        self._steps = tuple(layer.forward for layer in layers_in_order)
        self._takes_rows = isinstance(layers_in_order[0], modules.Flatten)

    def forward(
        self, images: Float[Tensor, "n c h w"] | Float[Tensor, "n row"]
    ) -> Float[Tensor, "n classes"]:
        if images.dim() == 2 and not self._takes_rows:
            raise ValueError(
                f"rows {tuple(images.shape)} need a network that begins with flatten; give images"
            )
        for step in self._steps:
            images = step(images)
        return images

    def start_epoch(self, epoch: int) -> None:
        """Begin epoch number `epoch`, counted from 1: dropout's streams start anew, so that a
        training that is resumed there goes on bit for bit."""
        for layer in self._layers():
            layer.start_epoch(epoch)

    def round(self) -> dict[Tensor, Tensor]:
        """From now on train with bfloat16 copies of the weights that layers multiply by.

        Gives each parameter's copy, which gets its gradient; whoever moves the one moves the other.
        """
        products = [layer for layer in self._layers() if isinstance(layer, modules.Product)]
        return {parameter: copy for layer in products for parameter, copy in layer.round()}

    def weights(self) -> dict[str, Tensor]:
        """Live views of all weights by `layer/weight`, in Keras's names, order and layout."""
        return {
            f"{layer.name}/{weight}": tensor.detach()
            for layer in self._layers()
            for weight, tensor in layer.weights().items()
        }

    def described(self) -> dict[str, str]:
        """What its description does not tell: nothing of our own layers."""
        return {}

    def _layers(self) -> list[modules.Layer]:
        return [layer for layer in self.layers if isinstance(layer, modules.Layer)]


def build(arm: Arm, *, seed: int) -> Network:
    """The network of `arm` as trial number `seed` starts it.

    Raises StudyError, before anything is built, for a layer that cannot take the shape reaching it, OwnCodeError for
    a network of the user's own that cannot be built.
    """
    if arm.is_module:
        from fairtrial.engine.own_network import build_own

        return build_own(arm, seed=seed)
    return network_of(arm.network, input_shape=arm.settings.data.facts.input_shape, seed=seed)


def network_of(description: layers.Network, *, input_shape: shapes.Shape, seed: int) -> Network:
    """A network of named layers for images of `input_shape` (height, width, channels).

    A kernel is drawn in Keras's layout from the stream (seed, "init", layer name); biases start at
    zero. Raises StudyError for a layer that cannot take the shape that reaches it, or a name given twice.
    """
    names = [layer.name for layer in description]
    for name in names:
        # A study file says so with its line; a study written in Python comes here unread.
        if names.count(name) > 1:
            raise StudyError(
                f"two layers are called {name!r}: a name seeds its layer's weights; give another"
            )
    facts = shapes.layer_facts(description, input_shape=input_shape)
    reaching = (input_shape, *(fact.output_shape for fact in facts))
    previous: layers.AnyLayer | None = None
    built: list[modules.Layer] = []
    for layer, shape in zip(description, reaching, strict=False):
        built.append(_module(layer, shape, after=previous, seed=seed))
        previous = layer
    network = Network(built)
    weights = network.weights()
    for layer in description:
        if isinstance(layer, (layers.Dense, layers.Conv)):
            kernel = weights[f"{layer.name}/kernel"]
            stream = generator(seed, "init", layer.name or layer.kind)
            drawn = draw(layer.initializer, tuple(kernel.shape), generator=stream)
            kernel.copy_(torch.from_numpy(drawn))
    return network


def keras_weights(network: Network) -> dict[str, NDArray[np.float32]]:
    """Copies of all weights by `layer/weight` (`dense-1/kernel`), in Keras's order and layout."""
    return {name: np.array(tensor.cpu().numpy(), order="C") for name, tensor in network.weights().items()}


def load_keras_weights(network: Network, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Set all weights of `network` to those that `keras_weights` gave, in place.

    Raises ValueError if names or shapes are not exactly those of the network.
    """
    own = network.weights()
    wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
    given = {name: array.shape for name, array in weights.items()}
    if wanted != given:
        wrong = sorted(name for name in {*wanted, *given} if wanted.get(name) != given.get(name))
        told = "; ".join(f"{name}: given {given.get(name)}, needed {wanted.get(name)}" for name in wrong)
        raise ValueError(f"these weights are of another network: {told}")
    for name, tensor in own.items():
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(weights[name])))


def _module(
    layer: layers.AnyLayer, shape: shapes.Shape, *, after: layers.AnyLayer | None, seed: int
) -> modules.Layer:
    match layer:
        case layers.Dense():
            return modules.Dense(layer, shape)
        case layers.Conv():
            return modules.Conv(layer, shape)
        case layers.Pool():
            return modules.Pool(layer, shape)
        case layers.AveragePool():
            return modules.AveragePool(layer, shape)
        case layers.BatchNorm():
            return modules.BatchNorm(layer, shape)
        case layers.Dropout():
            return modules.Dropout(layer, seed=seed)
        case layers.Activation():
            return modules.Activation(layer, in_place=_needs_no_output(after))
        case layers.Flatten():
            return modules.Flatten(layer.name or layer.kind)
        case layers.GlobalAveragePool():
            return modules.GlobalAveragePool(layer.name or layer.kind)


def _needs_no_output(layer: layers.AnyLayer | None) -> bool:
    """Whether the gradient of `layer` is found without its output, which may then be overwritten."""
    match layer:
        case layers.Dense() | layers.Conv():
            return layer.activation == "linear"
        case layers.BatchNorm():
            return True
        case _:
            return False
