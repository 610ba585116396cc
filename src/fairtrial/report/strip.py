"""The small picture beside a verdict: its interval against zero and the margin."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fairtrial.analysis.values import Answer
from fairtrial.report import svg
from fairtrial.report.words import apart, between, margin
from fairtrial.stats.intervals import log_margin

WIDTH, HEIGHT, MIDDLE, EDGE = 300.0, 64.0, 30.0, 12.0
_TOP, _BOTTOM = 14.0, 46.0
"""The band's; above it stands the estimate, below it the scale."""
_TINY = 1e-300
_CHARACTER = 6.0
"""How wide a character of the scale is drawn, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An answer's contrast as drawn: differences, for time logarithms of ratios."""

    estimate: float
    low: float | None
    high: float | None
    margin: float

    @property
    def reach(self) -> float:
        """The farthest value to show, in margins."""
        return max(abs(one) for one in (self.estimate, self.low or 0.0, self.high or 0.0)) / self.margin


def span(answer: Answer) -> Span | None:
    """None where there is nothing to draw yet."""
    if answer.estimate is None or not answer.margin or not answer.margin > 0:
        return None
    if answer.metric == "accuracy":
        # Few seeds that scatter leave intervals beyond all accuracies: what nothing can be is not drawn.
        low, high = (None if one is None else max(-1.0, min(1.0, one)) for one in (answer.low, answer.high))
        return Span(estimate=answer.estimate, low=low, high=high, margin=answer.margin)
    if answer.metric != "time":
        return Span(estimate=answer.estimate, low=answer.low, high=answer.high, margin=answer.margin)
    # A ratio may be too small to be told from nothing.
    low, high = (None if one is None else math.log(max(one, _TINY)) for one in (answer.low, answer.high))
    return Span(estimate=math.log(answer.estimate), low=low, high=high, margin=log_margin(answer.margin))


def reach(answers: Iterable[Answer]) -> float:
    """How many margins the strips of these answers must show, so that all share one scale."""
    spans = [found for answer in answers if (found := span(answer)) is not None]
    return max([3.0, *(one.reach for one in spans if math.isfinite(one.reach))]) * 1.15


def strip(answer: Answer, *, reach: float) -> str:
    """The interval, the estimate, zero and the band of the margin, on a scale that opens out from zero.

    Places are asinh(contrast / margin): nearly even inside the margin, logarithmic far from it.
    """
    shown = span(answer)
    if shown is None:
        words = f"{answer.variant} against {answer.baseline}: no interval yet"
        parts = [
            svg.line((WIDTH / 2, _TOP), (WIDTH / 2, _BOTTOM), role="zero"),
            svg.text(WIDTH / 2, 60, "nothing to draw yet", role="tick middle"),
        ]
        return svg.drawing(parts, width=WIDTH, height=HEIGHT, label=words, role="strip")
    scale = svg.Scale(low=-math.asinh(reach), high=math.asinh(reach), start=EDGE, end=WIDTH - EDGE)

    def place(value: float) -> float:
        return scale(math.asinh(max(-reach, min(reach, value / shown.margin))))

    left, right = place(-shown.margin), place(shown.margin)
    parts = [
        svg.rect(left, _TOP, right - left, _BOTTOM - _TOP, role="band"),
        svg.line((left, _TOP), (left, _BOTTOM), role="edge"),
        svg.line((right, _TOP), (right, _BOTTOM), role="edge"),
        svg.line((WIDTH / 2, _TOP - 2), (WIDTH / 2, _BOTTOM + 2), role="zero"),
    ]
    kind = "settled" if answer.settled else "open"
    if shown.low is not None and shown.high is not None:
        low, high = place(shown.low), place(shown.high)
        parts.append(svg.line((low, MIDDLE), (high, MIDDLE), role=f"interval {kind}"))
        parts += [svg.line((end, MIDDLE - 7), (end, MIDDLE + 7), role=f"cap {kind}") for end in (low, high)]
    parts.append(svg.mark(place(shown.estimate), MIDDLE, role=f"estimate {kind}", size=4.5))
    value = max(EDGE + 24, min(WIDTH - EDGE - 24, place(shown.estimate)))
    parts.append(svg.text(value, 10, apart(answer.estimate, answer.metric), role="value middle"))
    parts += _ticks(answer, shown.margin, reach, place)
    return svg.drawing(parts, width=WIDTH, height=HEIGHT, label=_label(answer), role="strip")


def _ticks(answer: Answer, smallest: float, reach: float, place: Callable[[float], float]) -> list[str]:
    values = (
        _time_ticks(reach * smallest) if answer.metric == "time" else _even_ticks(reach * smallest, smallest)
    )
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for value in values:
        where, text = place(value), _tick_text(answer, value)
        half = max(13.5, _CHARACTER * len(text) / 2 + 2)
        if all(abs(where - one) >= half + other for one, other in taken) and EDGE <= where <= WIDTH - EDGE:
            taken.append((where, half))
            parts.append(svg.text(where, 60, text, role="tick middle"))
    return parts


def _even_ticks(farthest: float, smallest: float) -> list[float]:
    """Zero, the margin, and powers of ten beyond it, nearest first."""
    values = [0.0, smallest, -smallest]
    power = 10.0 ** math.ceil(math.log10(smallest * 1.01))
    while power <= farthest:
        values += [power, -power]
        power *= 10
    return values


def _time_ticks(farthest: float) -> list[float]:
    ratios = (1, 2, 0.5, 10, 0.1, 100, 0.01, 5, 0.2, 1.2, 0.8, 1.1, 0.9)
    return [math.log(ratio) for ratio in ratios if abs(math.log(ratio)) <= farthest]


def _tick_text(answer: Answer, value: float) -> str:
    if answer.metric == "time":
        return f"×{math.exp(value):.3g}"
    shown = 100 * value if answer.metric == "accuracy" else value
    unit = " pp" if answer.metric == "accuracy" and value == 0 else ""
    return ("0" + unit) if value == 0 else f"{shown:+.3g}".replace("-", "−")


def _label(answer: Answer) -> str:
    """The picture in words; the sentence stands beside it."""
    interval = (
        "no interval yet"
        if answer.low is None
        else f"interval {between(answer.low, answer.high, answer.metric)}"
    )
    change = apart(answer.estimate, answer.metric)
    return f"{answer.variant} against {answer.baseline}: {change}, {interval}, margin {margin(answer)}"
