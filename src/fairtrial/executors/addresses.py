"""Does anybody answer at a cluster's address? Asked before its library is, which takes many minutes to say no."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

CLIENT = "ray://"
CLIENT_PORT = 10001
"""Where a cluster serves drivers from elsewhere unless it is told otherwise."""

_PATIENCE_SECONDS = 10.0


def check_answers(address: str) -> None:
    """Raises ConnectionError if nobody does at HOST:PORT or ray://HOST:PORT, ValueError for what is neither.

    Any other way to name a cluster, such as `auto`, is the library's to follow.
    """
    from_afar = address.startswith(CLIENT)
    if not from_afar and ("://" in address or ":" not in address):
        return
    try:
        split = urlsplit(address if from_afar else f"//{address}")
        host, port = split.hostname, split.port or (CLIENT_PORT if from_afar else None)
    except ValueError as error:
        raise ValueError(f"{address} is no address: {error}") from None
    if not host or not port or split.path.strip("/"):
        raise ValueError(f"{address} is no address such as {CLIENT}head.example:{CLIENT_PORT}")
    try:
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ConnectionError(f"nobody answers at {host}:{port}: {why}") from None
