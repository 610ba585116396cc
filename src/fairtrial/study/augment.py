"""Augmentation: how far training images may be moved, at random and anew in every epoch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from fairtrial.study.limits import Frozen

LARGEST_SHIFT = 28
"""Pixels: the side of an image of MNIST, of which so large a shift leaves nothing."""


class Augment(Frozen):
    """How far each training image may be shifted, rotated and zoomed, anew in every epoch; all zero: not at all.

    `shift` is in pixels, along both axes each; `rotate` in degrees; `zoom` a share of the image's size, the same for
    both axes. Each is drawn uniformly, up to so much one way or the other.
    """

    shift: Annotated[float, Field(ge=0, le=LARGEST_SHIFT, strict=True, allow_inf_nan=False)] = 0.0
    rotate: Annotated[float, Field(ge=0, le=180, strict=True, allow_inf_nan=False)] = 0.0
    zoom: Annotated[float, Field(ge=0, lt=1, strict=True, allow_inf_nan=False)] = 0.0

    @property
    def moves(self) -> bool:
        """Whether any image is moved at all."""
        return bool(self.shift or self.rotate or self.zoom)

    @property
    def in_words(self) -> str:
        """What is done to an image, for a sentence; empty where nothing is.

        >>> Augment(shift=2, zoom=0.1).in_words
        'shifted by up to 2 pixels along either axis, scaled by up to 10 %'
        """
        parts = (
            (self.shift, f"shifted by up to {self.shift:g} pixels along either axis"),
            (self.rotate, f"rotated by up to {self.rotate:g} degrees"),
            (self.zoom, f"scaled by up to {100 * self.zoom:g} %"),
        )
        return ", ".join(words for amount, words in parts if amount)

    def __str__(self) -> str:
        """As short as a study file has it.

        >>> str(Augment(shift=2, rotate=10)), str(Augment())
        ('shift 2, rotate 10', 'none')
        """
        amounts = {"shift": self.shift, "rotate": self.rotate, "zoom": self.zoom}
        return ", ".join(f"{name} {amount:g}" for name, amount in amounts.items() if amount) or "none"


def _from_file(entry: object) -> object:
    """`none` and nothing at all mean the same: no image is moved."""
    return {} if entry is None or entry == "none" else entry


FileAugment = Annotated[Augment, BeforeValidator(_from_file)]
