"""From a reference to what is learnt from: which images are meant, what they are, and the arrays themselves."""

from __future__ import annotations

import difflib
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fairtrial.errors import DataError, DataTooLargeError, printable
from fairtrial.images import arrayfiles, cache, known, published, reading, shipped
from fairtrial.images.apart import SHARE, set_apart
from fairtrial.images.arrays import Arrays, Part, Parts, fingerprint
from fairtrial.images.converting import converted
from fairtrial.images.facts import MNIST, DatasetFacts, Source

Files = Mapping[str, Sequence[str]]
"""By part, the file that each image came from; none where they have no files of their own."""

CONTENT = "sha256:"
"""Begins a reference to content that is in the cache already."""


def absolute(reference: str, *, folder: Path | None = None) -> str:
    """The reference as it means the same anywhere: a name of the catalogue as it is, a path made absolute.

    A relative path is one in `folder`, the current one unless given. A name of the catalogue is never a path: a
    folder of such a name is written `./mnist`. Raises DataError for what no file can be called.
    """
    if reference in published.CATALOGUE or reference.startswith(CONTENT):
        return reference
    if "\0" in reference or not reference.strip():
        raise DataError(f"{reference[:80]!r} is neither a data set of the catalogue nor a path")
    if arrayfiles.PAIR in reference and all(
        one.strip().lower().endswith(".npy") for one in reference.split(arrayfiles.PAIR)
    ):
        both = (absolute(one.strip(), folder=folder) for one in reference.split(arrayfiles.PAIR))
        return arrayfiles.PAIR.join(both)
    try:
        path = Path(reference).expanduser()
    except RuntimeError:
        raise DataError(f"{reference[:80]}: there is no user of that name, and so no such folder") from None
    return os.path.abspath((folder or Path()) / path)  # noqa: PTH100  symbolic links are to stay as they are written


def facts_of(source: Source) -> DatasetFacts:
    """What is known of the images of `source`: from earlier, or by reading (and where need be fetching) them.

    Raises DataError if they cannot be read, in words for whoever wrote the reference.
    """
    if source == MNIST.source:
        return MNIST
    if source == Source(dataset=source.dataset):  # as it comes
        entry = published.CATALOGUE.get(source.dataset)
        if entry is not None and entry.facts is not None:
            return entry.facts
        if source.dataset.startswith(CONTENT):
            return _by_content(source.dataset)
    began = time.time()
    seen = _look(source)
    if (facts := known.recall(source, seen)) is not None:
        return facts
    facts, arrays, files = _made(source)
    cache.write(facts.fingerprint, arrays)
    return known.remember(source, seen, facts, files=files, read_at=began)


def arrays_of(facts: DatasetFacts) -> Arrays:
    """The arrays by name, read-only: from the cache if they are there and whole, otherwise from where they came.

    Raises DataError if they are nowhere, or hold something else than `facts` says.
    """
    # A cache that is missing, damaged or of something else is built anew, never used.
    cached = cache.read(facts.fingerprint)
    if cached is not None and fingerprint(cached) == facts.fingerprint:
        return cached
    if facts.fingerprint == MNIST.fingerprint:
        arrays = shipped.read()
    else:
        arrays = _again(facts)
    cache.write(facts.fingerprint, arrays)
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def _again(facts: DatasetFacts) -> Arrays:
    """The arrays from where they came. Raises DataError where these are no longer what they were."""
    remembered = known.by_fingerprint(facts.fingerprint)
    source = facts.source or (remembered.source if remembered else None)
    if source is None or source.dataset.startswith(CONTENT):
        raise DataError(
            f"{facts.name}: the images with the fingerprint {facts.fingerprint[:12]} are not in the cache "
            f"({_cache_folder()}), and nothing says where they came from. Run the study from the data set it was made with"
        )
    found, arrays, _ = _made(source)
    if found.fingerprint != facts.fingerprint:
        raise DataError(
            f"{source.dataset} does not hold what it held: its fingerprint is {found.fingerprint[:12]}; expected "
            f"{facts.fingerprint[:12]}. What is trained on other images is another trial: run the study again, which "
            "reads them anew"
        )
    return arrays


def _cache_folder() -> str:
    try:
        return str(cache.folder())
    except RuntimeError:
        return "there is none, since this user has no home; set FAIRTRIAL_CACHE"


def _by_content(reference: str) -> DatasetFacts:
    digest = reference.removeprefix(CONTENT)
    if digest == MNIST.fingerprint:
        return MNIST
    found = known.by_fingerprint(digest) if re.fullmatch("[0-9a-f]{64}", digest) else None
    if found is None:
        raise DataError(
            f"{reference[:80]} names no content that is known here (cache: {_cache_folder()}); give the folder, the file "
            "or the name that it came from"
        )
    return found


