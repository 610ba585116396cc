"""Arrays by their usual names, as the parts of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.arrays import Bytes, Part, Parts, images_of, labels_of

PartName = Literal["train", "test", "validation", "whole"]
Kind = Literal["images", "labels"]
Role = tuple[PartName, Kind]

_KINDS: dict[Kind, tuple[str, ...]] = {
    "images": ("images", "x", "data"),
    "labels": ("labels", "y", "targets", "target"),
}
_PARTS: dict[PartName, tuple[str, ...]] = {
    "train": ("train",), "test": ("test",), "validation": ("validation", "val", "valid"), "whole": ("",),
}  # fmt: skip


def _spellings() -> Mapping[str, Role]:
    found: dict[str, Role] = {}
    for part, prefixes in _PARTS.items():
        for kind, names in _KINDS.items():
            for prefix in prefixes:
                for name in names:
                    for spelling in (f"{prefix}_{name}", f"{name}_{prefix}") if prefix else (name,):
                        found[spelling] = (part, kind)
    return found


_BY_NAME = _spellings()
ROLES = (
    "train_images, train_labels, test_images, test_labels",
    "x_train, y_train, x_test, y_test",
    "images, labels",
    "x, y",
)
"""The usual sets of names, for messages."""


def role(name: str) -> Role | None:
    """What an array of this name is."""
    return _BY_NAME.get(name.lower())


def parts_from(
    arrays: Mapping[str, NDArray[Any]],
    *,
    name: str,
    where: str,
    highest: float | None,
    class_names: tuple[str, ...] = (),
) -> Parts:
    """The training part, and the test part where there is one.

    Raises DataError, which begins with `where`, for arrays that do not belong together.
    """
    by_role: dict[Role, NDArray[Any]] = {}
    for called, array in arrays.items():
        known = role(called)
        if known is None:
            continue
        if known in by_role:
            raise DataError(
                f"{where}: the {known[1]} of its {known[0]} part are there twice, under two names"
            )
        by_role[known] = array
    parts = {part for part, _ in by_role}
    if "whole" in parts and parts - {"whole"}:
        raise DataError(
            f"{where}: has both {' and '.join(sorted(arrays))[:200]}; give either two parts or one whole"
        )
    main: PartName = "whole" if "whole" in parts else "train"
    if main not in parts:
        raise DataError(f"{where}: there are no training images; known names are {'; '.join(ROLES)}")
    notes: list[str] = []
    images: dict[PartName, Bytes] = {}
    present: list[PartName] = [main, "test"] if "test" in parts else [main]
    for part in present:
        for kind in _KINDS:
            if (part, kind) not in by_role:
                without = f"there are no {kind}" if part == "whole" else f"its {part} part has no {kind}"
                raise DataError(f"{where}: {without}; known names are {'; '.join(ROLES)}")
        made, said = images_of(
            by_role[part, "images"], what=f"{name} ({part})" if "test" in parts else name, highest=highest
        )
        images[part] = made
        notes.extend(said)
        if len(made) != len(by_role[part, "labels"]):
            raise DataError(
                f"{where}: {len(by_role[part, 'labels']):,} labels for the {len(made):,} images of its {part} part; "
                "expected one label for each image"
            )
    if "validation" in parts:
        count = len(by_role.get(("validation", "images"), ()))
        notes.append(
            f"{name}: its {count:,} validation images were left out: a study draws its own from the training images"
        )
    given = [by_role[main, "labels"], by_role.get(("test", "labels"))]
    numbered, classes, names, said = labels_of(given, what=where, names=class_names)
    train, test = numbered
    if train is None:
        raise DataError(f"{where}: there are no labels")
    return Parts(
        name=name,
        classes=classes,
        class_names=names,
        train=Part(images=images[main], labels=train),
        test=None if test is None else Part(images=images["test"], labels=test),
        notes=(*notes, *said),
    )
