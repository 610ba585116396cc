"""Which images an arm learns from, how they are divided and how they are moved."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from fairtrial.images.facts import MNIST, Background, Colour, DatasetFacts, Source
from fairtrial.study.augment import Augment, FileAugment
from fairtrial.study.imagery import ImageSize, Reference, known_facts
from fairtrial.study.layers import Size
from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.training import not_the_test_set

MAKING_IMAGES = tuple(field.name for field in fields(Source))
"""Settings that say which images; the rest of the data settings say what is done with them."""


class DataSettings(Frozen):
    """Which images, how they are divided, and how training moves them. `buffer_size` is that of tf.data's shuffle.

    What the images are is found out while the settings are checked, and goes with them: see `facts`.
    """

    dataset: Reference = "mnist"
    """A name of the catalogue (`fairtrial data list`), or the path of a folder or file of images."""
    colour: Colour | None = None
    """Make every image grey or rgb; without it, images stay as they are."""
    size: ImageSize | None = None
    """Scale every image to this height and width."""
    background: Background | None = None
    """What shows through where an image is transparent."""
    highest: Annotated[float, Field(gt=0, le=65_535, strict=True, allow_inf_nan=False)] | None = None
    """The value of a white pixel in arrays; without it 255, and 1 in arrays of fractions."""
    test: Annotated[float, Field(gt=0, lt=1, strict=True, allow_inf_nan=False)] | None = None
    """The share of images set apart as test images where there are none; without it a fifth."""
    validation: Annotated[Size, BeforeValidator(not_the_test_set)] = 6000
    split: Literal["fixed", "reshuffled"] = "fixed"
    buffer_size: Size = 10_000
    train: Size | None = None
    augment: FileAugment = Augment()
    _facts: DatasetFacts = PrivateAttr(default=MNIST)

    @model_validator(mode="after")
    def _know_the_images(self, info: ValidationInfo) -> Self:
        self._facts = known_facts(self.source, info.context)
        if self._facts != MNIST and "validation" not in self.model_fields_set:
            # What 6000 is of MNIST. It is no setting that somebody wrote, so it is not among those.
            object.__setattr__(self, "validation", max(1, self._facts.train_images // 10))
        return self

    @model_validator(mode="after")
    def _leave_images_to_train_on(self) -> Self:
        images = self.facts.train_images
        if self.validation >= images:
            raise refusal(
                f"validation takes {self.validation} of the {images} images of {self.facts.name} and leaves"
                f" none to train on; at most {images - 1} are possible",
                "validation",
                "dataset",
            )
        if self.train is not None and self.train + self.validation > images:
            raise refusal(
                f"train ({self.train}) and validation ({self.validation}) take more than the"
                f" {images} images of {self.facts.name}; with this validation at most"
                f" {images - self.validation} are left to train on",
                "train",
                "validation",
            )
        return self

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the images: their shape, classes, counts and fingerprint."""
        return self._facts

    @property
    def source(self) -> Source:
        """Where the images come from and what is done to them before they are divided."""
        return Source(
            dataset=self.dataset,
            colour=self.colour,
            size=self.size,
            background=self.background,
            highest=self.highest,
            test=self.test,
        )

    @property
    def train_count(self) -> int:
        """Images an epoch trains on."""
        return self.train or self.facts.train_images - self.validation
