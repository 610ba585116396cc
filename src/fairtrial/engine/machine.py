"""Which machine this is, without importing anything heavy."""

from __future__ import annotations

import hashlib
import socket


def machine() -> str:
    """A short name of this machine that does not give its host name away."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:12]
