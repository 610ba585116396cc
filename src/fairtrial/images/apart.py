"""A test part for a data set that has none: the same images whoever sets them apart, wherever and whenever."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import DataError
from fairtrial.images.arrays import Part

SHARE = 0.2
"""Of the images of each class, unless a study says otherwise."""


def set_apart(
    part: Part, *, classes: int, share: float, what: str, class_names: tuple[str, ...] = ()
) -> tuple[Part, Part, str]:
    """Training images, test images, and the rule in words.

    Of each class, the share of images whose pixels have the smallest SHA-256, at least one. The order of the images,
    their names and any seed do not enter; images that are equal go to one side, the test part. Both parts keep the order.

    Raises DataError where a class is left without training images.
    """
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in part.images])
    chosen: set[str] = set()
    for label in range(classes):
        own = sorted({str(one) for one in digests[part.labels == label]})
        chosen.update(own[: max(1, math.floor(share * len(own) + 0.5))] if own else ())
    tests = np.isin(digests, np.array(sorted(chosen)))
    for label in range(classes):
        of_class = part.labels == label
        if of_class.any() and tests[of_class].all():
            raise DataError(
                f"{what}: class {repr(class_names[label]) if class_names else label} has {len(set(digests[of_class]))} different image"
                f"{'s' if len(set(digests[of_class])) > 1 else ''}, which leaves none to train on beside a test "
                "part; give it more images, or a test part of its own"
            )
    train, test = _chosen(part, ~tests), _chosen(part, tests)
    words = (
        f"{what}: it has no test part; {len(test.images):,} of its {len(digests):,} images were set apart as one: of each "
        f"class the {100 * share:g} % whose pixels have the smallest SHA-256, equal images together (data.test: "
        f"{share:g})"
    )
    return train, test, words


def _chosen(part: Part, which: NDArray[np.bool_]) -> Part:
    files = (
        tuple(name for name, chosen in zip(part.files, which, strict=True) if chosen) if part.files else ()
    )
    return Part(images=np.ascontiguousarray(part.images[which]), labels=part.labels[which], files=files)
