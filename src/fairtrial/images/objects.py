"""Images and labels in the objects of other libraries, told by what these can do: none of the libraries is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images import pictures
from fairtrial.images.arrays import Bytes
from fairtrial.images.converting import converted
from fairtrial.images.facts import Source
from fairtrial.images.idx import LARGEST_BYTES

Picture = NDArray[Any]
_IMAGES = ("image", "img", "images", "pixels", "pixel_values")
_LABELS = ("label", "labels", "fine_label", "target", "targets", "class")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Images as one array, or one by one where they may differ; and their labels."""

    images: NDArray[Any] | Sequence[Picture]
    labels: NDArray[Any]
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def found_in(images: object, labels: object, *, what: str) -> tuple[Found, Found | None]:
    """The training part, and the test part where the object has one. Raises DataError for what holds no images."""
    if _is_pair(images) and _is_pair(labels):  # Keras: ((images, labels), (images, labels))
        return _pair(images, what), _pair(labels, f"{what} (test)")
    if labels is not None:
        return _pair((images, labels), what), None
    if _is_pair(images):
        first, second = cast("tuple[object, object]", images)
        if _is_pair(first) and _is_pair(second):
            return _pair(first, what), _pair(second, f"{what} (test)")
        return _pair(images, what), None
    if isinstance(images, Mapping) and "train" in images:  # Hugging Face: a dictionary of splits
        splits = cast("Mapping[str, object]", images)
        test = splits.get("test")
        return _one(splits["train"], what), None if test is None else _one(test, f"{what} (test)")
    return _one(images, what), None


def stacked(images: NDArray[Any] | Sequence[Picture], source: Source, *, what: str) -> NDArray[Any]:
    """One array of all images; those that were given one by one are made alike as `source` says."""
    if isinstance(images, np.ndarray):
        return images
    made: list[Bytes] = []
    size = 0
    for place, picture in enumerate(images):
        pixels = picture if picture.ndim == 3 else picture[..., np.newaxis]
        if source.size is not None or source.colour is not None:
            if pixels.dtype != np.uint8:
                raise DataError(
                    f"{what}: image {place} is of {pixels.dtype}; only bytes are scaled or coloured one by one"
                )
            pixels = converted(pixels[np.newaxis], source, what=f"{what}: image {place}")[0][0]
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
    return np.stack(made)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(cast("tuple[object, ...]", value)) == 2


def _pair(pair: object, what: str) -> Found:
    images, labels = cast("tuple[object, object]", pair)
    return Found(images=_images(images, what), labels=_array(labels, f"{what}: labels"))


def _one(given: Any, what: str) -> Found:
    """One part, in an object that holds both images and labels."""
    if hasattr(given, "features") and hasattr(given, "column_names"):
        return _of_columns(given, what)
    # scikit-learn's bunches have both `images` and flat `data`; torchvision's classes `data` alone.
    images = _first(given, ("images", "data"))
    labels = _first(given, ("targets", "target", "labels"))
    if images is not None and labels is not None:
        names = _first(given, ("target_names", "classes"))
        notes = (
            () if getattr(given, "transform", None) is None else (f"{what}: its transform was not applied",)
        )
        found = _array(labels, f"{what}: labels")
        return Found(
            images=_images(images, what), labels=found, class_names=_names(names, found), notes=notes
        )
    if hasattr(given, "__getitem__") and hasattr(given, "__len__") and not hasattr(given, "__array__"):
        return _of_items(given, what)
    raise DataError(
        f"{what}: a {type(given).__name__} holds no images and labels that are known here; give both, "
        "Data(images, labels)"
    )


def _of_columns(given: Any, what: str) -> Found:
    """A data set of Hugging Face: rows with a column of pictures and one of classes."""
    columns = [str(one) for one in given.column_names]
    image, label = (_column(columns, names, what) for names in (_IMAGES, _LABELS))
    names = getattr(given.features[label], "names", None) if label in given.features else None
    labels = np.asarray(given[label])
    images = [_picture(one, f"{what}: image {place}") for place, one in enumerate(given[image])]
    return Found(images=images, labels=labels, class_names=_names(names, labels))


def _column(columns: list[str], known: tuple[str, ...], what: str) -> str:
    found = [one for one in known if one in columns]
    if not found:
        raise DataError(
            f"{what}: it has the columns {', '.join(columns)}; one of {', '.join(known)} is looked for"
        )
    return found[0]


def _of_items(given: Any, what: str) -> Found:
    """A data set as torch's: as many items as its length says, each an image and a label."""
    images: list[Picture] = []
    labels: list[object] = []
    for place in range(len(given)):
        item = given[place]
        if not isinstance(item, tuple | list) or len(cast("list[object]", item)) < 2:
            raise DataError(f"{what}: item {place} is no pair of an image and a label")
        image, label = cast("Sequence[object]", item)[:2]
        images.append(_picture(image, f"{what}: image {place}"))
        labels.append(getattr(label, "item", lambda label=label: label)())
    found = np.asarray(labels)
    return Found(images=images, labels=found, class_names=_names(getattr(given, "classes", None), found))


def _images(given: object, what: str) -> NDArray[Any] | Sequence[Picture]:
    """One array if it can be had as one, otherwise picture by picture."""
    if isinstance(given, str | bytes):
        raise DataError(f"{what}: a text is no image; a path is named in the study, data.dataset")
    if not hasattr(given, "__array__") and isinstance(given, Iterable):
        listed = list(cast("Iterable[object]", given))
        return [_picture(one, f"{what}: image {place}") for place, one in enumerate(listed)]
    return _array(given, f"{what}: images")


def _picture(given: Any, what: str) -> Picture:
    """One image: whatever Pillow holds, or an array."""
    if hasattr(given, "mode") and hasattr(given, "convert"):
        return pictures.pixels_of(given, what=what)
    array = _array(given, what)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim not in (2, 3):
        raise DataError(
            f"{what}: an array of {' x '.join(map(str, array.shape)) or 'a single number'} is no image"
        )
    return array


def _array(given: Any, what: str) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise DataError(f"{what}: cannot be made an array ({str(error)[:100]})") from None


def _first(given: object, names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := getattr(given, name, None)) is not None), None)


def _names(given: object, labels: NDArray[Any]) -> tuple[str, ...]:
    """Names of classes, where there is one for each label that whole numbers may mean."""
    if given is None or labels.dtype.kind not in "iu" or not labels.size:
        return ()
    names = tuple(str(one)[:200] for one in cast("Iterable[object]", given))
    return names if int(labels.max()) < len(names) and names != tuple(map(str, range(len(names)))) else ()
