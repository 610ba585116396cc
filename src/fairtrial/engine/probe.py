"""Build a network of the user's own once, in a process of its own, and say in one line of JSON what came of it.

Started by `executors.probing` as `python -P -m fairtrial.engine.probe`, with the order of a trial on standard input.
"""

from __future__ import annotations

import json
import os
import sys

from fairtrial.errors import FairtrialError


def main() -> None:
    os.environ["FAIRTRIAL_WORKER"] = "1"
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from fairtrial.engine.network import build
    from fairtrial.wire import TimingOrder, decode_order

    order = decode_order(sys.stdin.readline())
    assert not isinstance(order, TimingOrder)
    try:
        found = build(order.trial.arm, seed=order.trial.number).described()
    except FairtrialError as error:
        found = {"mistake": str(error)}
    except (MemoryError, RuntimeError) as error:
        found = {"mistake": f"{type(error).__name__}: {error}"}
    said.write(json.dumps(found) + "\n")
    said.flush()


if __name__ == "__main__":
    main()
