"""One image, the labels, the names of classes, as other libraries hold them; the parts that `objects.py` looks into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images import pictures

Picture = NDArray[Any]
IMAGES = ("image", "img", "images", "pixels", "pixel_values")
LABELS = ("label", "labels", "fine_label", "target", "targets", "class")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Images as one array, or one by one where they may differ; and their labels."""

    images: NDArray[Any] | Sequence[Picture]
    labels: NDArray[Any]
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def picture_of(given: Any, what: str) -> Picture:
    """One image: whatever Pillow holds, or an array."""
    if hasattr(given, "mode") and hasattr(given, "convert"):
        return pictures.pixels_of(given, what=what)[0]
    array = array_of(given, what)
    if array.dtype.kind == "O":
        raise DataError(
            f"{what}: {article(type(given).__name__)} is no image; one of Pillow's or an array of numbers is expected"
        )
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim not in (2, 3):
        raise DataError(
            f"{what}: an array of {' x '.join(map(str, array.shape)) or 'a single number'} is no image"
        )
    return array


def labels_in(given: Any, what: str) -> NDArray[Any]:
    """One label for each image, numbers or words, whatever they came in."""
    if isinstance(given, str | bytes) or given is None:
        raise DataError(f"{what}: {str(given)[:40]!r} are no labels; give one for each image")
    if not hasattr(given, "__array__") and isinstance(given, Iterable):
        given = list(cast("Iterable[object]", given))
        if len({isinstance(one, str) for one in given}) > 1:
            return np.array(given, object)  # NumPy would make words of numbers; the mixture is to be seen
    found = array_of(given, f"{what}: labels")
    if not found.ndim:
        raise DataError(f"{what}: labels of {article(type(given).__name__)}; give one for each image")
    return found


def array_of(given: Any, what: str) -> NDArray[Any]:
    try:
        if hasattr(given, "detach") and hasattr(given, "cpu"):  # torch: with a gradient, or on another device
            given = given.detach().cpu()
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise DataError(f"{what}: cannot be made an array ({str(error)[:100]})") from None


def first_of(given: object, names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := getattr(given, name, None)) is not None), None)


def names_in(given: object, labels: NDArray[Any]) -> tuple[str, ...]:
    """Names of classes, where there is one for each label that whole numbers may mean."""
    if given is None or labels.dtype.kind not in "iu" or not labels.size:
        return ()
    names = tuple(str(one)[:200] for one in cast("Iterable[object]", given))
    return names if int(labels.max()) < len(names) and names != tuple(map(str, range(len(names)))) else ()


def column(columns: list[str], known: tuple[str, ...], what: str) -> str:
    found = [one for one in known if one in columns]
    if not found:
        raise DataError(
            f"{what}: it has the columns {', '.join(columns)}; one of {', '.join(known)} is looked for"
        )
    return found[0]


def article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
