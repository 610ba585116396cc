"""A worker: takes trials as lines on standard input, trains them one by one, tells on standard output.

Pairs of arms to be timed come and go the same way.

Started by an executor as `python -m fairtrial.engine.worker --parent PID [--core N]`; it is warm
(torch and the data are loaded once), pinned, single-threaded, and dies with its parent.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from fairtrial import scarcity
from fairtrial.engine import process
from fairtrial.errors import DataTooLargeError, OwnCodeError

if TYPE_CHECKING:
    from fairtrial.data.catalog import Dataset
    from fairtrial.engine.checkpoint import Checkpoint
    from fairtrial.images.facts import DatasetFacts
    from fairtrial.trial import Event, Lost, Trial
    from fairtrial.wire import Order, TimingOrder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fairtrial.engine.worker")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--core", type=int)
    asked = parser.parse_args()
    os.environ["FAIRTRIAL_WORKER"] = (
        "1"  # a script that is imported here for its network must not run its study
    )
    # Ctrl-C reaches the whole terminal group; the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.die_with_parent(asked.parent)
    process.keep_freed_memory()
    process.pin(asked.core)
    process.bound_memory()
    # What a library prints must not end up among the events.
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin, events)


def serve(orders: TextIO, events: TextIO) -> None:
    """Train what `orders` holds, line by line, until it ends."""
    waiting: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in orders:
            waiting.put(line)
        os._exit(0)  # the parent closed the pipe or is gone: no training is worth going on for

    threading.Thread(target=listen, daemon=True).start()

    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)

    import fairtrial.engine.train  # noqa: F401  a worker that says it is ready has room for what it trains with
    from fairtrial.data.catalog import load
    from fairtrial.engine import device
    from fairtrial.engine.provenance import provenance
    from fairtrial.errors import DataError
    from fairtrial.trial import Lost, Ready
    from fairtrial.wire import TimingOrder, decode_order, encode_event

    device.prepare()
    facts = provenance()

    def tell(event: Event) -> None:
        events.write(encode_event(event) + "\n")
        events.flush()

    # Opening a data set checks every byte of it: once for a worker, not once for a trial.
    opened = cache(load)
    tell(Ready())
    while True:
        order = decode_order(waiting.get())
        try:
            if isinstance(order, TimingOrder):
                _time(order, opened, facts, tell)
            else:
                _train(order, opened(order.trial.arm.settings.data.facts), facts, tell)
        except DataError as error:
            # Images that are gone, or others by now: no trial of these settings is trained on anything else.
            hint = scarcity.too_little_memory() if isinstance(error, DataTooLargeError) else ""
            tell(Lost(key=order.key, state="failed", reason=f"{error}{hint}", retry=False))


def _train(order: Order, data: Dataset, facts: dict[str, str], tell: Callable[[Event], None]) -> None:
    from fairtrial.engine import checkpoint, saved_weights
    from fairtrial.engine.train import Trained, train
    from fairtrial.trial import EpochRecord, Lost, Progress

    trial = order.trial
    kept = Path(order.checkpoint) if order.checkpoint else None
    resume = checkpoint.load(kept, key=trial.key) if kept else None
    if resume is not None:
        facts = {**facts, "resumed_after_epoch": str(len(resume.history))}
        for record in resume.history if order.retell else ():
            tell(Progress(key=trial.key, record=record, epochs=trial.arm.settings.epochs))
    try:
        for step in train(trial, data, provenance=facts, resume=resume):
            match step:
                case EpochRecord():
                    tell(Progress(key=trial.key, record=step, epochs=trial.arm.settings.epochs))
                    failed = next((one for one in order.hurdles if one.fails(step)), None)
                    if failed and step.epoch < trial.arm.settings.epochs:
                        tell(Lost(key=trial.key, state="stopped", reason=str(failed), retry=False))
                        return
                case checkpoint.Checkpoint():
                    if kept and _worth_keeping(step, trial.arm.settings.epochs):
                        kept = _kept(
                            trial.key, "checkpoint", partial(checkpoint.save, step, kept), kept, tell
                        )
                case Trained():
                    if order.weights and step.weights:
                        path = Path(order.weights)
                        save = partial(saved_weights.save, step, path)
                        _kept(trial.key, "weights", save, path, tell)
                    tell(step.outcome)
    except OwnCodeError as fault:
        tell(Lost(key=trial.key, state="failed", reason=str(fault), retry=False))
    except (MemoryError, RuntimeError, OSError) as fault:
        tell(_lost(trial.key, fault, trial))
        traceback.print_exc()


def _kept(
    key: str,
    what: Literal["weights", "checkpoint"],
    save: Callable[[], None],
    path: Path,
    tell: Callable[[Event], None],
) -> Path | None:
    """Save a file beside the store; where that fails say so once and go on without: a training is worth more."""
    from fairtrial.trial import Unsaved

    try:
        save()
    except OSError as fault:
        tell(Unsaved(key=key, what=what, reason=str(fault)))
        return None
    return path


def _time(
    order: TimingOrder,
    data: Callable[[DatasetFacts], Dataset],
    facts: dict[str, str],
    tell: Callable[[Event], None],
) -> None:
    from fairtrial.engine.timing import time_pair

    larger = max(order.first, order.second, key=lambda trial: trial.arm.settings.batch_size)
    try:
        tell(time_pair(order, data, provenance=facts))
    except OwnCodeError as fault:
        tell(Lost(key=order.key, state="failed", reason=str(fault), retry=False))
    except (MemoryError, RuntimeError, OSError) as fault:
        tell(_lost(order.key, fault, larger))
        traceback.print_exc()


def _lost(key: str, fault: BaseException, trial: Trial) -> Lost:
    from fairtrial.trial import Lost

    memory = is_memory(fault)
    return Lost(key=key, state="failed", reason=explain(fault, trial), retry=not memory, memory=memory)


def _worth_keeping(state: Checkpoint, epochs: int) -> bool:
    """Checkpoints are for trials longer than a minute; the first epochs tell how long it will be."""
    per_epoch = sum(state.seconds.values()) / len(state.history)
    return per_epoch * epochs > 60


def is_memory(fault: BaseException) -> bool:
    text = str(fault)
    return isinstance(fault, MemoryError) or "not enough memory" in text or "can't allocate memory" in text


def explain(fault: BaseException, trial: Trial) -> str:
    """Why the attempt failed, in words; for memory, what was asked for and what there is."""
    if not is_memory(fault):
        return f"{type(fault).__name__}: {fault}"
    batch = min(trial.arm.settings.batch_size, trial.arm.settings.data.train_count)
    return (
        f"out of memory: a training step on {batch} images through this network needs more than "
        f"{process.memory_in_words()}; choose a smaller batch_size (given: {trial.arm.settings.batch_size}) or a "
        "smaller network"
    )


if __name__ == "__main__":
    main()
