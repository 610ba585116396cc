"""How long trials take by the clock on the wall, on so many workers: from what each is reckoned to take."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


def wall_seconds(trials: Iterable[float], *, workers: int) -> float:
    """Until the last of these trials has ended, the longest begun first, each as soon as a worker is free.

    Never less than the longest of them takes, however many workers there are.

    >>> wall_seconds([6.0, 2.0, 2.0, 2.0], workers=2), wall_seconds([6.0, 2.0, 2.0, 2.0], workers=9)
    (6.0, 6.0)
    """
    ends = [0.0] * workers
    for seconds in sorted(trials, reverse=True):
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def seeds_seconds(seeds: int, of_both: tuple[float, float], *, least: int, workers: int) -> float:
    """Until one question has so many seeds: the `least` of both arms at once, each further one after the other.

    A further seed waits for what the one before it says, so that beyond two workers nothing gets faster.

    >>> seeds_seconds(10, (6.0, 2.0), least=3, workers=1), seeds_seconds(10, (6.0, 2.0), least=3, workers=100)
    (80.0, 48.0)
    """
    began = wall_seconds([*of_both] * min(seeds, least), workers=workers)
    return began + max(0, seeds - least) * wall_seconds(of_both, workers=workers)
