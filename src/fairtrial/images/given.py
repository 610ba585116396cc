"""`fairtrial.Data`: images and labels that are at hand in Python, as a data set that a study can name."""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.errors import DataError
from fairtrial.images import cache, known
from fairtrial.images.arrays import fingerprint
from fairtrial.images.facts import Background, Colour, DatasetFacts, Source
from fairtrial.images.named import parts_from
from fairtrial.images.objects import Found, found_in, stacked
from fairtrial.images.opening import CONTENT, assembled

_COLOURS: tuple[Colour, ...] = ("grey", "rgb")
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
        size: tuple[int, int] | None = None,
        background: Background | None = None,
        highest: float | None = None,
    ) -> None:
        if colour not in (None, *_COLOURS) or background not in (None, *_BACKGROUNDS):
            raise DataError(
                f"colour must be one of {', '.join(_COLOURS)} and background one of {', '.join(_BACKGROUNDS)}, "
                f"got {colour!r} and {background!r}"
            )
        share = float(test) if isinstance(test, int | float) and not isinstance(test, bool) else None
        if share is not None and not 0 < share < 1:
            raise DataError(
                f"test must be a share between 0 and 1, or test images with their labels, got {test!r}"
            )
        source = Source(
            dataset=CONTENT, colour=colour, size=size, background=background, highest=highest, test=share
        )
        train, tested = found_in(images, labels, what=name)
        if test is not None and share is None:
            tested, more = found_in(test, None, what=f"{name} (test)")
            if more is not None:
                raise DataError(f"{name}: what was given as its test part has two parts; give one of them")
        if test_images is not None or test_labels is not None:
            if tested is not None:
                raise DataError(f"{name}: test images are given twice")
            tested, _ = found_in(test_images, test_labels, what=f"{name} (test)")
        self.facts = _kept(train, tested, name, tuple(class_names) or train.class_names, source)

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


def _kept(
    train: Found, tested: Found | None, name: str, class_names: tuple[str, ...], source: Source
) -> DatasetFacts:
    """The facts of arrays that are in the cache from now on."""
    arrays = {
        "train_images": stacked(train.images, source, what=name),
        "train_labels": train.labels,
    }
    if tested is not None:
        arrays |= {
            "test_images": stacked(tested.images, source, what=f"{name} (test)"),
            "test_labels": tested.labels,
        }
    parts = parts_from(arrays, name=name, where=name, highest=source.highest, class_names=class_names)
    facts, made, _ = assembled(parts, source)
    facts = known.kept(facts, (*train.notes, *(tested.notes if tested else ())))
    cache.write(facts.fingerprint, made)
    found = cache.read(facts.fingerprint)
    if found is None or fingerprint(found) != facts.fingerprint:
        raise DataError(
            f"{name}: its images cannot be kept in the cache, from which workers read them; set FAIRTRIAL_CACHE to a "
            "folder that can be written to"
        )
    return facts
