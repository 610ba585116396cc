"""Data sets as torch has them: items, each of which is an image and a label, and their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from fairtrial.errors import DataError
from fairtrial.images.elements import (
    IMAGES,
    LABELS,
    Found,
    Picture,
    column,
    labels_in,
    names_in,
    picture_of,
)  # fmt: skip


def of_items(given: Any, what: str) -> Found:
    """A data set as torch's: as many items as its length says, each an image and a label."""
    images: list[Picture] = []
    labels: list[object] = []
    read = _untransformed(given)
    for place in range(len(given)):
        image, label = _item(read or given.__getitem__, place, what)
        images.append(picture_of(image, f"{what}: image {place}"))
        labels.append(getattr(label, "item", lambda label=label: label)())
    if images and not np.array_equal(
        images[0], again := _again(read or given.__getitem__, what), equal_nan=again.dtype.kind == "f"
    ):
        raise DataError(
            f"{what}: its first item is another image each time it is read. Leave out what is drawn at random; a study "
            "moves images by data.augment"
        )
    transforms = any(getattr(given, name, None) is not None for name in ("transform", "transforms"))
    said = "not applied" if read is not None else "applied"
    found = labels_in(labels, what)
    return Found(
        images=images,
        labels=found,
        class_names=names_in(getattr(given, "classes", None), found),
        notes=(f"{what}: its transform was {said}",) if transforms else (),
    )


def _untransformed(given: Any) -> Callable[[int], object] | None:
    """How the items of torchvision's folders are read before they are transformed; None for other data sets."""
    samples, loader = getattr(given, "samples", None), getattr(given, "loader", None)
    if not isinstance(samples, list) or not callable(loader):
        return None
    listed = cast("list[tuple[Any, Any]]", samples)
    return lambda place: (loader(listed[place][0]), listed[place][1])


def _item(read: Callable[[int], object], place: int, what: str) -> tuple[object, object]:
    try:
        item = read(place)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{what}: item {place} cannot be read ({type(error).__name__}: {str(error)[:100]})"
        ) from error
    if isinstance(item, Mapping):
        row = cast("Mapping[str, object]", item)
        return row[column([*map(str, row)], IMAGES, what)], row[column([*map(str, row)], LABELS, what)]
    if not isinstance(item, tuple | list) or len(cast("list[object]", item)) < 2:
        raise DataError(f"{what}: item {place} is no pair of an image and a label")
    image, label = cast("Sequence[object]", item)[:2]
    return image, label


def _again(read: Callable[[int], object], what: str) -> Picture:
    return picture_of(_item(read, 0, what)[0], f"{what}: image 0")
