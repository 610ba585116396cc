"""A cluster that runs nothing: what it is asked for is noted, and what happens on it is said by the test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fairtrial.executors.attempt import Ended, Job, Need
from fairtrial.executors.cluster import Gone, News, Node, Share
from fairtrial.executors.mailbox import Told

Answer = Callable[["Begun"], "News | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt as the executor handed it over."""

    number: int
    job: Job
    needs: tuple[Need, ...]
    share: Share
    node: Node | None


def node(name: str, *, machine: str = "", cpus: float = 1, gpus: float = 0, memory: float = 8e9) -> Node:
    return Node(name=name, machine=machine or f"machine of {name}", cpus=cpus, gpus=gpus, memory=memory)


@dataclass(slots=True, kw_only=True)
class FakeCluster:
    """News that the test has put into `coming` arrive one after the other; then each attempt has its `answer`."""

    there: list[Node] = field(default_factory=lambda: [node("a"), node("b")])
    answer: Answer = lambda begun: None
    name: str = "fake"
    begun: list[Begun] = field(default_factory=list[Begun])
    cancelled: list[int] = field(default_factory=list[int])
    coming: deque[News] = field(default_factory=deque[News])
    _unanswered: deque[Begun] = field(default_factory=deque[Begun])

    def nodes(self) -> tuple[Node, ...]:
        return tuple(self.there)

    def begin(self, number: int, job: Job, needs: Sequence[Need], share: Share, node: Node | None) -> None:
        self.begun.append(Begun(number=number, job=job, needs=tuple(needs), share=share, node=node))
        self._unanswered.append(self.begun[-1])

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def wait(self, seconds: float) -> News:
        if self.coming:
            return self.coming.popleft()
        while self._unanswered:
            if (news := self.answer(self._unanswered.popleft())) is not None:
                return news
        return News()

    def close(self) -> None:
        pass


def ended(number: int, *lines: str, on: str = "a", weights: bytes = b"", broken: str = "") -> News:
    return News(ended={number: Ended(node=on, lines=lines, weights=weights, broken=broken)})


def gone(number: int, because: str, said: str = "said by the cluster") -> News:
    return News(ended={number: Gone(because=because, said=said)})  # pyright: ignore[reportArgumentType]


def told(number: int, **message: object) -> News:
    return News(told=[(number, Told(**message))])  # pyright: ignore[reportArgumentType]
