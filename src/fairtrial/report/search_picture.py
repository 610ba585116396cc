"""What the figures of a search show: a mark for each proposal and seed, the best proposals first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fairtrial.analysis.points import Point, PointState, in_words
from fairtrial.analysis.searched import Searched
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tradeoffs import shown_result
from fairtrial.report.search_axes import Axis, Upward, axes, magnitude, upward
from fairtrial.trial import SEARCH

MOST_POINTS = 1000
"""Proposals that are drawn and listed, the best of them; JSON and CSV have all."""
MOST_SLICES, MOST_AXES, MOST_BEST = 4, 8, 5
_ORDER: tuple[PointState, ...] = ("finished", "stopped", "diverged", "failed", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One mark: a proposal, or the baseline, on one seed, or as far as it came.

    `height` is its error in percent or its loss, None where it has none; of a stopped one that of its last score.
    `first` stands for the proposal where that has one mark.
    """

    point: Point
    seed: int
    state: PointState
    height: float | None
    words: str
    first: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A search as it is drawn. `points` are those that are, best first, `left_out` counts the others."""

    found: Searched
    points: tuple[Point, ...]
    left_out: int

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        return tuple(spot for point in self.points for spot in spots(self.found, point))

    @cached_property
    def baseline(self) -> tuple[Spot, ...]:
        """The marks of the baseline that have a height."""
        return tuple(one for one in spots(self.found, self.found.baseline) if one.height is not None)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The parameters that proposals have, most of them first cut at MOST_AXES, in the space's order."""
        return _commonest(axes(dict(self.found.search.space)), self.points, MOST_AXES)

    @cached_property
    def sliced(self) -> tuple[Axis, ...]:
        return _commonest(self.axes, self.points, MOST_SLICES)

    @cached_property
    def heights(self) -> Upward:
        """For all that has a height, stopped or not; at the bottom room for what has none."""
        fallen = any(one.height is None for one in self.spots)
        return self._upward(self.spots, below=0.14 if fallen else 0.0)

    @cached_property
    def results(self) -> Upward:
        """For results alone."""
        return self._upward([one for one in self.spots if one.state == "finished"])

    def _upward(self, some: Sequence[Spot], *, below: float = 0.0) -> Upward:
        heights = [one.height for one in (*some, *self.baseline) if one.height is not None]
        return upward(self.found.search.metric, heights, below=below)

    @cached_property
    def tiers(self) -> dict[int, str]:
        """By number: the candidate, the best few of those with a result, the rest of them."""
        done = [point.number for point in self.points if point.state == "finished"]
        best = self.few
        found = {number: "best" if place < best else "rest" for place, number in enumerate(done)}
        return found if self.candidate is None else found | {self.candidate: "candidate"}

    @property
    def few(self) -> int:
        """How many are drawn as the best."""
        return min(MOST_BEST, math.ceil(self.count("finished") / 4))

    @property
    def candidate(self) -> int | None:
        return None if self.found.candidate is None else self.found.candidate.number

    def count(self, *states: PointState) -> int:
        return sum(point.state in states for point in self.points)

    def result(self, point: Point) -> float | None:
        """The height of its mean over the seeds it has; None where it has no result."""
        return magnitude(self.found.search.metric, _mean(point))


def picture(found: Searched) -> Picture:
    ordered = ranked(found)
    kept = ordered[:MOST_POINTS]
    special = [*found.by_seconds, *found.by_parameters, *([found.candidate] if found.candidate else [])]
    numbers = {point.number for point in kept}
    kept += [
        point for point in ordered[MOST_POINTS:] if point.number in {one.number for one in special} - numbers
    ]
    return Picture(found=found, points=tuple(kept), left_out=len(ordered) - len(kept))


def ranked(found: Searched) -> list[Point]:
    """Finished ones by their mean over the seeds they have, then stopped ones by their last score, then the others."""
    sign = -1.0 if found.search.metric == "accuracy" else 1.0

    def key(point: Point) -> tuple[int, float, int]:
        value = _mean(point) if point.state == "finished" else point.scores[-1] if point.scores else None
        loss = math.inf if value is None or not math.isfinite(value) else sign * value
        return _ORDER.index(point.state), loss, point.number

    return sorted(found.points, key=key)