def _look(source: Source) -> known.Look:
    if source.dataset in published.CATALOGUE:
        # Files of the catalogue are checked against their published checksums whenever they are read.
        return known.Look(digest=f"published {published.CATALOGUE[source.dataset].version}", latest=0.0)
    if source.dataset.startswith(CONTENT):
        return known.Look(digest="content", latest=0.0)
    try:
        return known.look(reading.files(_existing(source.dataset)))
    except OSError as error:
        raise DataError(f"{error.filename or source.dataset}: cannot be read ({error.strerror})") from None


def _existing(reference: str) -> Path:
    path = Path(reference)
    try:
        if arrayfiles.takes(path) or path.exists():
            return path
    except OSError as error:
        raise DataError(f"{printable(reference)[:200]}: cannot be read ({error.strerror})") from None
    near = difflib.get_close_matches(
        path.name.lower().replace("-", "_"), published.CATALOGUE, n=1, cutoff=0.6
    )
    nor = (
        f"without a folder before it {path.name!r} is the data set of the catalogue."
        if path.name in published.CATALOGUE
        else f"{path.name[:80]!r} is no data set of the catalogue"
        + (f"; did you mean {near[0]!r}?" if near else ".")
    )
    raise DataError(
        f"{printable(reference)[:200]}: there is no such file or folder, and {nor} The catalogue has "
        f"{', '.join(published.CATALOGUE)}"
    )


def _made(source: Source) -> tuple[DatasetFacts, Arrays, Files]:
    try:
        return assembled(_read(source), source)
    except MemoryError:
        raise DataTooLargeError(
            f"{source.dataset}: its images do not fit into the memory there is; end other programs, or let data.size make "
            "them smaller"
        ) from None


def assembled(parts: Parts, source: Source) -> tuple[DatasetFacts, Arrays, Files]:
    """Converted as `source` says, and divided into training and test images; and the file of each."""
    test, train = parts.test, parts.train
    notes = parts.notes
    both: list[Part] = []
    for part in (train, *((test,) if test is not None else ())):
        images, said = converted(part.images, source, what=parts.name)
        both.append(replace(part, images=images))
        notes = (*notes, *(one for one in said if one not in notes))
    train, test = both[0], both[1] if len(both) > 1 else None
    if test is None:
        share = SHARE if source.test is None else source.test
        train, test, rule = set_apart(
            train, classes=parts.classes, share=share, what=parts.name, class_names=parts.class_names
        )
        notes = (*notes, rule)
    elif source.test is not None:
        raise DataError(
            f"{parts.name} has test images of its own ({len(test.images):,}); leave out data.test ({source.test:g})"
        )
    for part, called in ((train, "training"), (test, "test")):
        absent: list[int] = np.setdiff1d(np.arange(parts.classes), part.labels).tolist()
        if absent:
            names = ", ".join(parts.class_names[one] if parts.class_names else str(one) for one in absent[:3])
            more = ", ..." if len(absent) > 3 else ""
            notes = (
                *notes,
                f"{parts.name}: no {called} image is of {len(absent)} of its {parts.classes} classes ({names}{more})",
            )
    shapes = {one.images.shape[1:] for one in (train, test)}
    if len(shapes) > 1:
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in sorted(shapes))
        raise DataError(
            f"{parts.name}: training and test images differ ({sizes}); say one size, such as data.size: 28x28, and "
            "one kind of colour, data.colour: grey or rgb"
        )
    arrays = {
        "train_images": train.images,
        "train_labels": train.labels,
        "test_images": test.images,
        "test_labels": test.labels,
    }
    ((height, width, channels),) = shapes
    facts = DatasetFacts(
        name=parts.name,
        input_shape=(height, width, channels),
        classes=parts.classes,
        train_images=len(train.images),
        test_images=len(test.images),
        fingerprint=fingerprint(arrays),
        class_names=parts.class_names,
        notes=notes,
        source=source,
    )
    return (
        (replace(MNIST, source=source) if facts.fingerprint == MNIST.fingerprint else facts),
        arrays,
        {"train": train.files, "test": test.files},
    )


def _read(source: Source) -> Parts:
    if source.dataset in published.CATALOGUE:
        return published.read(source.dataset)
    if source.dataset.startswith(CONTENT):
        facts = _by_content(source.dataset)
        arrays = arrays_of(facts)
        return Parts(
            name=facts.name,
            classes=facts.classes,
            class_names=facts.class_names,
            train=Part(images=arrays["train_images"], labels=arrays["train_labels"]),
            test=Part(images=arrays["test_images"], labels=arrays["test_labels"]),
            notes=facts.notes,
        )
    return reading.read(_existing(source.dataset), source)
