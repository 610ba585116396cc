"""`fairtrial.Data`: images and labels that are at hand in Python, as a data set that a study can name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Real
from typing import Any, cast

from fairtrial.errors import DataError, printable
from fairtrial.images import cache, known
from fairtrial.images.arrays import fingerprint
from fairtrial.images.elements import Found
from fairtrial.images.facts import (
    LARGEST_SIDE,
    LARGEST_WHITE,
    Background,
    Colour,
    DatasetFacts,
    Source,
    size_of,
)
from fairtrial.images.named import parts_from
from fairtrial.images.objects import found_in, stacked
from fairtrial.images.opening import CONTENT, assembled

_COLOURS: tuple[Colour, ...] = ("grey", "rgb")
LONGEST_NAME = 100
_BACKGROUNDS: tuple[Background, ...] = ("black", "white")


class Data:
    """Images and labels as a data set: `Data(images, labels)`, or `Data(dataset)` for what other libraries hold.

    Arrays of n x height x width, or with a last axis of channels; scikit-learn's bunches (`Data(load_digits())`),
    Keras's pairs (`Data(*mnist.load_data())`), data sets of Hugging Face and of torchvision. `test` is the same of
    the test images, or the share of images to set apart as such. The rest is as in a study file.

    A study names it as it is, `data={"dataset": it}`, and `--set`-like texts as `f"data.dataset={it}"`. Its arrays
    are kept in the cache under their fingerprint, from which workers map them. Raises DataError for what holds no images.

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> Data(rng.integers(0, 256, (60, 8, 8)), np.arange(60) % 3, name="noise")
    <Data 'noise': 48 training and 12 test images of 8 x 8 x 1, 3 classes>
    """

    facts: DatasetFacts
    """Shape, classes, counts, fingerprint, and what was done to make them so (`facts.notes`)."""

    def __init__(
        self,
        images: object,
        labels: object = None,
        *,
        test: object = None,
        test_images: object = None,
        test_labels: object = None,
        name: str = "data",
        class_names: Sequence[str] = (),
        colour: Colour | None = None,
        size: tuple[int, int] | str | int | None = None,
        background: Background | None = None,
        highest: float | None = None,
    ) -> None:
        what = printable(name)[:LONGEST_NAME] if isinstance(name, str) and name.strip() else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if what is None:
            raise DataError(f"name must be a text, got {str(name)[:40]!r}")
        share = float(test) if isinstance(test, Real | int) and not isinstance(test, bool) else None
        if isinstance(test, bool) or (share is not None and not 0 < share < 1):
            raise DataError(
                f"{what}: test must be a share between 0 and 1, or test images with their labels, got {test!r}"
            )
        if (test_images is None) != (test_labels is None) and not isinstance(test_images, tuple):
            missing = "test_labels" if test_labels is None else "test_images"
            raise DataError(f"{what}: test_images and test_labels belong together; {missing} is missing")
        try:
            source = _source(what, colour, size, background, highest, share)
            train, tested = found_in(images, labels, what=what)
            if test is not None and share is None:
                tested, more = found_in(cast("object", test), None, what=f"{what} (test)")
                if more is not None:
                    raise DataError(
                        f"{what}: what was given as its test part has two parts; give one of them"
                    )
            if test_images is not None or test_labels is not None:
                if tested is not None:
                    raise DataError(f"{what}: test images are given twice")
                tested, _ = found_in(cast("object", test_images), test_labels, what=f"{what} (test)")
            self.facts = _kept(train, tested, what, tuple(class_names) or train.class_names, source)
        except DataError as error:
            raise DataError(_in_python(str(error))) from error.__cause__

    @property
    def reference(self) -> str:
        """How a study names this content: `sha256:` and its fingerprint."""
        return f"{CONTENT}{self.facts.fingerprint}"

    def __str__(self) -> str:
        return self.reference

    def __repr__(self) -> str:
        facts = self.facts
        shape = " x ".join(map(str, facts.input_shape))
        return (
            f"<Data {facts.name!r}: {facts.train_images:,} training and {facts.test_images:,} test images of {shape}, "
            f"{facts.classes} classes>"
        )


def _source(
    what: str, colour: object, size: object, background: object, highest: object, share: float | None
) -> Source:
    """The settings as a study file has them. Raises DataError for values that no study file would take either."""
    if colour not in (None, *_COLOURS) or background not in (None, *_BACKGROUNDS):
        raise DataError(
            f"{what}: colour must be one of {', '.join(_COLOURS)} and background one of {', '.join(_BACKGROUNDS)}, "
            f"got {colour!r} and {background!r}"
        )
    sides = None if size is None else cast("tuple[Any, ...] | None", size_of(size))
    if size is not None and (
        sides is None
        or not all(
            isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= LARGEST_SIDE for one in sides
        )
    ):
        raise DataError(
            f"{what}: size must be a height and a width of 1 to {LARGEST_SIDE} pixels, such as (28, 28), got {str(size)[:40]}"
        )
    if highest is not None and (
        not isinstance(highest, Real | int)
        or isinstance(highest, bool)
        or not 0 < float(highest) <= LARGEST_WHITE
    ):
        raise DataError(
            f"{what}: highest must be above 0 and at most {LARGEST_WHITE}, got {str(highest)[:40]}"
        )
    return Source(
        dataset=CONTENT,
        colour=colour,  # pyright: ignore[reportArgumentType]
        size=sides,  # pyright: ignore[reportArgumentType]
        background=background,  # pyright: ignore[reportArgumentType]
        highest=None if highest is None else float(highest),
        test=share,
    )


def _in_python(message: str) -> str:
    """What messages advise for a study file, as it is said in a call: `data.highest: 16` is `highest=16`."""

    def said(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        if value is None:
            return name
        return f"{name}={value}" if re.fullmatch(r"[0-9.]+", value) else f'{name}="{value}"'

    return re.sub(
        r"\bdata\.(?P<name>colour|size|background|highest|test)\b(?:: (?P<value>[0-9a-z.]*[0-9a-z]))?",
        said,
        message,
    )


def _kept(
    train: Found, tested: Found | None, name: str, class_names: tuple[str, ...], source: Source
) -> DatasetFacts:
    """The facts of arrays that are in the cache from now on."""
    made, said = stacked(train.images, source, what=name)
    arrays = {"train_images": made, "train_labels": train.labels}
    if tested is not None:
        made, more = stacked(tested.images, source, what=f"{name} (test)")
        arrays |= {"test_images": made, "test_labels": tested.labels}
        said = (*said, *more)
    parts = parts_from(arrays, name=name, where=name, highest=source.highest, class_names=class_names)
    facts, whole, _ = assembled(parts, source)
    facts = known.kept(facts, (*said, *train.notes, *(tested.notes if tested else ())))
    cache.write(facts.fingerprint, whole)
    found = cache.read(facts.fingerprint)
    if found is None or fingerprint(found) != facts.fingerprint:
        raise DataError(
            f"{name}: its images cannot be kept in the cache, from which workers read them; set FAIRTRIAL_CACHE to a "
            "folder that can be written to"
        )
    return facts
