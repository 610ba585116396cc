"""The images a training steps through: as they are stored, or moved anew in each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fairtrial.data.augment import maps
from fairtrial.engine import augment_kernel as kernel
from fairtrial.engine.device import CPU
from fairtrial.engine.evaluate import Images
from fairtrial.study.augment import Augment

if TYPE_CHECKING:
    from jaxtyping import Int64
    from torch import Tensor


class TrainingImages:
    """What a learner trains on: `images`, the same memory in every epoch, on `device`.

    Where `augment` moves images they are a copy, made anew from `originals` for each epoch; where it does not they are
    the originals. Validation is on the originals in any case. Images are moved on the processor, where `originals` are.
    """

    def __init__(self, originals: Images, augment: Augment, *, seed: int, device: torch.device = CPU) -> None:
        self.originals, self.augment, self.seed = originals, augment, seed
        self.images = originals.to(device)
        if augment.moves:
            self.moved = originals.pixels.clone()
            self.images = Images(pixels=self.moved.to(device), labels=self.images.labels)
            # No image at all, so that compiling counts as setting up and not as training.
            self.start_epoch(1, torch.empty(0, dtype=torch.int64))

    def start_epoch(self, epoch: int, order: Int64[Tensor, " n"]) -> None:
        """Move every image of `order` as epoch number `epoch`, counted from 1, has it. Others stay as they were."""
        if not self.augment.moves:
            return
        pixels = self.originals.pixels
        count, height, width, _ = pixels.shape
        moves = maps(self.augment, seed=self.seed, epoch=epoch, images=count, shape=(height, width))
        kernel.move(pixels.numpy(), order.cpu().numpy(), moves, self.moved.numpy())
        if self.images.pixels is not self.moved:
            self.images.pixels.copy_(self.moved)
