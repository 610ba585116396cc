"""The layer vocabulary as torch modules that compute what Keras's layers compute.

Each is final and takes what its `study.layers` description and the shape that reaches it say.
Images are (n, channels, height, width) tensors in channels_last memory order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fairtrial.data.streams import generator
from fairtrial.engine.activations import activation
from fairtrial.engine.bits import largest_of_four
from fairtrial.study import layers
from fairtrial.study.shapes import Shape, pair

if TYPE_CHECKING:
    from jaxtyping import Float

Padding = tuple[int, int, int, int]
"""Pixels added at the left, right, top and bottom."""


class Layer(nn.Module):
    """One layer of a network, under the name that seeds its random streams."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def weights(self) -> dict[str, Tensor]:
        """Views of this layer's weights in Keras's names, order and layout."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """Begin epoch number `epoch`, counted from 1: random layers start their stream anew."""


class Product(Layer):
    """A layer that multiplies by weights: while it trains it may do so with rounded copies of them.

    Then the gradients are the copies' own, in bfloat16 as they come, and nothing is converted in a step.
    """

    weight: nn.Parameter
    bias: nn.Parameter | None
    rounded: tuple[Tensor, Tensor | None] | None = None

    def round(self) -> list[tuple[nn.Parameter, Tensor]]:
        """From now on train with bfloat16 copies; each parameter with its copy, for who keeps them in step."""
        weight = self.weight.detach().to(torch.bfloat16).requires_grad_()
        bias = None if self.bias is None else self.bias.detach().to(torch.bfloat16).requires_grad_()
        self.rounded = weight, bias
        pairs = [(self.weight, weight)]
        return pairs if bias is None or self.bias is None else [*pairs, (self.bias, bias)]

    def operands(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias to compute with: the rounded copies in training, if there are any."""
        if self.rounded is not None and self.training:
            return self.rounded
        return self.weight, self.bias


class Dense(Product):
    """Fully connected, then the activation in place where its gradient allows it."""

    def __init__(self, layer: layers.Dense, shape: Shape) -> None:
        super().__init__(layer.name or layer.kind)
        self.weight = nn.Parameter(torch.empty(layer.units, shape[0]))
        self.bias = nn.Parameter(torch.zeros(layer.units)) if layer.bias else None
        self.activation = activation(layer.activation, in_place=True)

    def forward(self, inputs: Float[Tensor, "n inputs"]) -> Float[Tensor, "n units"]:
        outputs = functional.linear(inputs, *self.operands())
        return outputs if self.activation is None else self.activation(outputs)

    def weights(self) -> dict[str, Tensor]:
        return _with_bias(self.weight.T, self.bias)


class Conv(Product):
    """Convolution over height and width, then the activation in place where its gradient allows it."""

    def __init__(self, layer: layers.Conv, shape: Shape) -> None:
        super().__init__(layer.name or layer.kind)
        kernel, self.stride = pair(layer.kernel), pair(layer.stride)
        weight = torch.empty(layer.filters, shape[2], *kernel, memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(layer.filters)) if layer.bias else None
        self.activation = activation(layer.activation, in_place=True)
        padding = padding_of(layer.padding, shape, kernel, self.stride)
        self.inside, self.before = _divided(padding)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n filters oh ow"]:
        if self.before is not None:
            images = functional.pad(images, self.before)
        outputs = functional.conv2d(images, *self.operands(), self.stride, self.inside)
        return outputs if self.activation is None else self.activation(outputs)

    def weights(self) -> dict[str, Tensor]:
        return _with_bias(self.weight.permute(2, 3, 1, 0), self.bias)


