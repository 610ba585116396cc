"""Does anybody answer at a cluster's address? Asked beside its library, which takes minutes to say no, or ends the program."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

CLIENT = "ray://"
CLIENT_PORT = 10001
"""Where a cluster serves drivers from elsewhere unless it is told otherwise."""

_PATIENCE_SECONDS = 10.0

_EVERY_SECONDS = 5.0
GONE_SECONDS = 30.0
"""A head that is started anew may not answer for a while; after a minute of it Ray ends the whole program."""


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


@dataclass(slots=True)
class Pulse:
    """Of the head of a cluster that is in use; an empty address is one that nobody here can ask."""

    address: str
    _asked: float = 0.0
    _silent: float | None = None

    def beats(self, *, lately: bool = False) -> bool:
        """Whether it answers, or `lately` did a moment ago. Raises ConnectionError once it has not for GONE_SECONDS."""
        now = time.monotonic()
        if not self.address or (lately and self._silent is None and now - self._asked < _EVERY_SECONDS):
            return True
        self._asked = now
        try:
            check_answers(self.address)
        except ValueError:
            self.address = ""  # in a way of writing addresses that is not known here
        except ConnectionError:
            self._silent = now if self._silent is None else self._silent
            if now - self._silent > GONE_SECONDS:
                raise
            return False
        self._silent = None
        return True
