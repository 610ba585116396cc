"""What a study must know of its images before they are opened: sizes, shapes, class names, and where they come from."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

Colour = Literal["grey", "rgb"]
Background = Literal["black", "white"]

MOST_CLASSES = 256
"""What a network says of an image is kept as one byte."""

LARGEST_SIDE = 4096
"""Pixels of an image's side."""


LARGEST_WHITE = 65_535
"""The highest value that may stand for white."""


def size_of(value: object) -> object:
    """`32x32` and `32` as they are written, as the two numbers that they mean, height and width; None for what is none."""
    if isinstance(value, str) and (found := re.fullmatch(r"\s*([0-9]{1,5})\s*[x×]\s*([0-9]{1,5})\s*", value)):
        return int(found[1]), int(found[2])
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, list | tuple) and len(cast("list[Any]", value)) == 2:
        return tuple(cast("list[Any]", value))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where images come from and what is done to them before anything is learnt from them.

    `dataset` is a name of the catalogue, the absolute path of a file or folder, or `sha256:FINGERPRINT` for content
    that is in the cache. The rest are the settings of the same names in a study file; None is as it comes.
    """

    dataset: str
    colour: Colour | None = None
    size: tuple[int, int] | None = None
    background: Background | None = None
    highest: float | None = None
    test: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """Facts of a data set as a study uses it. Shapes are (height, width, channels).

    Two of one content are equal wherever they came from, and whatever is to be said of them.
    """

    name: str
    input_shape: tuple[int, int, int]
    classes: int
    train_images: int
    test_images: int
    fingerprint: str
    """SHA-256 over the decoded arrays: names, shapes and bytes of images and labels."""
    class_names: tuple[str, ...] = ()
    """One for each label, or none where labels are their own names."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was done to make a data set of what was given: said wherever the study is checked or run."""
    source: Source | None = field(default=None, compare=False)

    @property
    def identity(self) -> str | dict[str, Any]:
        """What stands for the content in a trial's identity; enough to make the arm again, names aside."""
        if self.fingerprint == MNIST.fingerprint:
            return MNIST.name
        return {
            "fingerprint": self.fingerprint,
            "input_shape": list(self.input_shape),
            "classes": self.classes,
            "train_images": self.train_images,
            "test_images": self.test_images,
        }

    def plain(self) -> dict[str, Any]:
        """As plain values, for a line or a file of JSON."""
        return asdict(self)


MNIST = DatasetFacts(
    name="mnist",
    input_shape=(28, 28, 1),
    classes=10,
    train_images=60_000,
    test_images=10_000,
    fingerprint="0f1e754767044c74facb5b5e56218228d1f9405ad68e1c6b80a583d171e6e53c",
    source=Source(dataset="mnist"),
)


def from_plain(values: object) -> DatasetFacts:
    """The facts whose plain values these are. Raises TypeError, ValueError or LookupError for what are none."""
    from fairtrial.fitting import made

    if not isinstance(values, dict):
        raise TypeError("facts are a mapping")
    fields: dict[str, Any] = {str(name): value for name, value in values.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for name in ("input_shape", "class_names", "notes"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if fields.get("source") is not None:
        source = dict(fields["source"])
        if source.get("size") is not None:
            source["size"] = tuple(source["size"])
        fields["source"] = made(Source, **source)
    facts = made(DatasetFacts, **fields)
    sizes = (*facts.input_shape, facts.classes, facts.train_images, facts.test_images)
    if len(facts.input_shape) != 3 or min(sizes) < 1:
        raise ValueError("facts with an impossible size")
    if max(facts.input_shape[:2]) > LARGEST_SIDE or facts.input_shape[2] not in (1, 3):
        raise ValueError("facts with an impossible shape")
    if facts.classes > MOST_CLASSES or len(facts.class_names) not in (0, facts.classes):
        raise ValueError("facts with impossible classes")
    if len(facts.fingerprint) != 64 or set(facts.fingerprint) - set("0123456789abcdef"):
        raise ValueError("facts without a fingerprint")
    return facts
