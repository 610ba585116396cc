"""A look at a data set before anything is trained on it: balance, images that occur twice, doubtful labels, dead pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairtrial.data.catalog import Dataset
from fairtrial.data.neighbours import COUNT, Neighbours, neighbours
from fairtrial.images.facts import DatasetFacts

NEAR = 0.12
"""Relative distance below which two images are near duplicates. No two of MNIST's 70 000 images are nearer than 0.134
(two ones; the nearest eights are 0.296 apart), while nearly every copy with 5 % other brightness, with noise of eight
levels or saved as JPEG of quality 75 is below it: docs/data.md has the figures."""

AGREEING = 9
"""Of ten nearest neighbours, so many must have one same other label for a label to be a candidate."""

MOST_COMPARED = 100_000
"""Images whose neighbours are looked for; of a larger data set, so many that are evenly spaced."""

PartName = Literal["train", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An image: its part, its index there from 0, and its label."""

    part: PartName
    index: int
    label: int
    file: str = ""
    """Where it came from a file of its own: that file's path within the data set."""

    def __str__(self) -> str:
        return self.file or f"{self.part} image {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two images that are the same (`distance` 0) or nearly so."""

    first: Place
    second: Place
    distance: float

    @property
    def across(self) -> bool:
        """Whether one is trained on and the other tested with."""
        return self.first.part != self.second.part

    @property
    def in_dispute(self) -> bool:
        """Whether they have different labels, of which one at most can be right."""
        return self.first.label != self.second.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """An image whose neighbours are of another class: `agreeing` of COUNT have the label `other`."""

    place: Place
    other: int
    agreeing: int
    distance: float
    """Mean relative distance of its neighbours: the nearer they are, the more their label says."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inspection:
    """What was found. Every repeated image is listed once, beside the first image that equals it or the nearest.

    `compared` counts the images whose neighbours were looked for, and `unsure` those of them around which a near
    duplicate could have been missed. `constant` (height, width, channels) marks pixels that are the same in all training images.
    """

    facts: DatasetFacts
    train_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    exact: tuple[Twins, ...]
    near: tuple[Twins, ...]
    doubts: tuple[Doubt, ...]
    constant: NDArray[np.bool_]
    compared: int
    unsure: int

    def as_dict(self, *, most: int = 1000) -> dict[str, Any]:
        """As plain values; of each list the first `most`, beside how many there are."""
        facts = self.facts.plain()
        del facts["source"]
        across = [one for one in (*self.exact, *self.near) if one.across]
        return {
            "facts": facts,
            "classes": [
                {"label": label, "name": self.name(label), "train": train, "test": test}
                for label, (train, test) in enumerate(zip(self.train_counts, self.test_counts, strict=True))
            ],
            "exact_duplicates": {**_counts(self.exact), "pairs": [asdict(one) for one in self.exact[:most]]},
            "near_duplicates": {
                **_counts(self.near), "below": NEAR, "compared": self.compared, "unsure": self.unsure,
                "pairs": [asdict(one) for one in self.near[:most]],
            },
            "test_images_seen_in_training": len({(one.second.part, one.second.index) for one in across}),
            "label_noise_candidates": {
                "count": len(self.doubts), "neighbours": COUNT, "agreeing_at_least": AGREEING,
                "images": [asdict(one) for one in self.doubts[:most]],
            },
            "constant_pixels": {"count": int(self.constant.sum()), "of": int(self.constant.size)},
        }  # fmt: skip

    def name(self, label: int) -> str:
        return self.facts.class_names[label] if self.facts.class_names else str(label)


def _counts(twins: tuple[Twins, ...]) -> dict[str, int]:
    return {
        "count": len(twins),
        "across_train_and_test": sum(one.across for one in twins),
        "with_different_labels": sum(one.in_dispute for one in twins),
    }


def inspect(
    dataset: Dataset, facts: DatasetFacts, *, files: Mapping[str, Sequence[str]] | None = None
) -> Inspection:
    """Look over the whole data set; seventy thousand images take about half a minute on two cores.

    `files` has the file of each image, by part, where each has one of its own.
    """
    place = partial(_place, dataset, files or {})
    train = dataset.train_images
    exact, repeats = _exact(dataset, place)
    chosen = _chosen(len(dataset.train_labels) + len(dataset.test_labels), repeats)
    near: tuple[Twins, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unsure = 0
    if len(chosen) > 2:
        images = np.concatenate([train, dataset.test_images])[chosen]
        labels = np.concatenate([dataset.train_labels, dataset.test_labels])[chosen]
        places = [place(int(one)) for one in chosen]
        found = neighbours(images, radius=NEAR)
        near = _near(found, places)
        doubts = _doubts(found, labels, places)
        unsure = int((~found.sure).sum())
    return Inspection(
        facts=facts,
        train_counts=tuple(np.bincount(dataset.train_labels, minlength=facts.classes).tolist()),
        test_counts=tuple(np.bincount(dataset.test_labels, minlength=facts.classes).tolist()),
        exact=exact,
        near=near,
        doubts=doubts,
        constant=train.min(axis=0) == train.max(axis=0),
        compared=len(chosen),
        unsure=unsure,
    )


def _exact(dataset: Dataset, place: Callable[[int], Place]) -> tuple[tuple[Twins, ...], NDArray[np.int64]]:
    """Repeated images, and their numbers, training images before test images."""
    first: dict[bytes, int] = {}
    twins: list[Twins] = []
    repeats: list[int] = []
    number = 0
    for images in (dataset.train_images, dataset.test_images):
        for image in images:
            before = first.setdefault(image.tobytes(), number)
            if before != number:
                twins.append(Twins(first=place(before), second=place(number), distance=0.0))
                repeats.append(number)
            number += 1
    return tuple(twins), np.array(repeats, np.int64)


def _chosen(total: int, repeats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which images are compared: each content once, and evenly spaced where these are too many."""
    numbers = np.setdiff1d(np.arange(total), repeats)
    if len(numbers) <= MOST_COMPARED:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, MOST_COMPARED).astype(np.int64)]


