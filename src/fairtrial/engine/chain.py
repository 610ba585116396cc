"""Chains of dense layers, batch by batch, without recording a graph: backward is the same few products each time.

For small networks finding out anew in each step what to differentiate costs more than the products.
All weights are one array, so that an update is one pass, and every step writes into the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fairtrial.engine import bits, modules
from fairtrial.engine import rounded_kernel as kernel
from fairtrial.engine.activations import activation
from fairtrial.engine.batched import learning_rate
from fairtrial.engine.evaluate import Images
from fairtrial.engine.network import Network
from fairtrial.engine.optimizers import State
from fairtrial.engine.optimizers import optimizer as make_optimizer
from fairtrial.study.layers import Activation, ActivationName, Dense, Flatten
from fairtrial.study.schema import Arm

if TYPE_CHECKING:
    from jaxtyping import Float, Int64

_aten = torch.ops.aten
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

Behind = Callable[[Tensor, Tensor], object]
"""Turns the gradient by an activation's outputs, given with them, into that by its inputs, in place."""

_BEHIND: dict[ActivationName, Behind] = {
    "relu": lambda g, out: _aten.threshold_backward.grad_input(g, out, 0, grad_input=g),
    "sigmoid": lambda g, out: _aten.sigmoid_backward.grad_input(g, out, grad_input=g),
    "tanh": lambda g, out: _aten.tanh_backward.grad_input(g, out, grad_input=g),
    "elu": lambda g, out: _aten.elu_backward.grad_input(g, 1, 1, 1, True, out, grad_input=g),
    "selu": lambda g, out: _aten.elu_backward.grad_input(
        g, _SELU_ALPHA, _SELU_SCALE, 1, True, out, grad_input=g
    ),
    "leaky_relu": lambda g, out: _aten.leaky_relu_backward.grad_input(g, out, 0.2, True, grad_input=g),
}
"""Activations whose slope is known from their output, which may overwrite their input."""


def chain_of(arm: Arm) -> list[tuple[str, ActivationName]] | None:
    """Names of the arm's dense layers with what follows each; None where it has other layers than these."""
    flatten, *rest = arm.network or (None,)
    if not isinstance(flatten, Flatten):
        return None
    found: list[tuple[str, ActivationName]] = []
    for layer in rest:
        if isinstance(layer, Dense):
            found.append((layer.name or layer.kind, layer.activation))
        elif isinstance(layer, Activation) and found and found[-1][1] == "linear":
            found[-1] = found[-1][0], layer.function
        else:
            return None
    known = all(name == "linear" or name in _BEHIND for _, name in found)
    return found if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    weight: Tensor
    bias: Tensor | None
    weight_gradient: Tensor
    bias_gradient: Tensor | None
    activate: Callable[[Tensor], Tensor] | None
    behind: Behind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """What a batch of one size needs: `outputs[0]` its images, then each layer's; `deltas` the gradients by them."""

    outputs: list[Tensor]
    deltas: list[Tensor]


