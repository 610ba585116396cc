"""A Ray cluster: a task for each attempt, data and weights through its object store. Only this module knows Ray.

Tasks, because Ray then does what it is there for: it finds them a place, keeps the processes they run in warm,
and says at once when a node is gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fairtrial.data import catalog
from fairtrial.errors import ExecutorError
from fairtrial.executors.addresses import Pulse, check_answers
from fairtrial.executors.attempt import Ended, Images, Job, Need, attempt
from fairtrial.executors.cluster import Gone, News, Node, Share
from fairtrial.executors.mailbox import Mailbox, Told
from fairtrial.executors.own_files import OwnFiles, packed
from fairtrial.images import cache
from fairtrial.images.facts import DatasetFacts
from fairtrial.pair import machine_called

_LISTEN_SECONDS = 30.0
_ENDING_SECONDS = 2.0

# By name: not every version of Ray has all of them.
_GONE_WITH_ITS_NODE = {
    "NodeDiedError",
    "LocalRayletDiedError",
    "ObjectLostError",
    "ObjectReconstructionFailedError",
    "TaskUnschedulableError",
}
_OUT_OF_MEMORY = "OutOfMemoryError"


def on_node(job: Job, number: int, mailbox: Any, *brought: Images | OwnFiles) -> Ended:
    """What runs as a Ray task."""
    node = str(_library().get_runtime_context().get_node_id())

    def tell(told: Told) -> None:
        mailbox.put.remote(number, told)

    tell(Told(node=node))
    return attempt(job, node=node, brought=brought, tell=tell)


class RayCluster:
    """The cluster at `address`: `ray` for the one that RAY_ADDRESS or a `ray start` on this machine names.

    Or `ray://HOST:PORT`. One that this program is connected to already is used, and left connected.
    """

    name = "ray"

    def __init__(self, address: str = name) -> None:
        self._ray, self._was_connected = _connected(address)
        context = self._ray.get_runtime_context()
        # From afar the head is behind the server that this program is connected to, which ends the connection itself.
        self._pulse = Pulse("" if self._ray.util.client.ray.is_connected() else str(context.gcs_address))
        self._gone = False
        self._nodes: tuple[Node, ...] = ()
        self._tasks: dict[int, Any] = {}
        self._sent: dict[Need, Any] = {}
        self._listening: Any = None
        self._task = self._ray.remote(on_node)
        # Beside whoever reads it, where it is lost with them alone; should it end by itself it starts again, and
        # nothing final passes through it.
        here = self._on(str(context.get_node_id()), soft=True)
        mailbox = self._ray.remote(Mailbox).options(
            num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here
        )
        self._mailbox = mailbox.remote()

    def nodes(self) -> tuple[Node, ...]:
        """Those that live."""
        if self._answers():
            self._nodes = tuple(_node(one) for one in self._ray.nodes() if one["Alive"])
        return self._nodes

    def begin(self, number: int, job: Job, needs: Sequence[Need], share: Share, node: Node | None) -> None:
        """Hand the job to Ray, which does not try again by itself: a lost attempt is its executor's to judge."""
        options: dict[str, Any] = {"num_cpus": share.cpus, "num_gpus": share.gpus, "max_retries": 0}
        if node is not None:
            options["scheduling_strategy"] = self._on(node.name, soft=False)
        brought = [self._brought(need) for need in needs]
        self._tasks[number] = self._task.options(**options).remote(job, number, self._mailbox, *brought)

    def cancel(self, number: int) -> None:
        """End the attempt at once, with the process it runs in."""
        self._ray.cancel(self._tasks.pop(number), force=True)

    def wait(self, seconds: float) -> News:
        """Raises ExecutorError when the cluster does not answer, or cannot run what it is sent."""
        if not self._answers(lately=True):
            time.sleep(seconds)  # the library would not come back
            return News()
        if self._listening is None:
            self._listening = self._mailbox.take.remote(_LISTEN_SECONDS)
        numbers = {task: number for number, task in self._tasks.items()}
        asked = [self._listening, *numbers]
        try:
            done, _ = self._ray.wait(asked, num_returns=1, timeout=seconds)
            if not done:
                return News()
            # What else is there already is taken in one go: asking costs more the more trials run.
            done, _ = self._ray.wait(asked, num_returns=len(asked), timeout=0)
            told = self._heard() if self._listening in done else []
            ended = {numbers[task]: self._came_of(task) for task in done if task in numbers}
        except self._ray.exceptions.RayTaskError as error:
            raise ExecutorError(
                f"no trial can run on the cluster: {_lines(error)[-1]}. Its nodes need this version of fairtrial and "
                "what it depends on."
            ) from error
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise _no_answer(error) from error
        for number in ended:
            del self._tasks[number]
        return News(told=told, ended=ended)

    def close(self) -> None:
        """End what is running. The cluster lives on."""
        if self._gone or not self._ray.is_initialized():
            return
        ending = [*self._tasks.values(), *([] if self._listening is None else [self._listening])]
        with contextlib.suppress(self._ray.exceptions.RayError, ConnectionError):  # it may be gone itself
            for number in list(self._tasks):
                self.cancel(number)
            # What does not end before the connection does complains of it into the terminal.
            self._mailbox.put.remote(0, Told())
            if ending:
                self._ray.wait(ending, num_returns=len(ending), timeout=_ENDING_SECONDS)
            if self._was_connected:
                self._ray.kill(self._mailbox)
        if not self._was_connected:
            self._ray.shutdown()  # which ends the mailbox, too

    def _answers(self, *, lately: bool = False) -> bool:
        try:
            return self._pulse.beats(lately=lately)
        except ConnectionError as error:
            self._gone = True
            raise _no_answer(error) from error

    def _on(self, node: str, *, soft: bool) -> Any:
        """To be run on this node; `soft`: elsewhere if need be."""
        return self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=soft)

    def _brought(self, need: Need) -> Any:
        """A data set, or files of the user's own, in the object store, which brings them to each node that asks, once.

        Wherever they came from: nodes need no folder or file of this machine.
        """
        if need not in self._sent:
            try:
                self._sent[need] = self._ray.put(
                    _images(need) if isinstance(need, DatasetFacts) else packed(need)
                )
            except self._ray.exceptions.RayError as error:
                what = "the images" if isinstance(need, DatasetFacts) else "the files of an arm"
                raise ExecutorError(f"the cluster cannot take {what} ({_lines(error)[0]})") from error
        return self._sent[need]

    def _heard(self) -> list[tuple[int, Told]]:
        listened, self._listening = self._listening, None
        try:
            return self._ray.get(listened)
        except self._ray.exceptions.RayActorError:
            return []  # its node is gone; it starts elsewhere

    def _came_of(self, task: Any) -> Ended | Gone:
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError as error:
            kinds, said = {kind.__name__ for kind in type(error).__mro__}, _lines(error)[0]
            if _OUT_OF_MEMORY in kinds:
                return Gone(because="memory", said=said)
            return Gone(because="node" if kinds & _GONE_WITH_ITS_NODE else "process", said=said)


