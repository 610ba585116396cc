"""An attempt at an order on a node of a cluster: what is done there. It knows no cluster, only whom to tell.

The trial runs in the very worker that this machine's own executor starts, so that nothing of the cluster can
change a number. The worker stays warm for as long as the cluster keeps the process that called it.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import ExecutorError, OwnCodeError, StudyError
from fairtrial.executors.mailbox import Told
from fairtrial.executors.own_files import OwnFiles, at_home, own_sources, variables
from fairtrial.executors.pipes import Pipes
from fairtrial.executors.scratch import scratch
from fairtrial.executors.worker_process import COMMANDS, WORKER, WorkerProcess
from fairtrial.images import cache
from fairtrial.images.facts import DatasetFacts
from fairtrial.study.sources import Sources
from fairtrial.trial import Lost
from fairtrial.wire import Order, TimingOrder, encode_event, encode_order, is_last, kind_of

CHECKPOINT_SECONDS = 10.0
"""Checkpoints travel no more often than this: after a lost node so much is trained again."""

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A data set on its way to a node."""

    fingerprint: str
    arrays: Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An order as a line, for a node. `checkpoint` is what an earlier attempt left; empty for none.

    `gpu`: whether any is kept for it; without, it sees none. `variables`: what the environment holds where it comes
    from, of what its commands name.
    """

    key: str
    order: str
    gpu: bool = False
    checkpoint: bytes = b""
    module: str = WORKER
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


def job_for(order: Order | TimingOrder, *, module: str = WORKER, gpu: bool = False) -> Job:
    """The order, with what is left of an earlier attempt at it on this machine."""
    begun = _content(Path(order.checkpoint)) if isinstance(order, Order) and order.checkpoint else b""
    return Job(
        key=order.key,
        order=encode_order(order),
        gpu=gpu,
        checkpoint=begun,
        module=COMMANDS if order.is_command else module,
        variables=variables(order),
    )


Need = DatasetFacts | Sources
"""What an order needs that a node may not have."""


def needs(order: Order | TimingOrder) -> tuple[Need, ...]:
    """The data sets and the user's own files that it needs, each once."""
    trials = (order.trial,) if isinstance(order, Order) else (order.first, order.second)
    datasets = dict.fromkeys(trial.arm.settings.data.facts for trial in trials if trial.arm.has_data)
    return (*datasets, *own_sources(order))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an attempt came to: all its events as lines, the last one among them, and its final weights.

    `checkpoint` is what one without an outcome has left. `broken`: why no worker came up on that node; there are no
    lines then, unless somebody killed it while it started.
    """

    node: str
    lines: tuple[str, ...]
    weights: bytes = b""
    checkpoint: bytes = b""
    broken: str = ""


@dataclass(slots=True, kw_only=True)
class _Checkpoint:
    """The worker's checkpoint on this node, sent home when it has changed."""

    path: Path
    tell: Callable[[Told], None]
    seen: int = 0
    sent: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        if time.monotonic() - self.sent < CHECKPOINT_SECONDS or not self.path.exists():
            return
        changed = self.path.stat().st_mtime_ns
        if changed != self.seen:
            self.tell(Told(checkpoint=self.path.read_bytes()))
            self.seen, self.sent = changed, time.monotonic()


_warm: dict[str, WorkerProcess] = {}
"""The worker of this process, by the module it runs; it trains one trial after the other."""

