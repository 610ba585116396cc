"""Data sets opened to be learnt from, checked whenever they are opened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.images import opening
from fairtrial.images.arrays import fingerprint as fingerprint
from fairtrial.images.facts import DatasetFacts, Source


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Images (n, height, width, channels) and labels (n,), all unsigned bytes and read-only."""

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    fingerprint: str


def load(which: str | DatasetFacts) -> Dataset:
    """The data set of these facts, or the one at this path or of this name in the catalogue.

    Whatever its source, the cache or its files, it is used only if its fingerprint is the one that the facts
    have: a trial is of one content and no other. Raises DataError if there is no such data set, or it is damaged
    or holds something else by now.
    """
    facts = opening.facts_of(Source(dataset=opening.absolute(which))) if isinstance(which, str) else which
    return Dataset(name=facts.name, fingerprint=facts.fingerprint, **opening.arrays_of(facts))
