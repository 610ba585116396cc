"""Training one image at a time: what the compiled kernel needs of a trial, and what it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from fairtrial.engine import online_kernel as kernel
from fairtrial.engine.evaluate import Images
from fairtrial.engine.network import Network
from fairtrial.engine.optimizers import State
from fairtrial.study.layers import Activation, Dense
from fairtrial.study.schema import Arm
from fairtrial.study.training import Adam, rate_at

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor


class Online:
    """A chain of dense layers and dense Adam's state, one image a step.

    A Learner for arms whose `algorithm` is `online`. It owns the weights until it settles; then
    `network` has them.
    """

    def __init__(self, arm: Arm, network: Network, images: Images) -> None:
        adam = arm.settings.optimizer
        assert isinstance(adam, Adam)
        self.arm, self.network, self.adam = arm, network, adam
        self.pixels = images.pixels.flatten(1).numpy()
        self.labels = images.labels.numpy()
        self.shape = _shape(arm)
        self.arrays = np.zeros(int((3 * (self.shape[:, 0] + 1) * self.shape[:, 1]).sum()), np.float32)
        self.last = np.zeros(int((self.shape[:, 0] + 1).sum()), np.int64)
        self.constants = np.array([self.adam.beta_1, self.adam.beta_2, self.adam.epsilon])
        self._read_weights()
        self.start_epoch(1)
        # No step at all, so that compiling counts as setting up and not as training.
        self.train(torch.empty(0, dtype=torch.int64), torch.empty(0, int(self.shape[-1, 2])))

    def start_epoch(self, epoch: int) -> None:
        """Begin epoch number `epoch`, counted from 1, at its first step. All rows are settled."""
        self.step = 0
        self.last[:] = 0
        self.tables = schedule(self.arm, epoch)

    def train(self, order: Int64[Tensor, " n"], logits: Float[Tensor, "n classes"]) -> None:
        """One step on each image of `order`; `logits` gets what the network said just before it."""
        if self.step + len(order) > self.arm.steps_per_epoch:
            raise ValueError(f"{self.step} + {len(order)} steps; an epoch has {self.arm.steps_per_epoch}")
        kernel.run(
            order.numpy(),
            self.pixels,
            self.labels,
            self.shape,
            self.arrays,
            self.last,
            self.tables,
            self.constants,
            self.step + 1,
            logits.numpy(),
        )
        self.step += len(order)

    def settle(self) -> None:
        """Catch all rows up, and give the network its weights."""
        epsilon = np.float32(self.adam.epsilon)
        kernel.settle(self.step, self.shape, self.arrays, self.last, self.tables, epsilon)
        for name, view in self._views(0).items():
            self.network.weights()[name].copy_(torch.from_numpy(view))

    def state(self) -> State:
        """Adam's moments in Keras's layouts; call it on settled rows."""
        moments = {f"momentum/{name}": view for name, view in self._views(1).items()}
        moments |= {f"velocity/{name}": view for name, view in self._views(2).items()}
        return {name: torch.from_numpy(view) for name, view in moments.items()}

    def load_state(self, state: State) -> None:
        """Go on from `state`, with the weights the network has now."""
        self._read_weights()
        own = self.state()
        if {name: t.shape for name, t in own.items()} != {name: t.shape for name, t in state.items()}:
            raise ValueError("this state is of another optimiser or another network")
        for name, tensor in own.items():
            tensor.copy_(state[name])

    def _read_weights(self) -> None:
        weights = self.network.weights()
        for name, view in self._views(0).items():
            view[...] = weights[name].numpy()

    def _views(self, which: int) -> dict[str, NDArray[np.float32]]:
        """Views of the weights (0), first moments (1) or second moments (2), named as the network names them."""
        views: dict[str, NDArray[np.float32]] = {}
        dense = [layer for layer in self.arm.network if isinstance(layer, Dense)]
        for layer, (inputs, padded, units, _, offset, _, _) in zip(dense, self.shape, strict=True):
            rows = self.arrays[offset : offset + 3 * (inputs + 1) * padded].reshape(inputs + 1, 3, padded)
            views[f"{layer.name}/kernel"] = rows[:inputs, which, :units]
            if layer.bias:
                views[f"{layer.name}/bias"] = rows[inputs, which, :units]
        return views


def schedule(arm: Arm, epoch: int) -> NDArray[np.float64]:
    """The kernel's `tables` for epoch number `epoch`: a row each, entries for steps 0 to the epoch's last."""
    adam, steps = arm.settings.optimizer, arm.steps_per_epoch
    assert isinstance(adam, Adam)
    k = np.arange(steps + 1)
    done = (epoch - 1) * steps
    rates = [
        rate_at(adam.learning_rate, step=done + step, steps_per_epoch=steps, epochs=arm.settings.epochs)
        for step in range(steps)
    ]
    powers = done + k[1:]
    alpha = np.zeros(steps + 1)
    alpha[1:] = np.array(rates) * np.sqrt(1 - adam.beta_2**powers) / (1 - adam.beta_1**powers)
    slow, fast = adam.beta_1 / np.sqrt(adam.beta_2), adam.beta_1 / adam.beta_2
    powers = (adam.beta_1**k, adam.beta_2**k, slow**k, fast**k)
    return np.stack((*powers, alpha, _to_come(alpha, slow), _to_come(alpha, fast)), dtype=np.float64)


def _to_come(alpha: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """At t the sum over i >= 1 of alpha[t + i] ratio^i."""
    sums = np.zeros_like(alpha)
    for t in range(len(alpha) - 2, -1, -1):
        sums[t] = ratio * (alpha[t + 1] + sums[t + 1])
    return sums


def _shape(arm: Arm) -> NDArray[np.int64]:
    """The kernel's `shape`: a row per dense layer."""
    rows: list[list[int]] = []
    inputs = int(np.prod(arm.settings.data.facts.input_shape))
    offset = base = 0
    for layer in arm.network:
        if isinstance(layer, Activation):
            rows[-1][3] = kernel.ACTIVATIONS.index(layer.function)
        elif isinstance(layer, Dense):
            padded = -(-layer.units // kernel.LANES) * kernel.LANES
            code = kernel.ACTIVATIONS.index(layer.activation)
            rows.append([inputs, padded, layer.units, code, offset, base, int(layer.bias)])
            offset += 3 * (inputs + 1) * padded
            base += inputs + 1
            inputs = layer.units
    return np.array(rows, np.int64)
