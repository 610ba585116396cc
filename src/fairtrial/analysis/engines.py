"""Trials of another engine version, in words: which versions, how many, and that they are not used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from fairtrial.analysis.sentences import count_of
from fairtrial.trial import ENGINE_VERSION

ByVersion = Mapping[int, int]
"""How many there are of each engine version."""


def by_version(counts: ByVersion, noun: str) -> str:
    """How many of each version.

    >>> by_version({1: 3}, "trial"), by_version({3: 1, 1: 2}, "pair")
    ('3 trials of engine version 1', '2 pairs of engine version 1 and 1 pair of engine version 3')
    """
    parts = [
        f"{count_of(count, noun)} of engine version {version}" for version, count in sorted(counts.items())
    ]
    return " and ".join(parts)


def not_used(counts: ByVersion, noun: str, *, of: str = "") -> str:
    """That they are in this store and not used, and which version is."""
    one = sum(counts.values()) == 1
    whose = f", of {of}," if of else ""
    return (
        f"{by_version(counts, noun)}{whose} {'is' if one else 'are'} in this store and not used: "
        f"this is engine version {ENGINE_VERSION}"
    )


def all_not_used(counts: Mapping[str, ByVersion]) -> str:
    """The same of all arms of a study, in one sentence; empty where there are none."""
    total: Counter[int] = Counter()
    for some in counts.values():
        total.update(some)
    if not total:
        return ""
    return f"{not_used(total, 'trial')}. Train these arms again with `fairtrial run`: numbers of two engines are never mixed."
