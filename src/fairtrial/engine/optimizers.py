"""Keras's optimisers on torch tensors: the same update from the same gradients.

Each step is a few calls for all parameters together and reads no number back from them.
"""

# torch has no public names for the kernels that its own optimisers are made of.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from fairtrial.engine.bits import Moved, slope_of
from fairtrial.study import training
from fairtrial.study.training import AnyOptimizer

State = dict[str, Tensor]
Number = TypeVar("Number", float, np.float32)
Copies = Mapping[Tensor, Tensor]
"""Parameters' bfloat16 copies, which have the gradients and are to follow each update."""
_NO_COPIES: Copies = MappingProxyType({})


class Stepper(Protocol):
    """What the training loop needs of an optimiser."""

    def step(self, learning_rate: float) -> None:
        """Update the parameters once from their gradients."""
        ...

    def round(self) -> None:
        """See that rounded copies are those of the weights there are now."""
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


def optimizer(
    settings: AnyOptimizer, parameters: Iterable[Tensor], *, copies: Copies = _NO_COPIES
) -> Stepper:
    """The optimiser that `settings` describe for `parameters`, float32 leaves.

    A parameter among `copies` gets its gradient through its copy. The learning rate is given at each
    step, so that a schedule is the caller's concern.
    """
    match settings:
        case training.Adam():
            return Adam(settings, parameters, copies, weight_decay=0.0)
        case training.AdamW():
            return Adam(settings, parameters, copies, weight_decay=settings.weight_decay)
        case training.SGD():
            return SGD(settings, parameters, copies)
        case training.RMSprop():
            return RMSprop(settings, parameters, copies)
        case training.Adagrad():
            return Adagrad(settings, parameters, copies)


class _Slots:
    """Parameters, their copies, and per parameter one tensor in each named slot."""

    def __init__(self, parameters: Iterable[Tensor], copies: Copies, slots: dict[str, float]) -> None:
        self.parameters = list(parameters)
        self.copies = [copies.get(parameter) for parameter in self.parameters]
        self.slots = {name: self._filled(value) for name, value in slots.items()}

    def _filled(self, value: float) -> list[Tensor]:
        return [torch.full_like(parameter, value, requires_grad=False) for parameter in self.parameters]

    def gradients(self) -> list[Tensor]:
        """The gradients in float32."""
        return [slope_of(own if copy is None else copy).float() for own, copy in self._pairs()]

    def step(self, learning_rate: float) -> None:
        self.update(learning_rate)
        self.round()

    def update(self, learning_rate: float) -> None:
        """Move the parameters; their copies follow."""
        raise NotImplementedError

    @torch.no_grad()
    def round(self) -> None:
        for own, copy in self._pairs():
            if copy is not None:
                copy.copy_(own)

    def zero_grad(self) -> None:
        for own, copy in self._pairs():
            (own if copy is None else copy).grad = None

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

    def _pairs(self) -> Iterable[tuple[Tensor, Tensor | None]]:
        return zip(self.parameters, self.copies, strict=True)


class Adam(_Slots):
    """Adam, and AdamW where there is weight decay: all weights, biases too, lose `rate * decay` first.

    Parameters with a rounded copy are moved by a loop of our own, the others by torch's kernel, which is
    given the numbers with which it does what Keras does at this step: Keras adds epsilon to the root of
    the second moment before that is freed of its bias, torch after. And Keras computes the freeing
    from bias in float32, where 1 - 0.999 is off by 1e-5 of itself.
    """

    def __init__(
        self,
        settings: training.Adam | training.AdamW,
        parameters: Iterable[Tensor],
        copies: Copies,
        *,
        weight_decay: float,
    ) -> None:
        super().__init__(parameters, copies, {"momentum": 0.0, "velocity": 0.0})
        self.settings = settings
        self.weight_decay = weight_decay
        self.steps = torch.zeros((), device=self.parameters[0].device)
        self.done = 0
        # The public torch.optim.Adam(fused=True) ends in this kernel after a third more time.
        self.kernel = torch._fused_adamw_ if weight_decay else torch._fused_adam_
        momentum, velocity = self.slots["momentum"], self.slots["velocity"]
        rows = list(zip(self.parameters, momentum, velocity, self.copies, strict=True))
        self.plain = [(own, m, v) for own, m, v, copy in rows if copy is None]
        self.rounding = [Moved(own, m, v, copy) for own, m, v, copy in rows if copy is not None]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        self.done += 1
        self.steps.fill_(self.done)
        beta_1, beta_2 = self.settings.beta_1, self.settings.beta_2
        freed = float(_freed_of_bias(np.float32(beta_1), np.float32(beta_2), np.float32(self.done)))
        if self.plain:
            self._move_plain(learning_rate, freed / _freed_of_bias(beta_1, beta_2, self.done))
        for moved in self.rounding:
            moved.by_adam(
                rate=learning_rate * freed,
                beta_1=beta_1,
                beta_2=beta_2,
                epsilon=self.settings.epsilon,
                decay=learning_rate * self.weight_decay,
            )

    def _move_plain(self, learning_rate: float, ratio: float) -> None:
        parameters, momentum, velocity = map(list, zip(*self.plain, strict=True))
        self.kernel(
            parameters,
            [slope_of(own) for own in parameters],
            momentum,
            velocity,
            [],
            [self.steps] * len(parameters),
            lr=learning_rate * ratio,
            beta1=self.settings.beta_1,
            beta2=self.settings.beta_2,
            weight_decay=self.weight_decay / ratio,
            eps=self.settings.epsilon / math.sqrt(1 - self.settings.beta_2**self.done),
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

    def __init__(self, settings: training.SGD, parameters: Iterable[Tensor], copies: Copies) -> None:
        super().__init__(parameters, copies, {"momentum": 0.0} if settings.momentum else {})
        self.settings = settings

    @torch.no_grad()
    def update(self, learning_rate: float) -> None:
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

    def __init__(self, settings: training.RMSprop, parameters: Iterable[Tensor], copies: Copies) -> None:
        slots = {"velocity": 0.0, "momentum": 0.0} if settings.momentum else {"velocity": 0.0}
        super().__init__(parameters, copies, slots)
        self.settings = settings

    @torch.no_grad()
    def update(self, learning_rate: float) -> None:
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

    def __init__(self, settings: training.Adagrad, parameters: Iterable[Tensor], copies: Copies) -> None:
        super().__init__(parameters, copies, {"accumulator": settings.initial_accumulator_value})
        self.settings = settings

    @torch.no_grad()
    def update(self, learning_rate: float) -> None:
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
