"""`fairtrial` and `python -m fairtrial`."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command. Ctrl-C while the first modules are still being imported ends it without a traceback, too."""
    try:
        from fairtrial.cli.endings import Terminated, raise_when_told_to_end
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    try:
        raise_when_told_to_end()
        from fairtrial.cli.app import main as commands

        commands()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Terminated as end:
        sys.exit(end.status)


if __name__ == "__main__":
    main()
