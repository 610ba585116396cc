"""Being told to end: what the system, a batch queue or a closed terminal sends becomes an exception like Ctrl-C's."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType

AFTER_SECONDS = 0.02


class Terminated(BaseException):
    """A signal asked this process to end. No error: nothing on the way may take it for one and go on."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
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


def hear_of_every_end() -> None:
    """Where Python has to swallow what a signal raised, as in the last act of an object, it is raised again afterwards."""
    before = sys.unraisablehook

    def told(what: sys.UnraisableHookArgs) -> None:
        if isinstance(what.exc_value, KeyboardInterrupt):
            _once_more(signal.SIGINT)
        elif isinstance(what.exc_value, Terminated):
            signal.signal(what.exc_value.number, _end)
            _once_more(what.exc_value.number)
        else:
            before(what)

    sys.unraisablehook = told


def _once_more(number: int) -> None:
    """From another thread and a moment later: raised at once it would be swallowed as well."""

    def send() -> None:
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, number)  # ends a wait of the system's, too
        else:
            _thread.interrupt_main(signal.Signals(number))

    again = threading.Timer(AFTER_SECONDS, send)
    again.daemon = True
    again.start()


def _end(number: int, _: FrameType | None) -> None:
    # The second one finds the system's own way again: it need not wait for anything.
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(number)
