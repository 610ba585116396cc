"""The valid name nearest to one that is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, upper and lower case aside, or None if none is similar.

    >>> nearest("learning-rate", ["learning_rate", "epochs"]), nearest("x", ["epochs"])
    ('learning_rate', None)
    """
    spelled = {known.lower(): known for known in names}
    found = get_close_matches(name[:200].lower(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message that names the nearest valid name, or nothing."""
    found = nearest(name, names)
    return f"; did you mean {found!r}?" if found else ""
