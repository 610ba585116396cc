"""Activations with Keras's constants."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from fairtrial.study.layers import ActivationName

Function = Callable[[Tensor], Tensor]
_leaky_relu = partial(functional.leaky_relu, negative_slope=0.2)
# The gradients of the other activations need their input, so they cannot overwrite it.
_IN_PLACE: dict[ActivationName, Function] = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "elu": partial(functional.elu, inplace=True),
    "selu": torch.selu_,
    "leaky_relu": partial(_leaky_relu, inplace=True),
}
_NEW: dict[ActivationName, Function] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "elu": functional.elu,
    "selu": torch.selu,
    "silu": functional.silu,
    "leaky_relu": _leaky_relu,
    "softplus": functional.softplus,
}


def activation(name: ActivationName, *, in_place: bool) -> Function | None:
    """The function of that name with Keras's constants; None for `linear`."""
    if name == "linear":
        return None
    return _IN_PLACE[name] if in_place and name in _IN_PLACE else _NEW[name]