def _place(dataset: Dataset, files: Mapping[str, Sequence[str]], number: int) -> Place:
    count = len(dataset.train_labels)
    part, index = ("train", number) if number < count else ("test", number - count)
    labels = dataset.train_labels if part == "train" else dataset.test_labels
    file = files[part][index] if files else ""
    return Place(part=part, index=index, label=int(labels[index]), file=file)


def _near(found: Neighbours, places: list[Place]) -> tuple[Twins, ...]:
    """Each pair once, the nearest first; no pair of equal images is among them, since each content is there once."""
    pairs: dict[tuple[int, int], float] = {}
    for row, column in np.argwhere(found.distances < NEAR):
        other = int(found.indices[row, column])
        pairs[min(int(row), other), max(int(row), other)] = float(found.distances[row, column])
    ranked = sorted(pairs.items(), key=lambda entry: (entry[1], entry[0]))
    return tuple(
        Twins(first=places[one], second=places[other], distance=round(distance, 4))
        for (one, other), distance in ranked
    )


def _doubts(found: Neighbours, labels: NDArray[np.uint8], places: list[Place]) -> tuple[Doubt, ...]:
    """Those whose neighbours agree on another label: most agreeing first, then the nearest neighbours."""
    if found.indices.shape[1] < COUNT:
        return ()
    around = labels[found.indices]
    counts = np.stack([(around == label).sum(axis=1) for label in range(int(labels.max()) + 1)], axis=1)
    other, agreeing = counts.argmax(axis=1), counts.max(axis=1)
    doubtful = np.flatnonzero((other != labels) & (agreeing >= AGREEING))
    distance = found.distances.mean(axis=1)
    ranked = sorted(doubtful.tolist(), key=lambda one: (-int(agreeing[one]), float(distance[one]), one))
    return tuple(
        Doubt(
            place=places[one],
            other=int(other[one]),
            agreeing=int(agreeing[one]),
            distance=round(float(distance[one]), 4),
        )
        for one in ranked
    )
