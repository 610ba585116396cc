"""A cluster as an executor reckons with it: its nodes, what each has room for, and what it must be able to do."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fairtrial.errors import ExecutorError
from fairtrial.executors.attempt import Ended, Job, Need
from fairtrial.executors.mailbox import Told
from fairtrial.pair import machine_called

LARGER = 1.25
"""A slice of memory is larger than another if it is by so much: anything less is not worth another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a trial asks of its node."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        """
        >>> str(Share(cpus=1, gpus=0.25))
        '1 CPU and 0.25 GPUs'
        """
        gpus = f" and {_of(self.gpus, 'GPU')}" if self.gpus else ""
        return f"{_of(self.cpus, 'CPU')}{gpus}"


def _of(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine of the cluster, or a part of one. `machine` is its short name in every pair and outcome."""

    name: str
    machine: str
    cpus: float
    gpus: float
    memory: float

    def room(self, share: Share) -> int:
        """How many trials fit on it at once.

        >>> Node(name="a", machine="m", cpus=8, gpus=1, memory=32e9).room(Share(cpus=1, gpus=0.25))
        4
        """
        by_gpus = int(self.gpus / share.gpus + 1e-9) if share.gpus else None
        by_cpus = int(self.cpus / share.cpus + 1e-9)
        return by_cpus if by_gpus is None else min(by_cpus, by_gpus)

    def slice(self, share: Share) -> float:
        """The memory that goes with a trial's share of it: an equal part for each that fits."""
        return self.memory / max(1, self.room(share))


def room(nodes: Sequence[Node], share: Share) -> int:
    return sum(node.room(share) for node in nodes)


def larger(nodes: Sequence[Node], share: Share, *, than: Node | None) -> Node | None:
    """The node that has most memory for a single trial, if that is notably more than its slice of node `than` was.

    Of a node that is not known any more the slice may have been the largest there is.
    """
    able = [node for node in nodes if node.room(share)]
    if not able:
        return None
    most = max(able, key=lambda node: (node.memory, node.name))
    had = than.slice(share) if than is not None else max(node.slice(share) for node in able)
    return most if most.memory >= LARGER * had else None


def clock(nodes: Sequence[Node], share: Share, *, machine: str) -> Node:
    """Where to time a pair: where its earlier ones were, on `machine`; if there are none on this one, else on the first.

    Raises ExecutorError if the machine of the earlier ones is not there.
    """
    able = [node for node in nodes if node.room(share)]
    wanted = machine or machine_called(socket.gethostname())
    there = [node for node in able if node.machine == wanted]
    if machine and not there:
        raise ExecutorError(
            f"its earlier pairs were timed on machine {machine}, which the cluster does not have: times of two "
            "machines are never mixed"
        )
    return min(there or able, key=lambda node: (node.machine, node.name))


def check_room(nodes: Sequence[Node], share: Share) -> None:
    """Raises ExecutorError if not a single trial has a place."""
    if not room(nodes, share):
        kinds = Counter(f"{_of(node.cpus, 'CPU')} and {_of(node.gpus, 'GPU')}" for node in nodes)
        has = ", ".join(f"{count} with {kind}" for kind, count in kinds.most_common(5)) or "no node"
        raise ExecutorError(
            f"the cluster has no node with the {share} that a trial is to have; it has {has}. Ask for less with "
            "--cpus-per-trial and --gpus-per-trial, or say with -j how many trials it will have room for once it has grown"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An attempt whose process is gone: with its node, for want of memory there, or by itself."""

    because: Literal["node", "memory", "process"]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has happened since it was last asked for: by attempt, what it told, and what came of those that ended."""

    told: Sequence[tuple[int, Told]] = ()
    ended: Mapping[int, Ended | Gone] = field(default_factory=dict[int, "Ended | Gone"])


class Cluster(Protocol):
    """Where attempts run, each under a number that its executor gave it.

    `begin` hands a job over together with its images and files, to `node` or wherever there is room; it raises
    OwnCodeError for files that have changed. `wait` returns as soon as there is news, or after so many seconds without.
    Each raises ExecutorError when the cluster does not answer.
    """

    @property
    def name(self) -> str: ...

    def nodes(self) -> tuple[Node, ...]: ...

    def begin(
        self, number: int, job: Job, needs: Sequence[Need], share: Share, node: Node | None
    ) -> None: ...

    def cancel(self, number: int) -> None: ...

    def wait(self, seconds: float) -> News: ...

    def close(self) -> None: ...
