"""Settings that decide on which images an arm is judged: nothing may be chosen by them."""

from __future__ import annotations

_OF_TRAINING_ALONE = ("train", "augment")
"""Settings of the data that touch no image that is judged on."""


def changes_what_is_judged_on(path: str) -> bool:
    """Whether a setting changes the images that an arm is judged on, so that a better figure means nothing.

    >>> [changes_what_is_judged_on(path) for path in ("data.split", "data.train", "data.augment.shift", "epochs")]
    [True, False, False, False]
    """
    group, _, field = path.partition(".")
    return group == "data" and field.partition(".")[0] not in _OF_TRAINING_ALONE
