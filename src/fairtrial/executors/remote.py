"""Trials on a cluster, whichever it is: who runs where, what is heard of them, what is done about losses."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from fairtrial.errors import ExecutorError, OwnCodeError
from fairtrial.executors.attempt import Ended, job_for, needs
from fairtrial.executors.cluster import Cluster, Gone, Node, Share, check_room, clock, larger, room
from fairtrial.executors.local import IDLE_SECONDS
from fairtrial.executors.mailbox import Told
from fairtrial.executors.own_files import own_sources
from fairtrial.executors.worker_process import KILLED_STARTING, WORKER
from fairtrial.pair import PairTimes
from fairtrial.trial import Event, Idle, Lost, Outcome, Ready, Started, Unsaved
from fairtrial.whole_files import whole_file
from fairtrial.wire import Order, TimingOrder, decode_event

_NOT_SENT = (
    " (only the files that the study knows of go to a cluster's nodes: name it in the command or under `files:`, or put it "
    "where every node has it)"
)

_LOOK_SECONDS = 2.0
"""Nodes come and go: looked for this often."""


@dataclass(slots=True, kw_only=True)
class _Running:
    order: Order | TimingOrder
    node: str = ""
    told: int = 0
    takes: int = 1
    """How many trials it leaves no room for, itself among them."""
    alone: bool = False
    """Whether it has a node to itself, after it ran out of memory on a slice of one."""
    unsaved: set[str] = field(default_factory=set[str])
    """Files of its that could not be written here: said once."""


class ClusterExecutor:
    """Runs as many trials at once as the cluster has room for, or `workers`."""

    def __init__(
        self, cluster: Cluster, *, share: Share, workers: int | None = None, module: str = WORKER
    ) -> None:
        self._cluster, self._share = cluster, share
        self._limit, self._module = workers, module
        self._running: dict[int, _Running] = {}
        self._ready: deque[Event] = deque()
        self._begun = self._taken = 0
        self._nodes: tuple[Node, ...] = ()
        self._looked = 0.0
        self._killed_starting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def workers(self) -> int:
        return self._limit or room(self._look(), self._share)

    @property
    def free(self) -> int:
        """How many trials could be started now. Raises ExecutorError if there is no node left for any."""
        if not self._running and not self._limit:
            check_room(self._look(), self._share)
        return max(0, self.workers - self._taken)

    def start(self, order: Order | TimingOrder) -> None:
        """Begin a trial, or a pair to time, on a node that has room. Raises ExecutorError if none has.

        Both arms of a pair run in one process, and all pairs of two arms on one machine.
        """
        if self.free < 1:
            raise ExecutorError(
                f"all {self.workers} places of the cluster are busy; wait for an event before starting more"
            )
        running = _Running(order=order)
        self._ready.append(Started(key=order.key, worker=self._begun + 1))
        node = None
        if isinstance(order, TimingOrder):
            try:
                node = clock(self._look(), self._share, machine=order.machine)
            except ExecutorError as nowhere:
                self._ready.append(Lost(key=order.key, state="failed", reason=str(nowhere), retry=False))
                return
        try:
            self._begin(running, self._share, node)
        except OwnCodeError as changed:
            self._ready.append(Lost(key=order.key, state="failed", reason=str(changed), retry=False))

    def stop(self, key: str) -> None:
        """Give up on a running trial. A trial that is not running is left alone."""
        for number, running in list(self._running.items()):
            if running.order.key == key:
                self._let_go(number)
                self._cluster.cancel(number)
                self._ready.append(
                    Lost(key=key, state="stopped", reason="stopped before its end", retry=True)
                )

    def events(self) -> Iterator[Event]:
        """What happens, as it happens, until nothing is running any more.

        Yields Idle when nothing has happened for half a second. Raises ExecutorError when the cluster is gone, or
        when no trial can run on it.
        """
        while True:
            while self._ready:
                yield self._ready.popleft()
            if not self._running:
                return
            news = self._cluster.wait(IDLE_SECONDS)
            for number, told in news.told:
                if number in self._running:
                    self._hear(self._running[number], told)
            for number, ended in news.ended.items():
                if number in self._running:
                    self._end(self._let_go(number), ended)
            if not (news.told or news.ended):
                yield Idle()

    def close(self) -> None:
        """End what is running; it can be resumed from its checkpoint. The cluster lives on."""
        self._cluster.close()

    def _begin(self, running: _Running, share: Share, node: Node | None) -> None:
        self._begun += 1
        job = job_for(running.order, module=self._module, gpu=share.gpus > 0)
        self._cluster.begin(self._begun, job, needs(running.order), share, node)
        self._running[self._begun] = running
        self._taken += running.takes

    def _let_go(self, number: int) -> _Running:
        running = self._running.pop(number)
        self._taken -= running.takes
        return running

    def _hear(self, running: _Running, told: Told) -> None:
        running.node = told.node or running.node
        if told.checkpoint:
            self._save(running, "checkpoint", told.checkpoint)
        # After one that was lost on its way nothing is taken: all of them come with the last, in their order.
        if told.line and told.place == running.told:
            self._ready.append(self._event(running, told.line))
            running.told += 1

    def _end(self, running: _Running, ended: Ended | Gone) -> None:
        if isinstance(ended, Gone):
            self._lost(running, ended)
            return
        if ended.broken and (not ended.lines or self._killed_starting >= KILLED_STARTING):
            raise ExecutorError(f"on node {ended.node[:12]} {ended.broken}")
        self._killed_starting = self._killed_starting + 1 if ended.broken else 0
        running.node = ended.node
        if ended.checkpoint:
            self._save(running, "checkpoint", ended.checkpoint)
        for line in ended.lines[running.told :]:
            event = self._event(running, line)
            if isinstance(event, Outcome | PairTimes):
                where = {"executor": self._cluster.name, "node": ended.node[:12]}
                event = replace(event, provenance={**event.provenance, **where})
            if ended.weights and isinstance(event, Outcome):
                self._save(running, "weights", ended.weights)
            if isinstance(event, Lost) and event.memory:
                self._out_of_memory(running, event)
                continue
            if isinstance(event, Lost) and "No such file" in event.reason and own_sources(running.order):
                event = replace(event, reason=event.reason + _NOT_SENT)
            self._ready.append(event)

    def _event(self, running: _Running, line: str) -> Event:
        event = decode_event(line)
        if not isinstance(event, PairTimes | Idle | Ready) and event.key != running.order.key:
            raise ExecutorError(f"a worker told of trial {event.key[:12]!r}, which it was not given")
        return event

    def _save(self, running: _Running, what: Literal["weights", "checkpoint"], content: bytes) -> None:
        """Write a file that came from a node; where that fails say so once, as a worker of this machine does."""
        order = running.order
        if not isinstance(order, Order) or what in running.unsaved:
            return
        path = Path(order.weights if what == "weights" else order.checkpoint)
        try:
            with whole_file(path, lasting=what == "weights") as part:
                part.write_bytes(content)
        except OSError as fault:
            running.unsaved.add(what)
            self._ready.append(Unsaved(key=order.key, what=what, reason=str(fault)))

    def _lost(self, running: _Running, gone: Gone) -> None:
        """Where the node went nobody is to blame: the attempt does not count, the trial runs again elsewhere.

        A process that ended by itself has failed, as a worker of this machine that is killed has.
        """
        key, timed = running.order.key, isinstance(running.order, TimingOrder)
        left = {node.name for node in self._look(now=True)}
        if gone.because == "memory":
            why = f"out of memory: its node had none left ({gone.said})"
            self._out_of_memory(running, Lost(key=key, state="failed", reason=why, memory=True))
        elif gone.because == "node" or (running.node and running.node not in left):
            node = f"node {running.node[:12]}" if running.node else "its node"
            why = f"{node} was lost; it runs again elsewhere"
            # A pair that is stopped has run into the end of its budget: one whose node went has not.
            self._ready.append(Lost(key=key, state="failed" if timed else "stopped", reason=why))
        else:
            why = f"its process on the cluster ended: {gone.said}"
            self._ready.append(Lost(key=key, state="failed", reason=why))

    def _out_of_memory(self, running: _Running, lost: Lost) -> None:
        """Once more, alone on the node with most memory, if that is more than it had; else that was it."""
        nodes = self._look(now=True)
        here = next((one for one in nodes if one.name == running.node), None)
        most = larger(nodes, self._share, than=here)
        trial = isinstance(running.order, Order)
        if trial and most is not None and not running.alone:
            whole = Share(cpus=most.cpus, gpus=self._share.gpus)
            again = _Running(order=running.order, takes=most.room(self._share), alone=True)
            self._begin(again, whole, most)
            return
        tried = "; a second time, with a node to itself, as well" if running.alone else ""
        self._ready.append(replace(lost, retry=False, reason=lost.reason + tried))

    def _look(self, *, now: bool = False) -> tuple[Node, ...]:
        """The nodes there are, asked for now or a moment ago."""
        if now or not self._nodes or time.monotonic() - self._looked > _LOOK_SECONDS:
            self._nodes, self._looked = self._cluster.nodes(), time.monotonic()
        return self._nodes
