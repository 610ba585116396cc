"""Images and labels in the objects of other libraries, told by what these can do: none of the libraries is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.arrays import Bytes
from fairtrial.images.converting import converted
from fairtrial.images.elements import (
    IMAGES,
    LABELS,
    Found,
    Picture,
    array_of,
    article,
    column,
    first_of,
    labels_in,
    names_in,
    picture_of,
)  # fmt: skip
from fairtrial.images.facts import Source
from fairtrial.images.idx import LARGEST_BYTES
from fairtrial.images.items import of_items
from fairtrial.images.named import ROLES, role

_IMAGE_ATTRIBUTES = ("images", "data")
_LABEL_ATTRIBUTES = ("targets", "target", "labels")


def found_in(images: object, labels: object, *, what: str) -> tuple[Found, Found | None]:
    """The training part, and the test part where the object has one. Raises DataError for what holds no images."""
    images, labels = _listed(images), _listed(labels)
    if _is_pair(images) and _is_pair(labels):  # Keras: ((images, labels), (images, labels))
        return _pair(images, what), _pair(labels, f"{what} (test)")
    if labels is not None:
        return _pair((images, labels), what), None
    if _is_pair(images):
        first, second = cast("tuple[object, object]", images)
        if _is_pair(first) and _is_pair(second):
            return _pair(first, what), _pair(second, f"{what} (test)")
        return _pair(images, what), None
    if isinstance(images, Mapping) and not _holds_both(cast("object", images)):
        return _of_mapping(cast("Mapping[str, object]", images), what)
    return _one(images, what), None


def stacked(
    images: NDArray[Any] | Sequence[Picture], source: Source, *, what: str
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """One array of all images, and what was done; those that were given one by one are made alike as `source` says."""
    if isinstance(images, np.ndarray):
        return images, ()
    made: list[Bytes] = []
    changed = 0
    size = 0
    for place, picture in enumerate(images):
        pixels = picture if picture.ndim == 3 else picture[..., np.newaxis]
        if source.size is not None or source.colour is not None:
            if pixels.dtype != np.uint8:
                raise DataError(
                    f"{what}: image {place} is of {pixels.dtype}; only bytes are scaled or coloured one by one"
                )
            before = pixels.shape[:2]
            pixels = converted(pixels[np.newaxis], source, what=f"{what}: image {place}")[0][0]
            changed += before != pixels.shape[:2]
        size += pixels.size
        if size > LARGEST_BYTES:
            raise DataError(
                f"{what}: more than {LARGEST_BYTES:,} bytes of images; make them smaller with size"
            )
        made.append(pixels)
    shapes = {one.shape for one in made}
    if len(shapes) != 1:
        shown = ", ".join(" x ".join(map(str, one)) for one in sorted(shapes)[:3]) or "none"
        raise DataError(
            f'{what}: its images are not alike ({shown}); say one size, such as size=(28, 28), and colour="grey" or "rgb"'
        )
    scaled = f"{what}: {changed:,} images were scaled to {' x '.join(map(str, source.size or ()))}"
    return np.stack(made), (scaled,) if changed else ()


def _listed(value: object) -> object:
    """What can be gone through once alone, as a list; `[images, labels]` in arrays as the pair that it is."""
    if isinstance(value, Iterator):
        return list(cast("Iterator[object]", value))
    if isinstance(value, list) and len(pair := cast("list[object]", value)) == 2:
        first, second = (getattr(one, "ndim", None) for one in pair)
        if isinstance(first, int) and first > 1 and second == 1:
            return tuple(pair)
    return cast("object", value)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(cast("tuple[object, ...]", value)) == 2


def _holds_both(given: object) -> bool:
    """Whether its attributes are images and labels: scikit-learn's bunches are mappings too."""
    return all(first_of(given, names) is not None for names in (_IMAGE_ATTRIBUTES, _LABEL_ATTRIBUTES))


def _of_mapping(given: Mapping[str, object], what: str) -> tuple[Found, Found | None]:
    """Splits by their names, as Hugging Face has them, or arrays by theirs, as in an .npz file."""
    names = [str(one) for one in given]
    if "train" in names:
        train, more = found_in(given["train"], None, what=what)
        test, _ = found_in(given["test"], None, what=f"{what} (test)") if "test" in names else (more, None)
        if others := [one for one in names if one not in ("train", "test")]:
            note = (
                f"{what}: besides train and test it has parts that were not read: {', '.join(others)[:100]}"
            )
            train = replace(train, notes=(*train.notes, note))
        return train, test
    found = {role(one): given[one] for one in names if role(one) is not None}
    main = "whole" if ("whole", "images") in found else "train"
    if (main, "images") not in found or (main, "labels") not in found:
        raise DataError(
            f"{what}: a mapping of {', '.join(names)[:200] or 'nothing'}; known are the splits train and test, and arrays "
            f"called {'; '.join(ROLES)}"
        )
    train = _pair((found[main, "images"], found[main, "labels"]), what)
    if ("test", "images") not in found or ("test", "labels") not in found:
        return train, None
    return train, _pair((found["test", "images"], found["test", "labels"]), f"{what} (test)")


def _pair(pair: object, what: str) -> Found:
    images, labels = cast("tuple[object, object]", pair)
    return Found(images=_images(images, what), labels=labels_in(labels, what))


def _one(given: Any, what: str) -> Found:
    """One part, in an object that holds both images and labels."""
    if hasattr(given, "features") and hasattr(given, "column_names"):
        return _of_columns(given, what)
    # scikit-learn's bunches have both `images` and flat `data`; torchvision's classes `data` alone.
    images, labels = first_of(given, _IMAGE_ATTRIBUTES), first_of(given, _LABEL_ATTRIBUTES)
    if images is not None and labels is not None:
        names = first_of(given, ("target_names", "classes"))
        notes = (
            () if getattr(given, "transform", None) is None else (f"{what}: its transform was not applied",)
        )
        found = labels_in(labels, what)
        return Found(
            images=_images(images, what), labels=found, class_names=names_in(names, found), notes=notes
        )
    if isinstance(given, str | bytes | PathLike):
        raise DataError(
            f"{what}: {str(cast('object', given))[:80]!r} is a path; a study names it itself, "
            'data={"dataset": "photos"}'
        )
    if hasattr(given, "__getitem__") and hasattr(given, "__len__") and not hasattr(given, "__array__"):
        return of_items(given, what)
    raise DataError(
        f"{what}: {article(type(given).__name__)} holds no images and labels that are known here; give both, "
        "Data(images, labels)"
    )


def _of_columns(given: Any, what: str) -> Found:
    """A data set of Hugging Face: rows with a column of pictures and one of classes."""
    columns = [str(one) for one in given.column_names]
    image, label = (column(columns, names, what) for names in (IMAGES, LABELS))
    names = getattr(given.features[label], "names", None) if label in given.features else None
    labels = labels_in(given[label], what)
    images = [picture_of(one, f"{what}: image {place}") for place, one in enumerate(given[image])]
    return Found(images=images, labels=labels, class_names=names_in(names, labels))


def _images(given: object, what: str) -> NDArray[Any] | Sequence[Picture]:
    """One array if it can be had as one, otherwise picture by picture."""
    if isinstance(given, str | bytes):
        raise DataError(f"{what}: a text is no image; a path is named in the study, data.dataset")
    if not hasattr(given, "__array__") and isinstance(given, Iterable):
        listed = list(cast("Iterable[object]", given))
        return [picture_of(one, f"{what}: image {place}") for place, one in enumerate(listed)]
    return array_of(given, f"{what}: images")
