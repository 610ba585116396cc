"""A folder of images in class folders: `train/CLASS/*.png` and `test/CLASS/*.png`, or the class folders alone.

A folder of classes alone has no test part; one is then set apart (`apart.py`), and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairtrial.errors import DataError
from fairtrial.images import pictures
from fairtrial.images.arrays import Bytes, Part, Parts, in_order
from fairtrial.images.converting import converted
from fairtrial.images.facts import MOST_CLASSES, Source
from fairtrial.images.idx import LARGEST_BYTES

TRAIN, TEST, VALIDATION = ("train", "training"), ("test", "testing"), ("val", "valid", "validation")
MOST_IMAGES = 2_000_000
DEEPEST = 8
"""Folders within the folder of a class, of which each holds further images of it."""
SHOWN = 3
"""File names that a message gives as examples."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    label: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """What lies in the folder, before any image is opened."""

    classes: tuple[str, ...]
    train: tuple[_File, ...]
    test: tuple[_File, ...] | None
    notes: tuple[str, ...]


def takes(path: Path) -> bool:
    return path.is_dir()


def files(path: Path) -> list[Path]:
    listing = _listing(path)
    return [one.path for one in (*listing.train, *(listing.test or ()))]


def read(path: Path, source: Source) -> Parts:
    """Every image, in the order of the classes and of the files' names.

    Raises DataError for an image that is damaged, and for images of several sizes or kinds of colour unless `source`
    says which one they are to have.
    """
    listing = _listing(path)
    every = (*listing.train, *(listing.test or ()))
    images, notes = _images(path, every, source)
    labels = np.array([one.label for one in every], np.uint8)
    names = tuple(one.path.relative_to(path).as_posix() for one in every)
    count = len(listing.train)
    return Parts(
        name=path.name or str(path),
        classes=len(listing.classes),
        class_names=listing.classes,
        train=Part(images=images[:count], labels=labels[:count], files=names[:count]),
        test=None
        if listing.test is None
        else Part(images=images[count:], labels=labels[count:], files=names[count:]),
        notes=(*listing.notes, *notes),
    )


def _listing(folder: Path) -> _Listing:
    below = {one.name: one for one in _folders(folder)}
    train, test, validation = (_one_of(below, names, folder) for names in (TRAIN, TEST, VALIDATION))
    name, notes = folder.name, list[str]()
    if train is None and test is not None:
        raise DataError(
            f"{folder}: has a folder {test.name!r} and none for training; call that one {TRAIN[0]!r}"
        )
    root = train or folder
    classes = tuple(in_order(one.name for one in _folders(root)))
    if train is not None:
        others = [one for one in below if below[one] not in (train, test, validation)]
        if others:
            notes.append(
                f"{name}: besides train and test there are folders that were not read: {_some(others)}"
            )
        if validation is not None:
            notes.append(
                f"{name}: the folder {validation.name!r} was not read: a study draws its own validation images from "
                "the training images"
            )
    if not 2 <= len(classes) <= MOST_CLASSES:
        inside = f"{len(classes)} folder{'' if len(classes) == 1 else 's'}"
        below_it = len(classes) == 1 and len(_folders(root / classes[0])) > 1
        meant = f"; is {root / classes[0]} meant?" if below_it else ""
        if not classes and (others := [one.name for one in _sorted(root) if not one.name.startswith(".")]):
            meant = (
                f". It holds {_some(others)}; files of IDX would be called train-images-idx3-ubyte and the like, and arrays "
                "images.npy and labels.npy"
            )
        raise DataError(
            f"{root}: {inside} in it; a folder for each class is needed, 2 to {MOST_CLASSES} of them, with the "
            f"images of that class inside{meant}"
        )
    left_out: list[Path] = []
    listed = tuple(_files(root, classes, left_out))
    tested = None if test is None else tuple(_files(test, classes, left_out))
    loose = [one for place in {folder, root, test or root} for one in _images_in(place)]
    if loose:
        shown = _some([one.relative_to(folder).as_posix() for one in loose])
        notes.append(f"{name}: images outside of the class folders were not read: {shown}")
    if test is not None and (strangers := sorted({one.name for one in _folders(test)} - set(classes))):
        raise DataError(f"{test}: class {strangers[0]!r} has no training images; every class needs some")
    for place, called in enumerate(classes):
        if not any(one.label == place for one in listed):
            raise DataError(f"{root / called}: there is no image in it ({', '.join(pictures.SUFFIXES)})")
    if tested is not None and not tested:
        raise DataError(f"{test}: there is no image in its class folders")
    if left_out:
        shown = [one.relative_to(folder).as_posix() for one in left_out]
        notes.append(f"{name}: files that are no images were left out: {_some(shown)}")
    return _Listing(classes=classes, train=listed, test=tested, notes=tuple(notes))


def _folders(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "__"))]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from None


def _one_of(below: dict[str, Path], names: tuple[str, ...], folder: Path) -> Path | None:
    found = [below[one] for one in below if one.lower() in names]
    if len(found) > 1:
        raise DataError(
            f"{folder}: has both {found[0].name!r} and {found[1].name!r}; which is meant is not clear"
        )
    return found[0] if found else None


def _files(root: Path, classes: tuple[str, ...], left_out: list[Path]) -> Iterator[_File]:
    """The images below `root` in the order of classes and names; whatever else lies there goes to `left_out`."""
    count = 0
    for label, called in enumerate(classes):
        folder = root / called
        if not folder.is_dir():
            continue
        for one in _below(folder, DEEPEST):
            if one.suffix.lower() in pictures.OTHER_SUFFIXES:
                raise DataError(
                    f"{one}: images of this format are not read; those that are end in {', '.join(pictures.SUFFIXES)}. Convert "
                    "it, or take it out of the folder"
                )
            if one.suffix.lower() not in pictures.SUFFIXES or not one.is_file():
                left_out.append(one)
                continue
            count += 1
            if count > MOST_IMAGES:
                raise DataError(f"{root}: more than {MOST_IMAGES:,} images, more than are taken")
            yield _File(one, label)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """The files of a class by their names, those of the folders within it among them.

    Raises DataError for folders within it that divide its images in parts: they would be mixed.
    """
    for one in _sorted(folder):
        if one.name.startswith((".", "__")):
            continue
        if not one.is_dir():
            yield one
        elif one.name.lower() in (*TRAIN, *TEST, *VALIDATION):
            raise DataError(
                f"{one}: a part within the folder of a class; the parts come first, {TRAIN[0]}/CLASS/*.png and "
                f"{TEST[0]}/CLASS/*.png"
            )
        elif depth:
            yield from _below(one, depth - 1)
        else:
            raise DataError(f"{one}: a folder more than {DEEPEST} folders deep in that of its class")


def _images_in(folder: Path) -> list[Path]:
    every = (*pictures.SUFFIXES, *pictures.OTHER_SUFFIXES)
    return [
        one
        for one in _sorted(folder)
        if one.suffix.lower() in every and not one.name.startswith(".") and one.is_file()
    ]


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda one: one.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from None


def _images(folder: Path, every: tuple[_File, ...], source: Source) -> tuple[Bytes, tuple[str, ...]]:
    """All images as one array, and what was done to make them alike."""
    pictures.demand_pillow(folder)
    made: Bytes | None = None
    notes: dict[str, int] = {}
    unread: list[DataError] = []
    for place, one in enumerate(every):
        try:
            picture, turned = pictures.read(one.path)
        except DataError as error:
            unread.append(error)
            if len(unread) > SHOWN:
                break
            continue
        notes["turned"] = notes.get("turned", 0) + turned
        if picture.shape[2] == 4 or source.size is not None or source.colour is not None:
            before = picture.shape
            pixels, _ = converted(picture[np.newaxis], source, what=str(one.path))
            picture = pixels[0]
            if before[:2] != picture.shape[:2]:
                notes["scaled"] = notes.get("scaled", 0) + 1
            if before[2] == 4:
                notes["fourth"] = notes.get("fourth", 0) + 1
        if made is None:
            if len(every) * picture.size > LARGEST_BYTES:
                raise DataError(
                    f"{folder}: {len(every):,} images of {_words(picture.shape)} are more than {LARGEST_BYTES:,} bytes; make "
                    "them smaller with data.size, such as 64x64"
                )
            made = np.empty((len(every), *picture.shape), np.uint8)
        if made.shape[1:] != picture.shape:
            raise _unlike(folder, every, source)
        made[place] = picture
    if unread:
        raise DataError(
            "; ".join(str(one) for one in unread[:SHOWN]) + ("; and more" if len(unread) > SHOWN else "")
        )
    if made is None:
        raise DataError(f"{folder}: there are no images in it")
    said: list[str] = []
    if count := notes.get("turned"):
        said.append(
            f"{folder.name}: {count:,} image{' was' if count == 1 else 's were'} turned as EXIF says, as viewers show "
            f"{'it' if count == 1 else 'them'}"
        )
    if "scaled" in notes and source.size is not None:
        said.append(
            f"{folder.name}: {notes['scaled']:,} images were scaled to {source.size[0]} x {source.size[1]}"
        )
    if "fourth" in notes:
        laid = f"laid on {source.background}" if source.background else "they are opaque"
        said.append(
            f"{folder.name}: the channel of transparency of {notes['fourth']:,} images was left out ({laid})"
        )
    return made, tuple(said)


def _unlike(folder: Path, every: tuple[_File, ...], source: Source) -> DataError:
    """What all images are like, from their headers alone, and what to do about it."""
    found: dict[tuple[int, ...], list[str]] = {}
    for one in every:
        shape = pictures.shape_of(one.path)
        shape = (
            *(source.size or shape[:2]),
            {"grey": 1, "rgb": 3}.get(source.colour or "", min(shape[2], 3)),
        )
        found.setdefault(shape, []).append(one.path.relative_to(folder).as_posix())
    ranked = sorted(found.items(), key=lambda entry: -len(entry[1]))
    listed = "; ".join(
        f"{len(names):,} of {_words(shape)} (such as {names[0]})" for shape, names in ranked[:SHOWN]
    )
    more = f"; and {len(ranked) - SHOWN} more kinds" if len(ranked) > SHOWN else ""
    remedies: list[str] = []
    if len({shape[:2] for shape in found}) > 1:
        height, width = ranked[0][0][:2]
        remedies.append(f"one size, such as data.size: {height}x{width} (each is stretched to it)")
    if len({shape[2] for shape in found}) > 1:
        remedies.append("one kind of colour, data.colour: grey or rgb")
    return DataError(f"{folder}: its images are not alike: {listed}{more}. Say {' and '.join(remedies)}")


def _words(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]} pixels in {'grey' if shape[2] == 1 else 'colour'}"


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:SHOWN])
    return f"{len(names)} ({shown}{', ...' if len(names) > SHOWN else ''})"