class Chain:
    """Gradient descent by an optimiser on batches of the arm's size, for `chain_of` it: a Learner."""

    def __init__(self, arm: Arm, network: Network, images: Images, *, bfloat16: bool) -> None:
        self.arm, self.network, self.bfloat16 = arm, network, bfloat16
        self.pixels, self.labels = images.pixels.flatten(1), images.labels
        chain = chain_of(arm)
        assert chain is not None
        dense = [layer for layer in network.layers if isinstance(layer, modules.Dense)]
        parameters = [p for layer in dense for p in (layer.weight, layer.bias) if p is not None]
        flat = _joined(parameters)
        computed = flat.to(torch.bfloat16) if bfloat16 else flat
        computed.grad = torch.zeros_like(computed)
        self.optimizer = make_optimizer(
            arm.settings.optimizer, [flat], copies={flat: computed} if bfloat16 else {}
        )
        weights, gradients = _parts(computed, parameters), _parts(computed.grad, parameters)
        self.layers = [
            _Layer(
                weight=next(weights),
                bias=None if layer.bias is None else next(weights),
                weight_gradient=next(gradients),
                bias_gradient=None if layer.bias is None else next(gradients),
                activate=activation(name, in_place=True),
                behind=_BEHIND.get(name),
            )
            for layer, (_, name) in zip(dense, chain, strict=True)
        ]
        self.rooms: dict[int, _Room] = {}
        self.done = 0

    def start_epoch(self, epoch: int) -> None:
        self.done = (epoch - 1) * self.arm.steps_per_epoch
        self.optimizer.round()

    @torch.no_grad()
    def train(self, order: Int64[Tensor, " n"], logits: Float[Tensor, "n classes"]) -> None:
        size = self.arm.settings.batch_size
        for chosen, said in zip(order.split(size), logits.split(size), strict=True):
            room = self._room(len(chosen))
            self._images(chosen, room.outputs[0])
            self._forward(room)
            said.copy_(room.outputs[-1])
            _slope_of_loss(said, self.labels.index_select(0, chosen), room.deltas[-1])
            self._backward(room)
            self.optimizer.step(learning_rate(self.arm, self.done))
            self.done += 1

    def settle(self) -> None:
        """The network's weights are views of the ones that are trained."""

    def state(self) -> State:
        return self.optimizer.state()

    def load_state(self, state: State) -> None:
        self.optimizer.load_state(state)

    def _images(self, chosen: Tensor, rows: Tensor) -> None:
        if self.bfloat16:
            kernel.gather(self.pixels.numpy(), chosen.numpy(), bits.bits_of(rows))
        else:
            rows.copy_(self.pixels.index_select(0, chosen)).div_(255)

    def _forward(self, room: _Room) -> None:
        for layer, inputs, outputs in zip(self.layers, room.outputs, room.outputs[1:], strict=False):
            if layer.bias is None:
                torch.mm(inputs, layer.weight.t(), out=outputs)
            else:
                torch.addmm(layer.bias, inputs, layer.weight.t(), out=outputs)
            if layer.activate is not None:
                layer.activate(outputs)

    def _backward(self, room: _Room) -> None:
        for at in range(len(self.layers) - 1, -1, -1):
            layer, delta, inputs = self.layers[at], room.deltas[at], room.outputs[at]
            if layer.behind is not None:
                layer.behind(delta, room.outputs[at + 1])
            torch.mm(delta.t(), inputs, out=layer.weight_gradient)
            if layer.bias_gradient is not None:
                torch.sum(delta, 0, out=layer.bias_gradient)
            if at:
                torch.mm(delta, layer.weight, out=room.deltas[at - 1])

    def _room(self, count: int) -> _Room:
        if count not in self.rooms:
            like = self.layers[0].weight
            widths = [layer.weight.shape[0] for layer in self.layers]
            self.rooms[count] = _Room(
                outputs=[like.new_empty(count, width) for width in (self.pixels.shape[1], *widths)],
                deltas=[like.new_empty(count, width) for width in widths],
            )
        return self.rooms[count]


def _slope_of_loss(logits: Tensor, labels: Tensor, slope: Tensor) -> None:
    """The gradient of the mean cross-entropy by the logits, into `slope`."""
    minus_ones = torch.full((len(labels), 1), -1.0)
    slope.copy_(logits.softmax(1).scatter_add_(1, labels[:, None], minus_ones).div_(len(labels)))


def _joined(parameters: list[nn.Parameter]) -> Tensor:
    """One array of all parameters, which become views of it."""
    flat = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    for parameter, part in zip(parameters, _parts(flat, parameters), strict=True):
        parameter.data = part
    return flat


def _parts(flat: Tensor, parameters: list[nn.Parameter]) -> Iterator[Tensor]:
    sizes = [parameter.numel() for parameter in parameters]
    for part, parameter in zip(flat.split(sizes), parameters, strict=True):
        yield part.view(parameter.shape)
