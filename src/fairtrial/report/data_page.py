"""What was found in a data set as one HTML page with its pictures, and a sheet of examples as a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fairtrial
from fairtrial.data.catalog import Dataset
from fairtrial.data.inspecting import AGREEING, COUNT, NEAR, Doubt, Inspection, Place, Twins
from fairtrial.images.facts import DatasetFacts
from fairtrial.report import png
from fairtrial.report.files import write_text
from fairtrial.report.templating import content_hash, environment, markup, source

EXAMPLES = 12
"""Of each class."""

MOST_CLASSES, MOST_PAIRS, MOST_DOUBTS = 100, 40, 60
LARGEST_SHOWN = 64
"""Pixels a side at which an image is shown; a larger one is thinned out."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class _Shown:
    """Pictures that belong together, with what is said of them."""

    pictures: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Class:
    name: str
    train: int
    test: int
    width: int
    """Of its bar, in percent of the largest class's."""
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class _Group:
    anchor: str
    title: str
    count: int
    text: str
    items: tuple[_Shown, ...]


def data_page(found: Inspection, dataset: Dataset, *, made: datetime | None = None) -> str:
    """The whole page."""
    facts = found.facts
    body = (
        environment()
        .get_template("data.html")
        .render(
            facts=facts,
            shape=" x ".join(map(str, facts.input_shape[:2]))
            + (" in colour" if facts.input_shape[2] == 3 else ""),
            classes=_classes(found, dataset),
            left_out=max(0, facts.classes - MOST_CLASSES),
            groups=_groups(found, dataset),
            constant=int(found.constant.sum()),
            pixels=found.constant.size,
            constant_map=_map(found),
            version=fairtrial.__version__,
            made=(made or datetime.now().astimezone()).strftime("%Y-%m-%d"),
        )
    )
    style = f"{source('page.css')}\n{source('data.css')}"
    policy = f"default-src 'none'; img-src data:; style-src '{content_hash(style)}'; base-uri 'none'; form-action 'none'"
    return (
        environment()
        .get_template("plain_shell.html")
        .render(title=f"What is in {facts.name}", policy=policy, style=markup(style), body=markup(body))
    )


def write_data_page(found: Inspection, dataset: Dataset, path: Path) -> Path:
    """Raises FairtrialError where it cannot be written."""
    return write_text(path, data_page(found, dataset))


def sheet(dataset: Dataset, facts: DatasetFacts) -> bytes:
    """A PNG file: a row for each class, of its first training images, with a gap of one pixel."""
    height, width, channels = (_small(dataset.train_images[0])).shape
    rows = min(facts.classes, MOST_CLASSES)
    canvas = np.full((rows * (height + 1) - 1, EXAMPLES * (width + 1) - 1, channels), 127, np.uint8)
    for label in range(rows):
        for column, place in enumerate(_first(dataset, label)):
            top, left = label * (height + 1), column * (width + 1)
            canvas[top : top + height, left : left + width] = _small(dataset.train_images[place])
    return png.picture(canvas)


def _first(dataset: Dataset, label: int) -> list[int]:
    return np.flatnonzero(dataset.train_labels == label)[:EXAMPLES].tolist()


def _small(image: Bytes) -> Bytes:
    step = -(-max(image.shape[:2]) // LARGEST_SHOWN)
    return np.ascontiguousarray(image[::step, ::step])


def _address(image: Bytes) -> str:
    return png.of_channels(_small(image))


def _classes(found: Inspection, dataset: Dataset) -> list[_Class]:
    largest = max(found.train_counts)
    return [
        _Class(
            name=found.name(label),
            train=found.train_counts[label],
            test=found.test_counts[label],
            width=round(100 * found.train_counts[label] / largest),
            pictures=tuple(_address(dataset.train_images[place]) for place in _first(dataset, label)),
        )
        for label in range(min(found.facts.classes, MOST_CLASSES))
    ]


def _groups(found: Inspection, dataset: Dataset) -> list[_Group]:
    missed = (
        f" Around {found.unsure:,} of the images more could be hidden: they have more near neighbours than were looked at."
        if found.unsure
        else ""
    )
    return [
        _Group(
            anchor="exact",
            title="Images that occur twice",
            count=len(found.exact),
            text="Byte for byte. One that is trained on and tested with makes figures on the test set too good.",
            items=_pairs(found, dataset, found.exact),
        ),
        _Group(
            anchor="near",
            title="Near duplicates",
            count=len(found.near),
            text=f"Less than {NEAR:g} apart, where 0 is the same image and 1.4 two images that have nothing in common; "
            f"{found.compared:,} images were compared.{missed}",
            items=_pairs(found, dataset, found.near),
        ),
        _Group(
            anchor="labels",
            title="Candidates for wrong labels",
            count=len(found.doubts),
            text=f"At least {AGREEING} of the {COUNT} images nearest in pixels have one same other label. Candidates only: an unusual "
            "image is among them just as one with a wrong label. Look at each before you change anything.",
            items=tuple(_doubt(found, dataset, one) for one in found.doubts[:MOST_DOUBTS]),
        ),
    ]


def _pairs(found: Inspection, dataset: Dataset, twins: Sequence[Twins]) -> tuple[_Shown, ...]:
    ranked = sorted(twins, key=lambda one: (not one.in_dispute, not one.across))
    return tuple(
        _Shown(
            pictures=tuple(_address(_image(dataset, place)) for place in (one.first, one.second)),
            text=f"{_said(found, one.first)} and {_said(found, one.second)}"
            + (f", {one.distance:.3f} apart" if one.distance else ""),
        )
        for one in ranked[:MOST_PAIRS]
    )


def _doubt(found: Inspection, dataset: Dataset, one: Doubt) -> _Shown:
    return _Shown(
        pictures=(_address(_image(dataset, one.place)),),
        text=f"{_said(found, one.place)}; {one.agreeing} of {COUNT} neighbours: {found.name(one.other)}",
    )


def _said(found: Inspection, place: Place) -> str:
    return f"{place}: {found.name(place.label)}"


def _image(dataset: Dataset, place: Place) -> Bytes:
    images = dataset.train_images if place.part == "train" else dataset.test_images
    return images[place.index]


def _map(found: Inspection) -> str:
    """Constant pixels black, the others white."""
    varying = ~found.constant.all(axis=2)
    pixels = np.where(varying, 255, 0).astype(np.uint8)
    return png.of_channels(_small(pixels[..., np.newaxis]))
