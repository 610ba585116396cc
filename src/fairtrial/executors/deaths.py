"""Why a worker died, as far as its exit code and its last words tell."""

from __future__ import annotations

import signal

from fairtrial import scarcity


def short_of_memory(said: list[str]) -> str:
    """Libraries that find no room for themselves say so in many ways, few of which name the reason."""
    signs = ("MemoryError", "annot allocate memory", "failed to map segment", "bad_alloc")
    if not scarcity.address_space() and not any(sign in line for line in said for sign in signs):
        return ""
    return scarcity.too_little_memory()


def why(code: int, said: list[str]) -> str:
    """What became of a worker that ended with this code, with the last that it said."""
    last = f"; its last words: {said[-1]}" if said else ""
    if code >= 0:
        return f"the worker ended with exit code {code}{last}{short_of_memory(said)}"
    name = signal.Signals(-code).name
    hint = " (perhaps the machine ran out of memory)" if name == "SIGKILL" else ""
    return f"the worker was killed by {name}{hint}{last}"