class Pool(Layer):
    """Largest value of each window; what `same` adds around the image is never the largest."""

    def __init__(self, layer: layers.Pool, shape: Shape) -> None:
        super().__init__(layer.name or layer.kind)
        self.size = pair(layer.size)
        self.stride = self.size if layer.stride is None else pair(layer.stride)
        self.inside, self.before = _divided(padding_of(layer.padding, shape, self.size, self.stride))
        self.side_by_side = self.size == self.stride == (2, 2) and layer.padding == "valid"

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c oh ow"]:
        if self.side_by_side and images.dtype == torch.bfloat16 and images.device.type == "cpu":
            return largest_of_four(images)
        if self.before is not None:
            images = functional.pad(images, self.before, value=float("-inf"))
        return functional.max_pool2d(images, self.size, self.stride, self.inside)


class AveragePool(Layer):
    """Mean of each window over the pixels of the image; what `same` adds does not count."""

    pixels: Tensor

    def __init__(self, layer: layers.AveragePool, shape: Shape) -> None:
        super().__init__(layer.name or layer.kind)
        self.size = pair(layer.size)
        self.stride = self.size if layer.stride is None else pair(layer.stride)
        self.padding = padding_of(layer.padding, shape, self.size, self.stride)
        ones = functional.pad(torch.ones(1, 1, *shape[:2]), self.padding)
        pixels = functional.avg_pool2d(ones, self.size, self.stride, divisor_override=1)
        self.register_buffer("pixels", pixels, persistent=False)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c oh ow"]:
        if not any(self.padding):
            return functional.avg_pool2d(images, self.size, self.stride)
        padded = functional.pad(images, self.padding)
        sums = functional.avg_pool2d(padded, self.size, self.stride, divisor_override=1)
        return sums / self.pixels.to(sums.dtype)


class GlobalAveragePool(Layer):
    """Mean over height and width."""

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c"]:
        return images.mean(dim=(2, 3))


