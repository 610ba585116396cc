"""What to tell whoever gave a worker too little memory, wherever that was noticed."""

from __future__ import annotations

import sys


def too_little_memory() -> str:
    """Words to put behind a failure that memory is to blame for, most likely."""
    allowed = address_space()
    limit = f": a process may use {allowed / 2**30:.1f} GiB here" if allowed else ""
    return (
        f" (perhaps too little memory for a worker{limit}; end other programs, use fewer workers with -j, or raise the "
        "limit `ulimit -v`)"
    )


def address_space() -> int:
    """Bytes that a process may use if that is limited, else 0."""
    if sys.platform == "win32":
        return 0
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return 0 if limit == resource.RLIM_INFINITY else limit
