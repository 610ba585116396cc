"""What the networks of an arm got wrong on the test images: confusions, and the worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.trial import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongImage:
    """A test image, by its number from 0, that was taken for something else with much confidence.

    `probability` is the mean, over the trials that said `said`, of the probability they gave it.
    """

    image: int
    label: int
    said: int
    probability: float
    times: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mistakes:
    """Summed over trials. `confusion[label, said]` counts test images."""

    trials: int
    confusion: NDArray[np.int64]
    worst: tuple[WrongImage, ...]

    @property
    def wrong(self) -> int:
        return int(self.confusion.sum() - np.trace(self.confusion))


def mistakes(
    predictions: Sequence[Predictions], labels: NDArray[np.uint8], *, classes: int, worst: int
) -> Mistakes | None:
    """Confusions over all trials and the `worst` most confidently wrong images; None without trials.

    An image counts by the probability that the trials gave to its commonest wrong class, summed:
    what one seed is sure of and nine are not is that seed's affair, not the network's.
    """
    if not predictions:
        return None
    images = len(labels)
    confusion = np.zeros((classes, classes), dtype=np.int64)
    weight = np.zeros((images, classes))
    times = np.zeros((images, classes), dtype=np.int64)
    for one in predictions:
        pairs = labels.astype(np.int64) * classes + one.classes
        confusion += np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
        wrong = np.flatnonzero(one.classes != labels)
        weight[wrong, one.classes[wrong]] += one.probabilities[wrong]
        times[wrong, one.classes[wrong]] += 1
    said = weight.argmax(axis=1)
    score = weight.max(axis=1)
    # Stable, so that equal scores come in the order of the images on every machine.
    order = np.argsort(-score, kind="stable")[:worst]
    return Mistakes(
        trials=len(predictions),
        confusion=confusion,
        worst=tuple(
            WrongImage(
                image=int(image),
                label=int(labels[image]),
                said=int(said[image]),
                probability=float(score[image] / times[image, said[image]]),
                times=int(times[image, said[image]]),
                trials=len(predictions),
            )
            for image in order
            if score[image] > 0
        ),
    )