def _no_answer(error: Exception) -> ExecutorError:
    return ExecutorError(
        f"the cluster does not answer any more ({_lines(error)[0]}); what has finished is kept: the same command goes "
        "on once there is a cluster"
    )


def _images(dataset: DatasetFacts) -> Images:
    opened = catalog.load(dataset)
    return Images(
        fingerprint=dataset.fingerprint, arrays={name: getattr(opened, name) for name in cache.ARRAYS}
    )


def _node(listed: Mapping[str, Any]) -> Node:
    has = listed["Resources"]
    return Node(
        name=listed["NodeID"],
        machine=machine_called(listed["NodeManagerHostname"]),
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        memory=has.get("memory", 0.0),
    )


def _library() -> Any:
    """Ray, whose own types are of no help. Raises ExecutorError with the command that installs it."""
    # It reads this when it is imported. Each try takes most of a minute, and it would make twenty of them.
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.util.scheduling_strategies  # pyright: ignore[reportMissingImports, reportUnusedImport]
    except ModuleNotFoundError:
        raise ExecutorError("--executor ray needs Ray: pip install 'fairtrial[ray]'") from None
    return ray  # pyright: ignore[reportUnknownVariableType]


def _connected(address: str) -> tuple[Any, bool]:
    """Ray, connected to the cluster, and whether it was so before."""
    ray = _library()
    if ray.is_initialized():
        return ray, True
    here = address == RayCluster.name
    where = os.environ.get("RAY_ADDRESS") or "auto" if here else address
    try:
        check_answers(where)
        ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        which = "that RAY_ADDRESS or a `ray start` on this machine names" if here else f"at {address}"
        raise ExecutorError(
            f"there is no Ray cluster {which} ({_said(error)}); start one with `ray start --head`, or give its "
            "address: --executor ray://HOST:PORT"
        ) from error
    return ray, False


def _said(error: BaseException) -> str:
    """The line that says most: the first, unless it does no more than announce the others."""
    lines = _lines(error)
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def _lines(error: BaseException) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]
