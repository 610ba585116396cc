"""Being told to end: what the system, a batch queue or a closed terminal sends becomes an exception like Ctrl-C's."""

from __future__ import annotations

import signal
from types import FrameType


class Terminated(BaseException):
    """A signal asked this process to end. No error: nothing on the way may take it for one and go on."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number
        """The exit status by which shells know it."""


def raise_when_told_to_end() -> None:
    """So that the store is closed, claims are given back, and the user is told how to go on.

    Only where the system's own way of ending is still in force: who has set another means it (`nohup`).
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    # The second one finds the system's own way again: it need not wait for anything.
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(number)
