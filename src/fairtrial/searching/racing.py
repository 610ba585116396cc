"""Repeated seeds for the contenders alone: the leader and its closest rivals.

All points have the first seed. Five go on to a second, three of these to a third, two to a fourth and a fifth; who
goes on is decided by the mean over the seeds so far. It is a selection and nothing else: its means are
optimistic, and whatever it selects is judged on seeds of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.analysis.points import Point
from fairtrial.study.searches import Search

FIELD = (5, 3, 2, 2)
"""How many points have a second, a third, a fourth and a fifth seed."""


def ranked(search: Search, points: Sequence[Point], *, seeds: int) -> list[Point]:
    """Those with a result on each of the first `seeds` seeds, the best mean first; of equals the one proposed first."""
    sign = -1 if search.metric == "accuracy" else 1
    means = {point.number: point.mean(seeds) for point in points}
    known = [
        (sign * mean, point.number, point) for point in points if (mean := means[point.number]) is not None
    ]
    return [point for *_, point in sorted(known, key=lambda one: one[:2])]


def _sound(points: Sequence[Point]) -> list[Point]:
    """Without those of which any run diverged: the next in line takes their place."""
    return [point for point in points if None not in point.results.values()]


def due(search: Search, points: Sequence[Point]) -> list[tuple[Point, int]]:
    """The trials that the race lacks now: points with the seed that each needs next. Empty when it is over."""
    field = ranked(search, _sound(points), seeds=1)
    for seeds, size in enumerate(FIELD, start=1):
        field = field[:size]
        lacking = [(point, seeds + 1) for point in field if seeds + 1 not in point.results]
        if lacking:
            return lacking
        field = ranked(search, field, seeds=seeds + 1)
    return []


def leader(search: Search, points: Sequence[Point]) -> Point | None:
    """Who is ahead: of those that went furthest in the race and all have the seeds they need, the best mean."""
    best: Point | None = None
    field = ranked(search, _sound(points), seeds=1)
    for seeds, size in enumerate((len(field), *FIELD), start=1):
        field = field[:size]
        if not field or any(seeds not in point.results for point in field):
            break
        field = ranked(search, field, seeds=seeds)
        best = field[0] if field else best
    return best
