"""Which images are validated on and which are trained on, in which order, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.data.streams import generator
from fairtrial.errors import DataError
from fairtrial.study.schema import DataSettings

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The training images of a data set, divided for one seed. Indices count from 0.

    `validation` is what the network is validated on; `pool` what each epoch shuffles. With a
    fixed split no image is in both; with a reshuffled one each epoch drops its first
    `dropped` draws from the pool and hopes, like the notebook, that they are the validation set.
    """

    validation: Indices
    pool: Indices
    dropped: int
    buffer_size: int
    seed: int

    def epoch_order(self, epoch: int) -> Indices:
        """Indices of the images that epoch number `epoch` (from 1) trains on, in order."""
        if epoch < 1:
            raise ValueError(f"epochs are counted from 1, got {epoch}")
        rng = generator(self.seed, "order", epoch)
        return self.pool[buffered_shuffle(len(self.pool), self.buffer_size, rng=rng)][self.dropped :]


def split(settings: DataSettings, *, seed: int) -> Split:
    """Divide the training images as `settings` say, with the random streams of `seed`.

    `fixed`: the validation images are drawn once, uniformly from all, and never trained on; a
    smaller `train` keeps the same validation images. `reshuffled`: the notebook's buffered
    shuffle, drawn anew for each epoch, so that most validation images are trained on.

    Raises DataError if the data set has too few images.
    """
    images = settings.facts.train_images
    wanted = settings.validation + settings.train_count
    if settings.train_count < 1 or wanted > images:
        raise DataError(
            f"data: validation {settings.validation} and train {max(settings.train_count, 1)} need "
            f"{max(wanted, settings.validation + 1)} images; {settings.facts.name} has {images}"
        )
    rng = generator(seed, "split")
    if settings.split == "fixed":
        drawn = _permutation(images, rng)
        validation, pool = np.sort(drawn[: settings.validation]), np.sort(drawn[settings.validation : wanted])
        dropped = 0
    else:
        pool = np.arange(wanted)
        validation = buffered_shuffle(wanted, settings.buffer_size, rng=rng)[: settings.validation]
        dropped = settings.validation
    return Split(
        validation=validation, pool=pool, dropped=dropped, buffer_size=settings.buffer_size, seed=seed
    )


def validation_seen(split: Split, epochs: int) -> float:
    """Share of the validation images, in [0, 1], that the first `epochs` epochs train on.

    Counted from the orders the training uses, not derived from the kind of split.
    """
    trained = np.zeros(max(split.validation.max(), split.pool.max()) + 1, bool)
    for epoch in range(1, epochs + 1):
        trained[split.epoch_order(epoch)] = True
    return float(trained[split.validation].mean())


def buffered_shuffle(count: int, buffer_size: int, *, rng: np.random.Generator) -> Indices:
    """0 to `count` - 1 in the order in which tf.data's shuffle with this buffer would draw them.

    A buffer holds the first `buffer_size` indices. Each draw takes a random slot, which the next
    index refills; when there is none left, the buffer is emptied in random order.

    Draw t refills its slot with index `buffer_size` + t. So what a draw finds follows from
    the previous draw of the same slot alone, and a stable sort by slot puts the two side by side.
    """
    size = min(buffer_size, count)
    # Uniform doubles are the one thing numpy draws alike in every version; 16-bit keys sort by radix.
    slots = np.floor(rng.random(count - size) * size).astype(np.uint16 if size <= 65_536 else np.int64)
    draws = np.argsort(slots, kind="stable")
    again = np.flatnonzero(slots[draws[1:]] == slots[draws[:-1]]) + 1
    drawn = slots.astype(np.int64)
    drawn[draws[again]] = size + draws[again - 1]
    left = np.arange(size)
    left[slots[draws]] = size + draws
    return np.concatenate([drawn, left[_permutation(size, rng)]])


def _permutation(count: int, rng: np.random.Generator) -> Indices:
    return np.argsort(rng.random(count), kind="stable")
