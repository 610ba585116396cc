"""The charts of a search as static drawings, for readers without JavaScript and for paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fairtrial.report import svg
from fairtrial.report.search_axes import Axis, Upward
from fairtrial.report.search_layers import COSTS, Across
from fairtrial.report.search_picture import Picture, Spot, cost, jitter, with_room

_RIGHT = svg.WIDTH - svg.RIGHT
_FLOOR = svg.HEIGHT - svg.BOTTOM
_LABEL, _NAME = 14, 22
"""Letters of an option and of a parameter that have room."""


def slice_drawing(shown: Picture, axis: Axis, label: str) -> str:
    up = shown.heights
    x, y = _across(axis), _up(up)
    parts = svg.frame(
        x, y, across=_title(axis), up=up.title, x_text=lambda tick: _cut(axis.ticks[tick], _LABEL),
        y_text=up.words, x_ticks=_apart(axis, x), y_ticks=up.ticks,
    )  # fmt: skip
    parts += _baseline(shown, x, y)

    def place(spot: Spot) -> svg.Point:
        aside = 0.36 * jitter(spot.point.number) * (x(1.0) - x(0.0)) if axis.options else 0.0
        along = x(axis.place(spot.point.values[axis.name])) + aside
        return along, _FLOOR - 6 if spot.height is None else y(spot.height)

    here = [spot for spot in shown.spots if axis.name in spot.point.values]
    done = [spot for spot in here if spot.state == "finished"]
    parts.append(svg.path(*_joined(done, place), role="joined"))
    chosen = [spot for spot in done if spot.point.number == shown.candidate]
    others = [spot for spot in done if spot not in chosen]
    stopped = [spot for spot in here if spot.state == "stopped" and spot.height is not None]
    parts.append(svg.crosses(map(place, stopped), role="crosses"))
    parts.append(svg.triangles([place(spot) for spot in here if spot.height is None], role="fallen"))
    parts.append(svg.dots(map(place, others), role="dots finished"))
    parts.append(svg.dots(map(place, chosen), role="dots candidate"))
    if chosen:
        places = [place(spot) for spot in chosen]
        middle = sum(one for _, one in places) / len(places)
        parts.append(svg.mark(places[0][0], middle, role="ring", size=9))
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def parallel_drawing(shown: Picture, label: str) -> str:
    """Gaps are left where a proposal lacks a parameter; the last axis is the result."""
    wide = is_wide(shown)
    bottom = svg.HEIGHT - (62.0 if wide else 34.0)
    count = len(shown.axes) + 1
    # A slanted name ends at its axis: the first one needs room to its left.
    before, after = (0.9, 0.6) if wide else (0.4, 0.6)
    width = max(float(svg.WIDTH), 104.0 * (count - 1 + before + after))
    step = width / (count - 1 + before + after)

    def across(place: int) -> float:
        return step * (place + before)

    def up(share: float) -> float:
        return bottom - share * (bottom - svg.TOP)

    parts = [svg.line((across(place), up(0)), (across(place), up(1)), role="axis") for place in range(count)]
    for tier in ("rest", "best", "candidate"):
        numbers = {number for number, one in shown.tiers.items() if one == tier}
        lines: list[list[svg.Point]] = []
        for point in shown.points:
            if point.number in numbers:
                shares = [
                    axis.share(value) if (value := point.values.get(axis.name)) is not None else None
                    for axis in shown.axes
                ]
                height = shown.result(point)
                shares.append(None if height is None else shown.results.share(height))
                lines += _unbroken(
                    [
                        None if share is None else (across(place), up(share))
                        for place, share in enumerate(shares)
                    ]
                )
        parts.append(svg.path(*lines, role=f"mean tier {tier}"))
    names = [*(axis.short for axis in shown.axes), result_name(shown)]
    for place, name in enumerate(names):
        parts.append(_name(across(place), bottom, name, slanted=wide))
    for place, ticks in enumerate(axis_ticks(shown)):
        parts += [
            svg.text(across(place) + 5, up(share) + 3.5, _cut(words, _LABEL), role="tick halo")
            for share, words in ticks
        ]
    return svg.drawing(parts, width=width, height=svg.HEIGHT, label=label)


def is_wide(shown: Picture) -> bool:
    """Whether its parallel coordinates take the width of the page."""
    return len(shown.axes) > 3


def axis_ticks(shown: Picture) -> list[list[tuple[float, str]]]:
    """For each axis, the result last: where its labels stand, and what they say."""
    found = [
        [(axis.share_of(tick), axis.ticks[tick]) for tick in _few(tuple(axis.ticks))] for axis in shown.axes
    ]
    up = shown.results
    unit = " %" if up.metric == "accuracy" else ""
    return [*found, [(up.share(tick), f"{up.words(tick)}{unit}") for tick in _few(up.ticks)]]


def result_name(shown: Picture) -> str:
    return f"validation {shown.found.search.metric}"


def front_drawing(shown: Picture, across: Across, label: str) -> str:
    found = shown.found
    joined = found.by_seconds if across == "seconds" else found.by_parameters
    done = [spot for spot in shown.spots if spot.first and spot.state == "finished"]
    baseline = [spot for spot in shown.baseline if spot.first]
    costs = [one for spot in (*done, *baseline) if (one := cost(spot.point, across)) is not None]
    x = svg.Scale(low=min(costs) / 1.3, high=max(costs) * 1.4, start=svg.LEFT, end=_RIGHT, log=True)
    up = shown.results
    y = _up(up)
    parts = svg.frame(
        x, y, across=COSTS[across], up=up.title, x_text=short_number, y_text=up.words, y_ticks=up.ticks
    )

    def place(spot: Spot) -> svg.Point | None:
        price = cost(spot.point, across)
        return None if price is None or spot.height is None else (x(price), y(spot.height))

    numbers, named = {point.number for point in joined}, with_room(shown, joined, across)
    by_number = {spot.point.number: at for spot in done if (at := place(spot)) is not None}
    steps: list[svg.Point] = []
    for point in joined:
        at = by_number[point.number]
        steps += [(at[0], steps[-1][1]), at] if steps else [at]
    parts.append(svg.path(steps, role="frontier"))
    others = [at for number, at in by_number.items() if number not in numbers]
    parts.append(svg.dots(others, role="dots beaten"))
    parts.append(svg.dots([by_number[point.number] for point in joined], role="dots candidate"))
    diamonds = [at for spot in baseline if (at := place(spot)) is not None]
    parts.append(svg.diamonds(diamonds, role="diamond baseline"))
    if shown.candidate in by_number:
        parts.append(svg.mark(*by_number[shown.candidate], role="ring", size=9))
    parts += [
        svg.text(by_number[point.number][0] + 6, by_number[point.number][1] + 12, str(point.number), role="name best")
        for point in joined
        if point.number in named
    ]  # fmt: skip
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def short_number(value: float) -> str:
    """
    >>> short_number(0.5), short_number(20.0), short_number(3e5), short_number(2e6)
    ('0.5', '20', '300k', '2M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _across(axis: Axis) -> svg.Scale:
    low, high = axis.ends
    if axis.options:
        return svg.Scale(low=low - 0.55, high=high + 0.55, start=svg.LEFT + 14, end=_RIGHT)
    return svg.Scale(low=low, high=high, start=svg.LEFT + 22, end=_RIGHT - 10, log=axis.log)


def _up(scale: Upward) -> svg.Scale:
    return svg.Scale(low=scale.high, high=scale.low, start=_FLOOR, end=svg.TOP + 6, log=True)


def _title(axis: Axis) -> str:
    name = _cut(axis.title, 56)
    return f"{name} (logarithmic)" if axis.log else name


def _apart(axis: Axis, x: svg.Scale) -> list[float]:
    """The ticks that have room for their numbers."""
    kept: list[float] = []
    for tick, words in axis.ticks.items():
        if not kept or x(tick) - x(kept[-1]) > 6.5 * min(len(words), _LABEL):
            kept.append(tick)
    return kept


def _few(ticks: Sequence[float]) -> Sequence[float]:
    """At most six or so, evenly left out."""
    return ticks[:: 1 + (len(ticks) - 1) // 7]


def _joined(done: Sequence[Spot], place: Callable[[Spot], svg.Point]) -> list[list[svg.Point]]:
    """For each proposal with several seeds a line through its marks."""
    by_number: dict[int, list[svg.Point]] = {}
    for spot in done:
        by_number.setdefault(spot.point.number, []).append(place(spot))
    found: list[list[svg.Point]] = []
    for places in by_number.values():
        if len(places) > 1:
            heights = [height for _, height in places]
            found.append([(places[0][0], min(heights)), (places[0][0], max(heights))])
    return found


def _unbroken(places: Sequence[svg.Point | None]) -> list[list[svg.Point]]:
    """The pieces of a line between the places it lacks; a place with no neighbour is a short dash."""
    pieces: list[list[svg.Point]] = [[]]
    for place in places:
        if place is None:
            pieces.append([])
        else:
            pieces[-1].append(place)
    return [
        [(piece[0][0] - 4, piece[0][1]), (piece[0][0] + 4, piece[0][1])] if len(piece) == 1 else piece
        for piece in pieces
        if piece
    ]


def _baseline(shown: Picture, x: svg.Scale, y: svg.Scale) -> list[str]:
    heights = [spot.height for spot in shown.baseline if spot.height is not None]
    if not heights:
        return []
    mean = y(sum(heights) / len(heights))
    return [
        svg.line((svg.LEFT, mean), (_RIGHT, mean), role="mean baseline train"),
        svg.dots([(svg.LEFT + 6, y(height)) for height in heights], role="dots baseline"),
    ]


def _name(x: float, bottom: float, name: str, *, slanted: bool) -> str:
    text = svg.text(x, bottom + 15, _cut(name, _NAME), role="title end" if slanted else "title middle")
    if not slanted:
        return text
    turned = f'transform="rotate(-20 {svg.number(x)} {svg.number(bottom + 15)})"'
    return text.replace("<text", f"<text {turned}", 1)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
