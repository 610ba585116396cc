"""Why a worker died, as far as its exit code and its last words tell."""

from __future__ import annotations

import signal
import sys


def short_of_memory(said: list[str]) -> str:
    """Libraries that find no room for themselves say so in many ways, few of which name the reason."""
    signs = ("MemoryError", "annot allocate memory", "failed to map segment", "bad_alloc")
    allowed = _address_space()
    if not allowed and not any(sign in line for line in said for sign in signs):
        return ""
    limit = f": a process may use {allowed / 2**30:.1f} GiB here" if allowed else ""
    return (
        f" (perhaps too little memory for a worker{limit}; end other programs, use fewer workers with -j, or raise the "
        "limit `ulimit -v`)"
    )


def _address_space() -> int:
    """Bytes that a process may use if that is limited, else 0."""
    if sys.platform == "win32":
        return 0
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return 0 if limit == resource.RLIM_INFINITY else limit


def why(code: int, said: list[str]) -> str:
    """What became of a worker that ended with this code, with the last that it said."""
    last = f"; its last words: {said[-1]}" if said else ""
    if code >= 0:
        return f"the worker ended with exit code {code}{last}{short_of_memory(said)}"
    name = signal.Signals(-code).name
    hint = " (perhaps the machine ran out of memory)" if name == "SIGKILL" else ""
    return f"the worker was killed by {name}{hint}{last}"
