"""Whether the images that are held out are: no test image is trained or validated on, under whatever index."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fairtrial.data import catalog
from fairtrial.data.catalog import Dataset
from fairtrial.data.inspect import Duplicates, duplicates
from fairtrial.data.split import split
from fairtrial.errors import DataError
from fairtrial.images.facts import MNIST, DatasetFacts
from fairtrial.study.augment import Augment
from fairtrial.study.check import Finding
from fairtrial.study.schema import DataSettings, Study

REFUSED_SHARE = 0.5
"""A test set of which this share is among the other images is not one."""

EXAMPLE_SEED = 1


def image_findings(
    study: Study, *, load: Callable[[DatasetFacts], Dataset] = catalog.load
) -> tuple[Finding, ...]:
    """Exact duplicates, by content, across training, validation and test images of every data set of the study.

    Validation images are drawn from the training images, so that a test set among these would be validated on.
    Raises DataError where half of it or more is.
    """
    # Augmentation moves what is trained on alone: the original images are divided in the same way.
    settings = {
        arm.settings.data.model_copy(update={"augment": Augment()}): None
        for arm in study.arms.values()
        if arm.has_data
    }
    every = dict.fromkeys(one.facts for one in settings)
    said = (Finding(kind="images", message=note) for note in notes_of(study))
    looked = (
        *said,
        *(
            finding
            for facts in every
            for finding in _about(load(facts), [one for one in settings if one.facts == facts])
        ),
    )
    return tuple(dict.fromkeys(looked))


def notes_of(study: Study) -> tuple[str, ...]:
    """What was done to make data sets of what the study names, and what is new about them; each once."""
    facts = dict.fromkeys(arm.settings.data.facts for arm in study.arms.values())
    notes = [note for one in facts for note in one.notes]
    claims = any(question.claims for question in study.questions)
    if claims and set(facts) != {MNIST} and any(_names_data(one) for one in study.sets):
        names = ", ".join(one.name for one in facts)
        notes.append(
            f"the claims of this study were made of the data its file names; with --set they are held against {names}, of "
            "which nobody claimed them"
        )
    return tuple(dict.fromkeys(notes))


def _names_data(setting: str) -> bool:
    path = setting.partition("=")[0].strip()
    return path.removeprefix("base.") in ("data", "data.dataset") or path.endswith(".data.dataset")


def _about(dataset: Dataset, divided: list[DataSettings]) -> Iterator[Finding]:
    within, between, among_test = duplicates({"training": dataset.train_images, "test": dataset.test_images})
    count = len(dataset.test_images)
    if between.count >= REFUSED_SHARE * count:
        raise DataError(
            f"data set {dataset.name}: {between.count} of its {count} test images are among the images that are "
            "trained and validated on, byte for byte: a test set used as validation can judge nothing. Give it "
            "test images of its own"
        )
    if not (within.count or between.count or among_test.count):
        yield Finding(
            kind="images",
            message=f"data set {dataset.name}: no image occurs twice within or across training, validation and test "
            f"images ({len(dataset.train_images):,} and {count:,} compared by content)",
        )
    if between.count:
        yield Finding(
            kind="leak",
            message=f"data set {dataset.name}: {between.count} of the {count} test images occur among those that are trained "
            "and validated on, byte for byte: figures on the test set come out too good",
        )
    if among_test.count:
        yield Finding(
            kind="images",
            message=f"data set {dataset.name}: images of the test set that repeat another of it: {among_test.count}",
        )
    if within.count:
        yield from (_across(dataset, settings, within) for settings in divided if settings.split == "fixed")


def _across(dataset: Dataset, settings: DataSettings, within: Duplicates) -> Finding:
    """Repeated training images, and what a split that knows nothing of them makes of it."""
    drawn = split(settings, seed=EXAMPLE_SEED)
    images = dataset.train_images
    _, between, _ = duplicates({"training": images[drawn.pool], "validation": images[drawn.validation]})
    return Finding(
        kind="leak" if between.count else "images",
        message=f"data set {dataset.name}: images of the training set that repeat another of it, byte for byte: "
        f"{within.count}; with seed {EXAMPLE_SEED} {between.count} of the {len(drawn.validation)} validation images are trained on as well",
    )
