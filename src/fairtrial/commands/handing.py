"""The images of a trial for a program of whatever framework: one file that NumPy reads, divided as our engine divides them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from fairtrial.data.catalog import Dataset, load
from fairtrial.data.split import split
from fairtrial.trial import Trial

MOST_ORDERS = 100
"""Epochs whose order of images is written down; a program that trains longer begins with the first again."""

opened = lru_cache(maxsize=4)(load)


def write_data(trial: Trial, path: Path) -> Path:
    """Write an `.npz`: `train_images`, `train_labels`, the same for `validation` and `test`, and `orders`.

    Images are bytes, (n, height, width, channels). Row e of `orders` says in which order epoch e + 1 takes the training
    images, as indices into them. Where the split is reshuffled an epoch takes images of validation too.
    """
    settings = trial.arm.settings
    data: Dataset = opened(settings.data.facts)
    division = split(settings.data, seed=trial.number)
    orders = [
        np.searchsorted(division.pool, division.epoch_order(epoch)).astype(np.int32)
        for epoch in range(1, min(settings.epochs, MOST_ORDERS) + 1)
    ]
    with path.open("wb") as file:
        np.savez(
            file,
            train_images=data.train_images[division.pool],
            train_labels=data.train_labels[division.pool],
            validation_images=data.train_images[division.validation],
            validation_labels=data.train_labels[division.validation],
            test_images=data.test_images,
            test_labels=data.test_labels,
            orders=np.stack(orders),
        )
    return path
