"""What a worker does to its own process before it trains: die with its parent, malloc, threads.

Linux is served fully; elsewhere each step that the system does not offer is left out and the
name of what was done goes into the provenance, so that nobody compares unlike timings unawares.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# mallopt parameters of glibc's <malloc.h>
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEEP_BYTES = 2**30


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the one that started it is gone (Linux).

    The closed pipe says so everywhere; this also ends a trial in the middle of a step.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def keep_freed_memory() -> bool:
    """Make glibc keep freed blocks for the next step instead of returning them to the kernel.

    Gradients are freed and allocated again in each step; faulting their pages in anew costs more
    than the arithmetic of a small step. Returns whether it took effect (glibc only).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    asked = ((_M_MMAP_THRESHOLD, _KEEP_BYTES), (_M_TRIM_THRESHOLD, 2 * _KEEP_BYTES), (_M_TOP_PAD, 64 * 2**20))
    return all(mallopt(parameter, value) == 1 for parameter, value in asked)


def pin(core: int | None) -> bool:
    """Stay on one core, so that caches stay warm and trials do not get in each other's way."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        return False
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        return False
    return True


def bound_memory() -> int:
    """Make an allocation beyond the machine's memory an error here, not the end of the machine.

    Returns the limit in bytes, 0 where none could be set. Should memory run out all the same
    (two large trials at once), the kernel is told to kill a worker first, never the study.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    total = machine_memory()
    if not total or not sys.platform.startswith("linux"):
        return 0
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = min([int(total * 0.95), *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    return limit


def memory_in_words() -> str:
    """How much there is to train in: what the machine has, or what this process may use if it was given less."""
    total = machine_memory()
    if sys.platform.startswith("linux"):
        import resource

        limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
        allowed = min((one for one in limits if one != resource.RLIM_INFINITY), default=total)
        if allowed < 0.9 * total:
            return f"the {allowed / 2**30:.1f} GiB that a process may use here (`ulimit`)"
    return f"the {total / 2**30:.0f} GiB of this machine" if total else "the memory of this machine"


def machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or its container's if that is less."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(Path(name).read_text()))
    return total


def available_memory() -> int | None:
    """Bytes that a new process could use without anybody's memory being swapped out; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):
            free = min(free, max(0, int(Path(limit).read_text()) - int(Path(used).read_text())))
    return free
