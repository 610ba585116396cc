"""Published data sets by name."""

from __future__ import annotations

from dataclasses import dataclass

from fairtrial.images import shipped
from fairtrial.images.arrays import Part, Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A data set that is known by name."""

    name: str
    version: str = ""


CATALOGUE: dict[str, Published] = {"mnist": Published(name="mnist")}


def read(name: str) -> Parts:
    arrays = shipped.read()
    return Parts(
        name=name,
        classes=10,
        train=Part(images=arrays["train_images"], labels=arrays["train_labels"]),
        test=Part(images=arrays["test_images"], labels=arrays["test_labels"]),
    )
