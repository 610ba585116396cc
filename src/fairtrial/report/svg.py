"""Static drawings: scales, axes and marks as SVG text, coloured by the page's style sheet.

Everything that is text passes `escape`; numbers are rounded to a tenth of a unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 38

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `low` to `high` to places from `start` to `end`; logarithmic if `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (math.log(one) for one in (self.low, self.high, value)) if self.log else (
            self.low, self.high, value,
        )  # fmt: skip
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high, wanted)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About `wanted` round numbers from low to high.

    >>> ticks(0.0, 1.0), ticks(96.1, 98.3)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [96.5, 97.0, 97.5, 98.0])
    """
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = min((1, 2, 5, 10), key=lambda one: abs(one * power - raw)) * power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from low to high, with 2 and 5 between them where there would be few.

    >>> log_ticks(30, 4000), log_ticks(3, 40)
    ([100.0, 1000.0], [5.0, 10.0, 20.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    whole = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(whole) > 1:
        return whole
    return [
        one
        for power in powers
        for one in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if low <= one <= high
    ]


def padded(values: Iterable[float], *, least: float = 0.0, share: float = 0.06) -> tuple[float, float]:
    """The range of some values with room around them, at least `least` wide."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = max((high - low) * share, (least - (high - low)) / 2, 1e-9 * max(abs(low), abs(high), 1.0))
    return low - room, high + room


def number(value: float) -> str:
    """
    >>> number(12.0), number(3.14159), number(-0.04)
    ('12', '3.1', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def path(*lines: Sequence[Point], role: str, whole: bool = False) -> str:
    """One or several lines as one mark; `whole` rounds to whole units, for lines nobody reads off."""
    write: Callable[[float], str] = (lambda value: str(round(value))) if whole else number
    steps = "".join("M" + " ".join(f"{write(x)},{write(y)}" for x, y in points) for points in lines if points)
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def area(lower: Sequence[Point], upper: Sequence[Point], *, role: str) -> str:
    if not lower:
        return ""
    steps = " ".join(f"{round(x)},{round(y)}" for x, y in [*lower, *reversed(upper)])
    return f'<path class="{role}" d="M{steps}Z"/>'


def line(start: Point, end: Point, *, role: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{role}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def rect(x: float, y: float, width: float, height: float, *, role: str) -> str:
    return f'<rect class="{role}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"/>'


def boxes(corners: Iterable[tuple[float, float, float, float]], *, role: str) -> str:
    """Rectangles (left, top, width, height) as one mark."""
    steps = "".join(
        f"M{number(x)},{number(y)}h{number(width)}v{number(height)}h{number(-width)}z"
        for x, y, width, height in corners
    )
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def dots(places: Iterable[Point], *, role: str) -> str:
    """Many dots as one mark: strokes of no length, whose caps are the dots. As wide as the role's stroke."""
    steps = "".join(f"M{number(x)},{number(y)}h0" for x, y in places)
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def crosses(places: Iterable[Point], *, role: str, size: float = 3.2) -> str:
    """Many crosses as one mark."""
    arm = number(2 * size)
    steps = "".join(
        f"M{number(x - size)},{number(y - size)}l{arm},{arm}m0,-{arm}l-{arm},{arm}" for x, y in places
    )
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def diamonds(places: Iterable[Point], *, role: str, size: float = 6) -> str:
    """Many diamonds as one mark."""
    side = number(size)
    steps = "".join(
        f"M{number(x)},{number(y - size)}l{side},{side}l-{side},{side}l-{side},-{side}z" for x, y in places
    )
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def triangles(places: Iterable[Point], *, role: str, size: float = 4) -> str:
    """Many triangles that point down as one mark."""
    wide, high = number(2 * size), number(1.6 * size)
    steps = "".join(
        f"M{number(x - size)},{number(y - size)}h{wide}l-{number(size)},{high}z" for x, y in places
    )
    return f'<path class="{role}" d="{steps}"/>' if steps else ""


def text(x: float, y: float, words: str, *, role: str = "") -> str:
    named = f' class="{role}"' if role else ""
    return f'<text{named} x="{number(x)}" y="{number(y)}">{escape(words)}</text>'


def mark(
    x: float, y: float, *, role: str = "", shape: str = "circle", size: float = 3.5, hint: str = ""
) -> str:
    """A circle, or a square for readers without colours; `hint` is told on hover."""
    named = f' class="{role}"' if role else ""
    if shape == "square":
        side = number(2 * size * 0.9)
        place = f'x="{number(x - size * 0.9)}" y="{number(y - size * 0.9)}" width="{side}" height="{side}"'
        drawn = f"<rect{named} {place}"
    else:
        drawn = f'<circle{named} cx="{number(x)}" cy="{number(y)}" r="{number(size)}"'
    kind = "rect" if shape == "square" else "circle"
    return f"{drawn}><title>{escape(hint)}</title></{kind}>" if hint else f"{drawn}/>"


def group(parts: Iterable[str], *, role: str) -> str:
    return f'<g class="{role}">{"".join(parts)}</g>'


def drawing(parts: Iterable[str], *, width: float, height: float, label: str, role: str = "plot") -> str:
    """A whole picture. `label` is what a reader who does not see it is told."""
    return (
        f'<svg class="{role}" role="img" aria-label="{escape(label)}" viewBox="0 0 {number(width)} {number(height)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def frame(
    x: Scale,
    y: Scale,
    *,
    across: str,
    up: str,
    x_text: Callable[[float], str] = lambda value: f"{value:g}",
    y_text: Callable[[float], str] = lambda value: f"{value:g}",
    x_ticks: Sequence[float] | None = None,
    y_ticks: Sequence[float] | None = None,
) -> list[str]:
    """Grid, ticks and titles of both axes; titles carry the units."""
    parts: list[str] = []
    marks = y.ticks() if y_ticks is None else list(y_ticks)
    parts.append(path(*(((x.start, y(tick)), (x.end, y(tick))) for tick in marks), role="grid"))
    parts += [text(x.start - 6, y(tick) + 3.5, y_text(tick), role="tick end") for tick in marks]
    marks = x.ticks() if x_ticks is None else list(x_ticks)
    parts.append(path(*(((x(tick), y.start), (x(tick), y.start + 4)) for tick in marks), role="axis"))
    parts += [text(x(tick), y.start + 15, x_text(tick), role="tick middle") for tick in marks]
    parts.append(line((x.start, y.start), (x.end, y.start), role="axis"))
    parts.append(text((x.start + x.end) / 2, y.start + 31, across, role="title middle"))
    turned = f'transform="rotate(-90 {number(11)} {number((y.start + y.end) / 2)})"'
    parts.append(
        f'<text class="title middle" x="11" y="{number((y.start + y.end) / 2)}" {turned}>{escape(up)}</text>'
    )
    return parts