def spots(found: Searched, point: Point) -> list[Spot]:
    """One for each seed with an outcome; else one for its last score, or for having failed; none while it is open."""
    search = found.search

    def spot(seed: int, state: PointState, value: float | None, words: str) -> Spot:
        height = magnitude(search.metric, value)
        return Spot(point=point, seed=seed, state=state, height=height, words=words, first=seed == first)

    first = min(point.results, default=1)
    if point.results:
        return [
            spot(seed, "diverged", None, "diverged")
            if value is None
            else spot(seed, "finished", value, shown_result(search, value))
            for seed, value in sorted(point.results.items())
        ]
    if point.state == "stopped" and not point.scores:
        return [spot(1, "stopped", None, "stopped before its first score")]
    if point.scores:
        reached = shown_result(search, point.scores[-1])
        after = count_of(len(point.scores), "epoch")
        return [spot(1, "stopped", point.scores[-1], f"{reached} after {after}, then stopped")]
    return [spot(1, "failed", None, "failed")] if point.state == "failed" else []


def columns(shown: Picture, some: Sequence[Spot]) -> dict[str, list[Any]]:
    """The marks as a chart's columns: `y` the height, `pN` a parameter's value, `qN` its share of the axis."""
    found = shown.found
    fronts = {"seconds": found.by_seconds, "parameters": found.by_parameters}
    table: dict[str, list[Any]] = {
        "number": [one.point.number for one in some],
        "seed": [SEARCH + one.seed for one in some],
        "state": ["none" if one.height is None else one.state for one in some],
        "y": [rounded(one.height) for one in some],
        "result": [one.words for one in some],
        "values": [in_words(found.search, one.point) for one in some],
        "seconds": [rounded(cost(one.point, "seconds")) for one in some],
        "parameters": [one.point.parameters for one in some],
        "first": [one.first for one in some],
        "tier": [shown.tiers.get(one.point.number, "") for one in some],
        "jitter": [jitter(one.point.number) for one in some],
    }
    for across, front in fronts.items():
        numbers = {point.number for point in front}
        named = with_room(shown, front, across)
        table[f"by_{across}"] = [one.point.number in numbers for one in some]
        table[f"name_{across}"] = [str(one.point.number) if one.point.number in named else "" for one in some]
    for axis in shown.sliced:
        values = [one.point.values.get(axis.name) for one in some]
        table[f"p{axis.field}"] = [
            value if value is None or not axis.options else axis.words(value) for value in values
        ]
    if len(shown.axes) > 1:
        for axis in shown.axes:
            values = [one.point.values.get(axis.name) for one in some]
            table[f"q{axis.field}"] = [None if one is None else rounded(axis.share(one)) for one in values]
        means = [shown.result(one.point) for one in some]
        table["qr"] = [None if one is None else rounded(shown.results.share(one)) for one in means]
    return table


def with_room(shown: Picture, front: Sequence[Point], across: str) -> set[int]:
    """The proposals of a front whose numbers do not lie on one another, the best of them first."""
    places: dict[int, tuple[float, float]] = {}
    prices = [price for point in shown.points if (price := cost(point, across)) is not None]
    for point in reversed(front):
        height, price = magnitude(point.metric, point.results.get(1)), cost(point, across)
        if height is None or price is None:
            continue
        wide = math.log(max(prices) / min(prices)) or 1.0
        place = math.log(price / min(prices)) / wide, shown.results.share(height)
        if all(
            abs(place[0] - x) > _NAME_WIDTH or abs(place[1] - y) > _NAME_HEIGHT for x, y in places.values()
        ):
            places[point.number] = place
    return set(places)


_NAME_WIDTH, _NAME_HEIGHT = 0.06, 0.07
"""A number's size as a share of a front's width and height."""


def cost(point: Point, across: str) -> float | None:
    """Mean seconds of training or the number of parameters, as a logarithmic axis takes them."""
    value = point.train_seconds if across == "seconds" else float(point.parameters)
    return None if value is None else max(value, 1e-6)


def jitter(number: int) -> float:
    """A place from -1 to 1 within a category, for each proposal its own, so that they do not lie on one another."""
    return round((number * 0.618034) % 1 * 2 - 1, 2)


def rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _mean(point: Point) -> float | None:
    """Over all its seeds; None if it diverged on one of them."""
    return point.mean(point.seeds) if point.seeds else None


def _commonest(some: Sequence[Axis], points: Sequence[Point], most: int) -> tuple[Axis, ...]:
    counts = {axis.name: sum(axis.name in point.values for point in points) for axis in some}
    kept = sorted((axis for axis in some if counts[axis.name]), key=lambda one: -counts[one.name])[:most]
    return tuple(axis for axis in some if axis in kept)
