"""bfloat16 tensors as the arrays of bits that compiled loops take, and what those loops do for torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairtrial.engine import rounded_kernel as kernel

if TYPE_CHECKING:
    from jaxtyping import BFloat16


def bits_of(tensor: Tensor) -> NDArray[np.uint16]:
    """The bits of a contiguous bfloat16 tensor, live, in its shape."""
    return tensor.detach().view(torch.int16).numpy().view(np.uint16)


def in_memory(tensor: Tensor) -> Tensor:
    """All numbers of a tensor in the order in which memory has them, live: (n,)."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))


def slope_of(leaf: Tensor) -> Tensor:
    """The gradient of a leaf. Raises RuntimeError where there is none: left out, others would take its place."""
    if leaf.grad is None:
        raise RuntimeError(f"a parameter of shape {tuple(leaf.shape)} has no gradient: nothing depends on it")
    return leaf.grad


class Moved:
    """A parameter, Adam's two moments of it, and its bfloat16 copy, whose gradient moves them all."""

    def __init__(self, parameter: Tensor, momentum: Tensor, velocity: Tensor, copy: Tensor) -> None:
        self.copy = copy
        self.arrays = [in_memory(tensor).numpy() for tensor in (parameter, momentum, velocity)]
        self.rounded = bits_of(in_memory(copy))

    def by_adam(self, *, rate: float, beta_1: float, beta_2: float, epsilon: float, decay: float) -> None:
        """One step; `rate` is the learning rate freed of bias, `decay` the share that weights lose."""
        gradient = slope_of(self.copy)
        if gradient.stride() != self.copy.stride():
            gradient = torch.empty_like(self.copy).copy_(gradient)
        numbers = (np.float32(number) for number in (rate, 1 - beta_1, 1 - beta_2, epsilon, decay))
        kernel.adam(*self.arrays, bits_of(in_memory(gradient)), self.rounded, *numbers)


def largest_of_four(images: BFloat16[Tensor, "n c h w"]) -> BFloat16[Tensor, "n c h2 w2"]:
    """Max pooling by 2 x 2, in channels_last memory order."""
    return _LargestOfFour.apply(images)


class _LargestOfFour(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        rows = images.permute(0, 2, 3, 1).contiguous()
        count, height, width, channels = rows.shape
        largest = rows.new_empty(count, height // 2, width // 2, channels)
        where = np.empty(largest.numel(), np.uint8)
        ctx.shape, ctx.where = np.array(rows.shape), where
        kernel.pool(bits_of(rows).reshape(-1), ctx.shape, bits_of(largest).reshape(-1), where)
        return largest.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].permute(0, 2, 3, 1).contiguous()
        images = gradient.new_empty(*ctx.shape)
        kernel.unpool(bits_of(gradient).reshape(-1), ctx.where, ctx.shape, bits_of(images).reshape(-1))
        return images.permute(0, 3, 1, 2)
