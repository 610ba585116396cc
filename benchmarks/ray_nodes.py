"""Real nodes of a Ray cluster on this machine, each with processes of its own; on loopback and nowhere else.

They are started by a process apart (this module, run), so that nothing of Ray is in the one that asks for them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

HOST = "127.0.0.1"
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Drivers take loopback for their own address, too: what Ray does by itself where it supports no real cluster.
    # `ray start` wants it otherwise.
    LOOPBACK: "0",
    # Trials are as important as whatever else runs here; Ray would have them wait for it.
    "RAY_worker_niceness": "0",
}
QUICK = {
    # A node that was killed is missed after two seconds; Ray's own patience is four times as long and more.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
}
OBJECT_STORE_BYTES = 1_000_000_000
"""Taken as it is used. What a killed driver has sent stays on its nodes, and Ray begins no task whose images have no room
beside it."""
WORKER = "fairtrial.engine.worker"
ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class RayNodes:
    """The first is the head. `address` is what RAY_ADDRESS has to be, `client` where the head serves from afar.

    `nodes` are process ids, of what Ray calls a raylet or of what started it: all that a node runs descends from its own.
    """

    start: Callable[[str], tuple[int, str]]
    """One more node, of the cluster at an address or of a new one: its process id and the cluster's address."""
    client: str = ""
    address: str = ""
    nodes: list[int] = field(default_factory=list[int])

    def add(self) -> int:
        """One more node; its number."""
        node, self.address = self.start(self.address)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def at_least(self, count: int) -> None:
        """Add what is missing of so many that live."""
        while len([one for one in self.nodes if lives(one)]) < count:
            self.add()

    def workers(self, node: int) -> list[psutil.Process]:
        """The processes on it that train, or wait to."""
        return [one for one in descendants(self.nodes[node]) if WORKER in command(one)]

    def busy(self, node: int) -> bool:
        """Whether a worker on it is computing."""
        return any(status(one) == psutil.STATUS_RUNNING for one in self.workers(node))

    def kill_workers(self) -> None:
        """Those that train, or wait to, on every node; returns when none of them is left."""
        workers = [worker for node in range(len(self.nodes)) for worker in self.workers(node)]
        for worker in workers:
            send(worker, signal.SIGKILL)
        while any(worker.is_running() and status(worker) != psutil.STATUS_ZOMBIE for worker in workers):
            time.sleep(0.01)

    def kill_node(self, node: int) -> None:
        """As a power cut does it: everything that the node is, at once."""
        for process in [psutil.Process(self.nodes[node]), *descendants(self.nodes[node])]:
            send(process, signal.SIGKILL)


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def lives(pid: int) -> bool:
    try:
        return status(psutil.Process(pid)) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@contextmanager
def ray_nodes(count: int, *, from_afar: bool = False) -> Generator[RayNodes]:
    """So many nodes of one CPU each, which end with the context and with nothing else's.

    `from_afar`: whether the head serves drivers that are no node of the cluster.
    """
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        client = free_port() if from_afar else 0
        starter = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ray_nodes", str(client), folder],
            env={**os.environ, **ENVIRONMENT, **QUICK, "PYTHONPATH": nodes_path()},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def start(_: str) -> tuple[int, str]:
            assert starter.stdin is not None and starter.stdout is not None
            starter.stdin.write("add\n")
            starter.stdin.flush()
            said = starter.stdout.readline().split()
            if not said:
                raise RuntimeError("Ray could not start a node; its messages are above")
            return int(said[0]), said[1]

        try:
            made = RayNodes(start, client=f"ray://{HOST}:{client}")
            for _ in range(count):
                made.add()
            yield made
        finally:
            end([starter])


@contextmanager
def started_nodes(count: int) -> Generator[RayNodes]:
    """The same by the command that a user starts nodes with, each by a `ray start` of its own.

    Slower to start; and Ray leaves a note of it for whoever looks for a cluster on this machine, until its own next one.
    """
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        processes: list[subprocess.Popen[str]] = []

        def start(address: str) -> tuple[int, str]:
            head = [
                "--head", f"--port={free_port()}", f"--temp-dir={folder}", f"--ray-client-server-port={free_port()}",
                "--include-dashboard=false",
            ]  # fmt: skip
            words = ["--include-log-monitor=false", "--min-worker-port=0", "--max-worker-port=0"]
            process = subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1",
                    f"--object-store-memory={OBJECT_STORE_BYTES}", f"--node-ip-address={HOST}",
                    *words, *([f"--address={address}"] if address else head),
                ],
                env={**os.environ, **ENVIRONMENT, LOOPBACK: "1", "PYTHONPATH": nodes_path()},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )  # fmt: skip
            processes.append(process)
            assert process.stdout is not None
            said: list[str] = []
            for line in process.stdout:
                said.append(line)
                if "Ray runtime started" in line:
                    # Nobody reads what else it says, which is little.
                    return process.pid, address or f"{HOST}:{head[1].partition('=')[2]}"
            raise RuntimeError(f"`ray start` ended with status {process.wait()}: {''.join(said)[-2000:]}")

        try:
            made = RayNodes(start)
            for _ in range(count):
                made.add()
            yield made
        finally:
            end(processes)


def nodes_path() -> str:
    """Where nodes find this package and these modules."""
    return os.pathsep.join(filter(None, (str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", ""))))


def end(starters: Sequence[subprocess.Popen[str]]) -> None:
    """What was started, with all that it has started, and nothing else."""
    started = [one for starter in starters for one in descendants(starter.pid)]
    for starter in starters:
        starter.kill()
    for one in started:
        send(one, signal.SIGKILL)
    for starter in starters:
        starter.communicate()
    psutil.wait_procs(started, timeout=5)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind((HOST, 0))
        return opened.getsockname()[1]


def serve(client: int, folder: str) -> None:
    """Starts a node for each line of standard input, the head first; prints its process id and the head's address."""
    from ray._private import utils  # pyright: ignore[reportMissingImports]
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    # Else whoever looks for a cluster on this machine would find this one, long after it has gone.
    utils.write_ray_address = lambda *_: None
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    cluster = Cluster()
    each: dict[str, Any] = {"num_cpus": 1, "node_ip_address": HOST, "object_store_memory": OBJECT_STORE_BYTES}
    head: dict[str, Any] = {
        "ray_client_server_port": client or None,
        "temp_dir": folder,
        # Processes that nobody here looks at, each of which takes seconds to start.
        "include_dashboard": False,
        "include_log_monitor": False,
        "no_monitor": True,
        "dashboard_agent_listen_port": None,  # any that is free
    }
    # Ends with its standard input, hence with whoever asked for it, however that ends; the nodes end with it.
    for _ in sys.stdin:
        node = cluster.add_node(**each, **head)
        head = {}
        print(node.all_processes["raylet"][0].process.pid, cluster.address, file=answers)
    for process in descendants(os.getpid()):
        send(process, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
