"""Keras's optimisers on torch tensors: the same update from the same gradients.

Each step is a few calls for all parameters together and reads no number back from them.
"""

# torch has no public names for the kernels that its own optimisers are made of.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from fairtrial.study import training
from fairtrial.study.training import AnyOptimizer

State = dict[str, Tensor]
Number = TypeVar("Number", float, np.float32)


class Stepper(Protocol):
    """What the training loop needs of an optimiser."""

    def step(self, learning_rate: float) -> None:
        """Update the parameters once from their gradients."""
        ...

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def state(self) -> State:
        """All that later steps depend on besides the parameters; the tensors are live."""
        ...

    def load_state(self, state: State) -> None:
        """Go on from a `state` of the same optimiser on the same network, copied."""
        ...


def optimizer(settings: AnyOptimizer, parameters: Iterable[Tensor]) -> Stepper:
    """The optimiser that `settings` describe for `parameters`, float32 leaves that require gradients.

    The learning rate is given at each step, so that a schedule is the caller's concern.
    """
    match settings:
        case training.Adam():
            return Adam(settings, parameters, weight_decay=0.0)
        case training.AdamW():
            return Adam(settings, parameters, weight_decay=settings.weight_decay)
        case training.SGD():
            return SGD(settings, parameters)
        case training.RMSprop():
            return RMSprop(settings, parameters)
        case training.Adagrad():
            return Adagrad(settings, parameters)


class _Slots:
    """Parameters, and per parameter one tensor in each named slot."""

    def __init__(self, parameters: Iterable[Tensor], slots: dict[str, float]) -> None:
        self.parameters = list(parameters)
        self.slots = {name: self._filled(value) for name, value in slots.items()}

    def _filled(self, value: float) -> list[Tensor]:
        return [torch.full_like(parameter, value, requires_grad=False) for parameter in self.parameters]

    def gradients(self) -> list[Tensor]:
        gradients = [parameter.grad for parameter in self.parameters]
        return [gradient for gradient in gradients if gradient is not None]

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def state(self) -> State:
        return {
            f"{slot}/{at}": tensor
            for slot, tensors in self.slots.items()
            for at, tensor in enumerate(tensors)
        }

    def load_state(self, state: State) -> None:
        own = self.state()
        if {name: tensor.shape for name, tensor in own.items()} != {
            name: tensor.shape for name, tensor in state.items()
        }:
            raise ValueError("this state is of another optimiser or another network")
        for name, tensor in own.items():
            tensor.copy_(state[name])


class Adam(_Slots):
    """Adam, and AdamW where there is weight decay: all weights, biases too, lose `rate * decay` first.

    torch's kernel is given the numbers with which it does what Keras does at this step. Keras adds
    epsilon to the root of the second moment before that is freed of its bias, torch after. And
    Keras computes the freeing from bias in float32, where 1 - 0.999 is off by 1e-5 of itself.
    """

    def __init__(
        self,
        settings: training.Adam | training.AdamW,
        parameters: Iterable[Tensor],
        *,
        weight_decay: float,
    ) -> None:
        super().__init__(parameters, {"momentum": 0.0, "velocity": 0.0})
        self.settings = settings
        self.weight_decay = weight_decay
        self.steps = torch.zeros(())
        self.done = 0
        # The public torch.optim.Adam(fused=True) ends in this kernel after a third more time.
        self.kernel = torch._fused_adamw_ if weight_decay else torch._fused_adam_

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        self.done += 1
        self.steps.fill_(self.done)
        beta_1, beta_2 = self.settings.beta_1, self.settings.beta_2
        exact = _freed_of_bias(beta_1, beta_2, self.done)
        ratio = float(_freed_of_bias(np.float32(beta_1), np.float32(beta_2), np.float32(self.done))) / exact
        self.kernel(
            self.parameters,
            self.gradients(),
            self.slots["momentum"],
            self.slots["velocity"],
            [],
            [self.steps] * len(self.parameters),
            lr=learning_rate * ratio,
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=self.weight_decay / ratio,
            eps=self.settings.epsilon / math.sqrt(1 - beta_2**self.done),
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> State:
        return {**super().state(), "steps": self.steps}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self.done = int(self.steps)


class SGD(_Slots):
    """Gradient descent; with momentum the learning rate enters the momentum, as in Keras."""

    def __init__(self, settings: training.SGD, parameters: Iterable[Tensor]) -> None:
        super().__init__(parameters, {"momentum": 0.0} if settings.momentum else {})
        self.settings = settings

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradients = self.gradients()
        momentum = self.slots.get("momentum")
        if momentum is None:
            torch._foreach_add_(self.parameters, gradients, alpha=-learning_rate)
            return
        torch._foreach_mul_(momentum, self.settings.momentum)
        torch._foreach_add_(momentum, gradients, alpha=-learning_rate)
        if self.settings.nesterov:
            torch._foreach_add_(self.parameters, momentum, alpha=self.settings.momentum)
            torch._foreach_add_(self.parameters, gradients, alpha=-learning_rate)
        else:
            torch._foreach_add_(self.parameters, momentum)


class RMSprop(_Slots):
    """RMSprop with epsilon inside the root, as in Keras."""

    def __init__(self, settings: training.RMSprop, parameters: Iterable[Tensor]) -> None:
        slots = {"velocity": 0.0, "momentum": 0.0} if settings.momentum else {"velocity": 0.0}
        super().__init__(parameters, slots)
        self.settings = settings

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradients, velocity = self.gradients(), self.slots["velocity"]
        torch._foreach_mul_(velocity, self.settings.rho)
        torch._foreach_addcmul_(velocity, gradients, gradients, value=1 - self.settings.rho)
        root = _root(velocity, self.settings.epsilon)
        momentum = self.slots.get("momentum")
        if momentum is None:
            torch._foreach_addcdiv_(self.parameters, gradients, root, value=-learning_rate)
            return
        torch._foreach_mul_(momentum, self.settings.momentum)
        torch._foreach_addcdiv_(momentum, gradients, root, value=learning_rate)
        torch._foreach_sub_(self.parameters, momentum)


class Adagrad(_Slots):
    """Adagrad with epsilon inside the root and an accumulator that does not start at zero, as in Keras."""

    def __init__(self, settings: training.Adagrad, parameters: Iterable[Tensor]) -> None:
        super().__init__(parameters, {"accumulator": settings.initial_accumulator_value})
        self.settings = settings

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradients, accumulator = self.gradients(), self.slots["accumulator"]
        torch._foreach_addcmul_(accumulator, gradients, gradients)
        root = _root(accumulator, self.settings.epsilon)
        torch._foreach_addcdiv_(self.parameters, gradients, root, value=-learning_rate)


def _freed_of_bias(beta_1: Number, beta_2: Number, step: Number) -> Number:
    """What Keras multiplies the learning rate by, in the precision of its arguments."""
    return np.sqrt(1 - beta_2**step) / (1 - beta_1**step)


def _root(tensors: list[Tensor], epsilon: float) -> list[Tensor]:
    root = list(torch._foreach_add(tensors, epsilon))
    torch._foreach_sqrt_(root)
    return root