class Flatten(Layer):
    """An image as one row in the order height, width, channel: a view where memory is channels_last."""

    def forward(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n inputs"]:
        return images if images.dim() == 2 else images.permute(0, 2, 3, 1).flatten(1)


class Dropout(Layer):
    """Inputs set to zero at random while training, from a stream named by seed, layer and epoch."""

    def __init__(self, layer: layers.Dropout, *, seed: int) -> None:
        super().__init__(layer.name or layer.kind)
        self.rate = layer.rate
        self.seed = seed
        self.generator: torch.Generator | None = None

    def start_epoch(self, epoch: int) -> None:
        stream = generator(self.seed, "dropout", self.name, epoch)
        self.generator = torch.Generator().manual_seed(int(stream.integers(2**63)))

    def forward(self, inputs: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        if not self.training or self.rate == 0:
            return inputs
        if self.generator is None:
            raise RuntimeError(f"layer {self.name!r} (dropout): call start_epoch before training on a batch")
        # Drawn on the processor, so that the same images of it are dropped on every device.
        kept = torch.empty_like(inputs, device="cpu").bernoulli_(1 - self.rate, generator=self.generator)
        return inputs * kept.div_(1 - self.rate).to(inputs.device)


class BatchNorm(Layer):
    """Batch normalisation per channel; the running variance is the biased one, as in Keras."""

    moving_mean: Tensor
    moving_variance: Tensor

    def __init__(self, layer: layers.BatchNorm, shape: Shape) -> None:
        super().__init__(layer.name or layer.kind)
        self.epsilon, self.momentum = layer.epsilon, layer.momentum
        self.gamma = nn.Parameter(torch.ones(shape[-1]))
        self.beta = nn.Parameter(torch.zeros(shape[-1]))
        self.register_buffer("moving_mean", torch.zeros(shape[-1]))
        self.register_buffer("moving_variance", torch.ones(shape[-1]))

    def forward(self, inputs: Float[Tensor, "n c ..."]) -> Float[Tensor, "n c ..."]:
        if not self.training:
            return functional.batch_norm(
                inputs, self.moving_mean, self.moving_variance, self.gamma, self.beta, eps=self.epsilon
            )
        outputs, mean, variance = _Normalized.apply(inputs, self.gamma, self.beta, self.epsilon)
        with torch.no_grad():
            self.moving_mean.mul_(self.momentum).add_(mean, alpha=1 - self.momentum)
            self.moving_variance.mul_(self.momentum).add_(variance, alpha=1 - self.momentum)
        return outputs

    def weights(self) -> dict[str, Tensor]:
        return {
            "gamma": self.gamma,
            "beta": self.beta,
            "moving_mean": self.moving_mean,
            "moving_variance": self.moving_variance,
        }


class _Normalized(torch.autograd.Function):
    """Inputs normalised by the batch's own mean and biased variance per channel; also gives these two.

    torch's own kernel adds up a channels_last batch one by one in float32: at 100 images of 26 x 26
    its means are off by 1e-4. Sums in a tree are exact to rounding, and as fast.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> tuple[Tensor, ...]:
        rows = _rows(inputs)
        mean = rows.mean(0, dtype=gamma.dtype)
        variance = (rows - mean).square_().mean(0)
        ctx.save_for_backward(inputs, gamma, mean, (variance + epsilon).rsqrt())
        ctx.mark_non_differentiable(mean, variance)
        outputs = torch.native_batch_norm(inputs, gamma, beta, mean, variance, False, 0.0, epsilon)[0]
        return outputs, mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, gamma, mean, inverse_deviation = ctx.saved_tensors
        rows, centred = _rows(gradients[0]), _rows(inputs) - mean
        of_beta = rows.sum(0, dtype=gamma.dtype)
        along = (rows * centred).sum(0).mul_(inverse_deviation)
        # What changes the mean or the deviation of a channel alone has no effect after it.
        centred.mul_(along * inverse_deviation / len(rows)).add_(of_beta / len(rows))
        of_rows = (rows - centred).mul_(gamma * inverse_deviation).to(inputs.dtype)
        if inputs.dim() == 4:
            count, _channels, height, width = inputs.shape
            of_rows = of_rows.view(count, height, width, -1).permute(0, 3, 1, 2)
        return of_rows, along, of_beta, None


def _rows(images: Tensor) -> Tensor:
    """One row of channels per pixel: a view where memory is channels_last."""
    return images.permute(0, 2, 3, 1).flatten(0, 2) if images.dim() == 4 else images


class Activation(Layer):
    """An activation as a layer of its own. In place only where nothing else needs its input."""

    def __init__(self, layer: layers.Activation, *, in_place: bool) -> None:
        super().__init__(layer.name or layer.kind)
        self.function = activation(layer.function, in_place=in_place)

    def forward(self, inputs: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return inputs if self.function is None else self.function(inputs)


def padding_of(
    padding: Literal["valid", "same"], shape: Shape, window: tuple[int, int], stride: tuple[int, int]
) -> Padding:
    """What TensorFlow adds around an image (height, width, channels): the odd pixel right and below.

    >>> padding_of("same", (28, 28, 1), (2, 3), (1, 1)), padding_of("same", (28, 28, 1), (3, 3), (2, 2))
    ((1, 1, 0, 1), (0, 1, 0, 1))
    """
    if padding == "valid":
        return (0, 0, 0, 0)
    sides: list[int] = []
    for length, extent, step in zip((shape[1], shape[0]), window[::-1], stride[::-1], strict=True):
        total = max((-(-length // step) - 1) * step + extent - length, 0)
        sides += [total // 2, total - total // 2]
    return (sides[0], sides[1], sides[2], sides[3])


def _divided(padding: Padding) -> tuple[tuple[int, int], Padding | None]:
    """Padding that the operation can add itself (height, width), else what must be added before it."""
    left, right, top, bottom = padding
    return ((top, left), None) if left == right and top == bottom else ((0, 0), padding)


def _with_bias(kernel: Tensor, bias: Tensor | None) -> dict[str, Tensor]:
    return {"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}
