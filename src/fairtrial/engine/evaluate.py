"""How good a network is on images it does not train on at this moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fairtrial.engine.device import products
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import arm_facts

if TYPE_CHECKING:
    from jaxtyping import Float, Int64, UInt8
    from torch import Tensor

    from fairtrial.engine.network import Network

OWN_BATCH = 500
"""Images per evaluation batch of a network whose activations nobody has described."""

_CACHE_BYTES = 8 * 2**20
"""The largest activation of an evaluation batch should stay near the processor's caches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Images as they are stored, with their labels: (n, height, width, channels) bytes."""

    pixels: UInt8[Tensor, "n height width channels"]
    labels: Int64[Tensor, " n"]

    def to(self, device: torch.device) -> Images:
        """The same images there: themselves where they are there already."""
        if self.labels.device == device:
            return self
        return Images(pixels=self.pixels.to(device), labels=self.labels.to(device))

    def batch(self, chosen: Int64[Tensor, " batch"]) -> Float[Tensor, "batch channels height width"]:
        """The chosen images in [0, 1], in channels_last memory order without a copy."""
        return self.pixels.index_select(0, chosen).to(torch.float32).div_(255).permute(0, 3, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Mean cross-entropy in nats, accuracy in [0, 1], and the logits they come from."""

    loss: float
    accuracy: float
    logits: Float[Tensor, "n classes"]


def score(logits: Float[Tensor, "n classes"], labels: Int64[Tensor, " n"]) -> Scores:
    """Scores of logits that are there already; float64, so that 54 000 terms add up exactly."""
    loss = functional.cross_entropy(logits.double(), labels)
    accuracy = (logits.argmax(1) == labels).double().mean()
    return Scores(loss=float(loss), accuracy=float(accuracy), logits=logits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Images to judge by again and again, as the network takes them, in batches; with their labels.

    Turning bytes into numbers costs about what a small network costs, so it is done once.
    """

    batches: tuple[Float[Tensor, "batch channels height width"], ...]
    labels: Int64[Tensor, " n"]


def prepared(images: Images, chosen: Int64[Tensor, " n"], *, batch_size: int) -> Prepared:
    """The chosen images: 4 bytes a pixel for as long as it is kept."""
    return Prepared(
        batches=tuple(images.batch(part) for part in chosen.split(batch_size)),
        labels=images.labels[chosen],
    )


def evaluate(network: Network, images: Prepared, *, bfloat16: bool) -> Scores:
    """Scores of `network` in inference mode (no dropout, moving averages)."""
    network.eval()
    with torch.inference_mode(), products(images.labels.device, bfloat16=bfloat16):
        logits = torch.cat([network(batch).float() for batch in images.batches])
    network.train()
    return score(logits, images.labels)


def evaluation_batch(arm: Arm) -> int:
    """Images per evaluation batch: large, but with its activations near the caches."""
    if not arm.is_described:
        return OWN_BATCH
    widest = max(math.prod(facts.output_shape) for facts in arm_facts(arm))
    return max(100, min(2000, _CACHE_BYTES // (4 * widest)))


def moments(steps: int, count: int) -> tuple[int, ...]:
    """`count` equally spaced steps of an epoch, its last among them; each step where it has fewer.

    Steps are counted from 1.

    >>> moments(540, 5), moments(6, 10)
    ((108, 216, 324, 432, 540), (1, 2, 3, 4, 5, 6))
    """
    return tuple(sorted({-(-part * steps // count) for part in range(1, count + 1)}))
