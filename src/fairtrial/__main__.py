"""`fairtrial` and `python -m fairtrial`."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command. Ctrl-C while the first modules are still being imported ends it without a traceback, too."""
    try:
        try:
            from fairtrial.cli.endings import Terminated, hear_of_every_end, raise_when_told_to_end
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        try:
            raise_when_told_to_end()
            hear_of_every_end()
            from fairtrial.cli.app import main as commands

            commands()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except Terminated as end:
            sys.exit(end.status)
    finally:
        _leave_as_decided()


def _leave_as_decided() -> None:
    """From here on the exit status stands: a signal that comes while Python clears up would put its own in its place."""
    import signal  # not before it is needed: until this module runs, Ctrl-C shows a traceback of Python's own

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
    # Python ends by SIGINT after all if Ctrl-C came while a string was evaluated, as dataclasses do when they are
    # made, even if it was caught. It forgets that when another is.
    exec("")


if __name__ == "__main__":
    main()
