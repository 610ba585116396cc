"""Stretches of time as people write and say them."""

from __future__ import annotations

import re

from fairtrial.errors import FairtrialError

LONGEST_SECONDS = 366 * 24 * 3600.0
_UNITS = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
_PART = r"([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(h|min|m|s)"


def seconds_in(text: str) -> float:
    """A length of time such as `60s`, `5m` or `1h30m`, in seconds.

    Raises FairtrialError for anything else, a bare number among it: minutes or seconds?

    >>> seconds_in("60s"), seconds_in("5m"), seconds_in("1h30m"), seconds_in("0.5 h")
    (60.0, 300.0, 5400.0, 1800.0)
    """
    if re.fullmatch(rf"\s*(?:{_PART}\s*)+", text):
        parts: list[tuple[str, str]] = re.findall(_PART, text)
        units = [_UNITS[unit] for _, unit in parts]
        seconds = sum(float(amount) * _UNITS[unit] for amount, unit in parts)
        if 0 < seconds <= LONGEST_SECONDS and units == sorted(set(units), reverse=True):
            return seconds
    raise FairtrialError(
        f"{text[:60]!r} is not a length of time; write for example 60s, 5m or 1h30m, and no more than a year"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(0.01863), duration(0.4213), duration(12.34), duration(754), duration(7500)
    ('0.019 s', '0.42 s', '12.3 s', '12 min 34 s', '2 h 05 min')
    """
    if 0 < seconds < 0.0995:
        return f"{seconds:.3f} s"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def roughly(seconds: float) -> str:
    """A forecast, with no more figures than it deserves.

    >>> roughly(0.4), roughly(42), roughly(372), roughly(3000), roughly(9000), roughly(700_000)
    ('1 s', '42 s', '6 min', '50 min', '2 h 30 min', '194 h')
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 10 and rest else f"{round(minutes / 60)} h"


def seconds_of(budget: str | float) -> float:
    """A budget as programs give it: seconds, or words of a duration. Raises FairtrialError for what is neither.

    >>> seconds_of("5m"), seconds_of(2.5)
    (300.0, 2.5)
    """
    if isinstance(budget, str):
        return seconds_in(budget)
    if budget > 0:
        return budget
    raise FairtrialError(
        f"budget must be a positive number of seconds, or words such as '5m', got {budget!r}"
    )
