"""A worker for trials of commands: takes orders as lines on standard input, runs them one by one, tells on standard output.

Started by an executor as `python -P -m fairtrial.commands.worker --parent PID --scratch FOLDER [--core N]`. Torch is loaded
only where an arm of ours is to be timed against a command.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from fairtrial.commands.running import CommandFailed, Runner
from fairtrial.commands.timing import time_commands
from fairtrial.engine import process
from fairtrial.errors import FairtrialError
from fairtrial.trial import EpochRecord, Event, Lost, Progress, Ready
from fairtrial.wire import Order, TimingOrder, decode_order, encode_event


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fairtrial.commands.worker")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--core", type=int)
    asked = parser.parse_args()
    # Ctrl-C reaches the whole terminal group; the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cores = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset[int]()
    process.pin(asked.core)
    runner = Runner(scratch=asked.scratch, every_core=cores)

    def end(*_: object) -> None:
        runner.end()
        os._exit(143)

    signal.signal(signal.SIGTERM, end)
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    waiting: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            waiting.put(line)
        # The parent closed the pipe or is gone: what runs is not worth going on for. The main thread is told, which
        # alone may wait for what it has started.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()

    def tell(event: Event) -> None:
        events.write(encode_event(event) + "\n")
        events.flush()

    tell(Ready())
    while True:
        order = decode_order(_next(waiting))
        if isinstance(order, TimingOrder):
            _time(order, runner, tell)
        else:
            train(order, runner, tell)


def _next(waiting: queue.Queue[str]) -> str:
    while True:
        try:
            return waiting.get(timeout=1.0)  # a signal is not heard by a thread that waits without end
        except queue.Empty:
            continue


def train(order: Order, runner: Runner, tell: Callable[[Event], None]) -> None:
    """Run one trial and tell what comes of it."""
    trial, epochs = order.trial, order.trial.arm.settings.epochs
    stopped = ""

    def heard(record: EpochRecord) -> bool:
        nonlocal stopped
        tell(Progress(key=trial.key, record=record, epochs=max(epochs, record.epoch)))
        stopped = next((str(one) for one in order.hurdles if one.fails(record)), "")
        return not stopped

    try:
        outcome = runner.run(trial, needs=order.needs, on_record=heard)
    except CommandFailed as fault:
        tell(Lost(key=trial.key, state="failed", reason=str(fault)))
    except FairtrialError as fault:
        tell(Lost(key=trial.key, state="failed", reason=str(fault), retry=False))
    except OSError as fault:
        tell(Lost(key=trial.key, state="failed", reason=f"{type(fault).__name__}: {fault}"))
    else:
        if outcome is None:
            tell(Lost(key=trial.key, state="stopped", reason=stopped, retry=False))
        else:
            tell(outcome)


def _time(order: TimingOrder, runner: Runner, tell: Callable[[Event], None]) -> None:
    try:
        tell(time_commands(order, runner))
    except CommandFailed as fault:
        tell(Lost(key=order.key, state="failed", reason=str(fault)))
    except FairtrialError as fault:
        tell(Lost(key=order.key, state="failed", reason=str(fault), retry=False))
    except (MemoryError, RuntimeError, OSError) as fault:
        tell(Lost(key=order.key, state="failed", reason=f"{type(fault).__name__}: {fault}"))


if __name__ == "__main__":
    main()
