"""What a search says about cost: the front, the cheapest that will do, where more stops helping. Estimates, all of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fairtrial.analysis.points import Point
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.stats.numerics import isotonic
from fairtrial.study.searches import Search
from fairtrial.study.space import Choice, parameters

Cost = Callable[[Point], float | None]
FEW_POINTS = 5
"""A curve over fewer points says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """The point that costs least of those within the margin of the best one, on the first search seed.

    `cost` names what is counted: `parameters`, `seconds` of training, or the one number that was searched.
    """

    cost: str
    number: int
    arm: str
    value: float
    result: float
    best: float
    margin: float
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """From which value of the one number searched on the smoothed results are within the margin of their end."""

    parameter: str
    start: float
    points: int
    margin: float
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def front(search: Search, finished: Sequence[Point], *, cost: Cost) -> tuple[Point, ...]:
    """The points of which none is at once no dearer and no worse than it, and better in one; the cheapest first.

    Results are those on the first search seed, which all have.
    """
    priced = [
        (price, _loss(search, point), point) for point in finished if (price := cost(point)) is not None
    ]
    found: list[Point] = []
    least = math.inf
    for _, loss, point in sorted(priced, key=lambda one: (one[0], one[1], one[2].number)):
        if loss < least:
            found.append(point)
            least = loss
    return tuple(found)


def cheapest(
    search: Search, finished: Sequence[Point], *, margin: float, stopped: int = 0
) -> tuple[Cheapest, ...]:
    """The smallest that will do, by each way of counting: the number searched first, if it is a single one.

    Nothing where fewer than two points are finished. `stopped` were given up early and are not counted, which is said.
    """
    if len(finished) < 2:
        return ()
    ways: list[tuple[str, Cost]] = [
        *([("parameters", _parameters)] if all(point.parameters for point in finished) else ()),
        ("seconds", lambda point: point.train_seconds),
    ]
    single = single_number(search)
    if single is not None:
        ways.insert(0, (single, lambda point: float(point.values[single])))
    but = f", {stopped} stopped early not counted" if stopped else ""
    return tuple(_cheapest(search, finished, name, cost, margin=margin, but=but) for name, cost in ways)


def _parameters(point: Point) -> float:
    return float(point.parameters)


def _cheapest(
    search: Search, finished: Sequence[Point], name: str, cost: Cost, *, margin: float, but: str
) -> Cheapest:
    best = min(_loss(search, point) for point in finished)
    enough = [
        (price, point.number, point)
        for point in finished
        if _loss(search, point) <= best + margin and (price := cost(point)) is not None
    ]
    price, _, point = min(enough, key=lambda one: one[:2])
    result, top = _result(point), _sign(search) * best
    what = {"parameters": "fewest parameters", "seconds": "least training time"}.get(name, f"smallest {name}")
    size = {"parameters": f"{price:,.0f} parameters", "seconds": f"{price:.1f} s"}.get(name, f"{price:.6g}")
    within = amount(margin, search.metric)
    return Cheapest(
        cost=name,
        number=point.number,
        arm=point.arm.name,
        value=price,
        result=result,
        best=top,
        margin=margin,
        sentence=f"The {what} within {within} of the best: {size} ({point.arm.name}, {shown_result(search, result)} "
        f"against {shown_result(search, top)} on one search seed{but}; an estimate).",
    )


def plateau_over(search: Search, finished: Sequence[Point], *, margin: float) -> Plateau | None:
    """Where more of the one number searched stops helping; None unless there is just one, and points enough.

    The results on the first seed, smoothed to rise (or, of a loss, to fall) only: `isotonic`.
    """
    name = single_number(search)
    if name is None or len(finished) < FEW_POINTS:
        return None
    rising = sorted(finished, key=lambda point: (point.values[name], point.number))
    levels = [float(point.values[name]) for point in rising]
    smooth = isotonic(np.array([-_loss(search, point) for point in rising]), weights=None, rising=True)
    start = next(
        level for level, value in zip(levels, smooth.tolist(), strict=True) if value >= smooth[-1] - margin
    )
    within, top = amount(margin, search.metric), levels[-1]
    basis = f"{count_of(len(rising), 'point')} on one search seed, smoothed; an estimate, no part of the guarantee"
    if start == top:
        said = f"Up to the largest {name} tried, {top:.6g}, more of it still gained {within} or more"
    else:
        said = f"From {name} {start:.6g} up, more of it gained less than {within} up to {top:.6g}"
    return Plateau(
        parameter=name, start=start, points=len(rising), margin=margin, sentence=f"{said} ({basis})."
    )


def single_number(search: Search) -> str | None:
    """The name of the search's parameter where it has only one and that is a number."""
    known = parameters(search.space)
    return known[0][0] if len(known) == 1 and not isinstance(known[0][1], Choice) else None


def shown_result(search: Search, value: float) -> str:
    """A result as it is read.

    >>> shown_result(Search(id="s", baseline="b", space={"epochs": {"int": [1, 9]}}), 0.98123)
    '98.12 %'
    """
    return f"{100 * value:.2f} %" if search.metric == "accuracy" else f"{value:.4f}"


def _result(point: Point) -> float:
    result = point.results[1]
    assert result is not None
    return result


def _sign(search: Search) -> float:
    return -1.0 if search.metric == "accuracy" else 1.0


def _loss(search: Search, point: Point) -> float:
    """Smaller is better, whatever the metric."""
    return _sign(search) * _result(point)
