"""How busy the machine is with anything but us: what a clock reading has to be told with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The clocks of one moment, in seconds; None where the system keeps no such clock.

    `busy` adds up what all processors of the machine have worked, for whomever; `own` what they
    have worked for this process; `average` is the load average of the last minute.
    """

    wall: float
    busy: float | None
    own: float
    average: float | None


def read() -> Reading:
    """The clocks now; what this process has started and waited for is its own work."""
    children = os.times()
    return Reading(
        wall=perf_counter(),
        busy=_busy_seconds(),
        own=process_time() + children.children_user + children.children_system,
        average=_load_average(),
    )


def other_load(before: Reading, after: Reading) -> float | None:
    """How many processor cores anything but this process kept busy between two readings, on average.

    Where the system does not count its processors' work, the load average less this process stands for
    it: slower to rise and to fall, so that work that has just ended still counts. None without either.
    """
    wall, own = after.wall - before.wall, after.own - before.own
    if before.busy is not None and after.busy is not None:
        busy = after.busy - before.busy
        # A sandbox may show a clock that stands still: one that has not even seen us tells nothing.
        if busy >= own / 2:
            return max(0.0, (busy - own) / wall)
    averages = [reading.average for reading in (before, after) if reading.average is not None]
    return max(0.0, max(averages) - own / wall) if averages else None


def _busy_seconds() -> float | None:
    """User, nice, system and interrupt time of all processors since the machine started, and time stolen."""
    try:
        words = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)
    except (OSError, ValueError):
        return None
    if len(words) < 9 or words[0] != "cpu":
        return None
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, words[1:9])
    ticks = user + nice + system + interrupts + soft_interrupts + stolen
    return ticks / os.sysconf("SC_CLK_TCK")


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None