_heard: Pipes[WorkerProcess] = Pipes()
"""What they say; heard from their start to their end."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"
"""What the cluster says of its GPUs to the process that it calls, anew for each attempt."""

_sees: dict[str, dict[str, str]] = {}
"""What of its environment was ours to say when the worker was started."""


def attempt(
    job: Job, *, node: str, brought: Sequence[Images | OwnFiles], tell: Callable[[Told], None]
) -> Ended:
    """Carry the order out on a warm worker of this node; its events are told as they come, all but the last."""
    for one in brought:
        if isinstance(one, Images) and cache.read(one.fingerprint) is None:
            cache.write(one.fingerprint, one.arrays)
    with tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True) as folder:
        weights, kept = Path(folder) / "weights", Path(folder) / "checkpoint"
        if job.checkpoint:
            kept.write_bytes(job.checkpoint)
        try:
            order = _placed(job.order, brought, Path(folder), weights=weights, checkpoint=kept)
        except (OwnCodeError, StudyError, OSError) as error:
            lost = Lost(key=job.key, state="failed", reason=str(error), retry=isinstance(error, OSError))
            return Ended(node=node, lines=(encode_event(lost),))
        try:
            worker = _worker(job.module, _environment(job))
        except ExecutorError as error:
            return Ended(node=node, lines=(), broken=str(error))
        worker.send(order)
        lines: list[str] = []
        try:
            _follow(worker, lines, _Checkpoint(path=kept, tell=tell), tell)
        except BaseException:
            _forget(job.module)
            raise
        if not lines or not is_last(lines[-1]):
            death = worker.death()
            _forget(job.module)
            broken = "" if worker.ready else f"no worker can start: {death.reason}. {worker.try_by_hand()}"
            if broken and not death.killed:
                return Ended(node=node, lines=(), broken=broken)
            lost = Lost(
                key=job.key,
                state="failed",
                reason=death.reason,
                retry=death.retry,
                memory=death.memory and not death.killed,
            )
            lines.append(encode_event(lost))
            if broken:
                return Ended(node=node, lines=tuple(lines), broken=broken)
        left = _content(kept) if kind_of(lines[-1]) == Lost.__name__ else b""
        return Ended(node=node, lines=tuple(lines), weights=_content(weights), checkpoint=left)


def _follow(worker: WorkerProcess, lines: list[str], kept: _Checkpoint, tell: Callable[[Told], None]) -> None:
    """Add to `lines` what the worker says, until the order has ended or the worker has."""
    while True:
        for said_by, piece in _heard.wait(_LOOK_SECONDS):
            if said_by is not worker:
                continue
            received = worker.take(piece)
            if received is None:
                return
            for line in received:
                lines.append(line)
                if is_last(line):
                    return
                tell(Told(place=len(lines) - 1, line=line))
        kept.look()


def _content(path: Path) -> bytes:
    """What is in a file; nothing where there is none, or none that can be read."""
    try:
        # A pipe or a device of that name would keep us waiting.
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _placed(order: str, brought: Sequence[Images | OwnFiles], folder: Path, **places: Path) -> str:
    """The order with this node's paths in place of those of the machine that it comes from."""
    sent: dict[str, Any] = json.loads(order)
    sent |= {name: str(path) for name, path in places.items() if sent.get(name)}
    files = {one.digest: one for one in brought if isinstance(one, OwnFiles)}
    if "first" in sent:
        sent |= {side: at_home(sent[side], files, folder / side) for side in ("first", "second")}
    else:
        sent = at_home(sent, files, folder)
    return json.dumps(sent)


def _environment(job: Job) -> dict[str, str]:
    """What the worker is told beside what this node's own environment says, which goes before what was brought along."""
    brought = {name: value for name, value in job.variables.items() if name not in os.environ}
    return {**brought, _VISIBLE: os.environ.get(_VISIBLE, "") if job.gpu else ""}


def _worker(module: str, environment: dict[str, str]) -> WorkerProcess:
    if module in _warm and not (_warm[module].alive() and _sees[module] == environment):
        _forget(module)
    if module not in _warm:
        folder = scratch() if module == COMMANDS else None
        _warm[module] = WorkerProcess(module=module, scratch=folder, environment=environment)
        _heard.add(_warm[module].output, _warm[module])
        _sees[module] = environment
    return _warm[module]


def _forget(module: str) -> None:
    worker = _warm.pop(module)
    _heard.remove(worker.output)
    worker.discard(gently=module == COMMANDS)  # which ends what it runs first
