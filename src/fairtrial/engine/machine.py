"""Which machine this is, without importing anything heavy."""

from __future__ import annotations

import platform
import socket
from functools import cache
from pathlib import Path

from fairtrial.pair import machine_called


def machine() -> str:
    """A short name of this machine that does not give its host name away."""
    return machine_called(socket.gethostname())


@cache
def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
