"""Real nodes of a Ray cluster on this machine, each its own processes started by `ray start`; loopback only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Loopback as the nodes' address: Ray calls this "not a cluster" on systems where it does so by itself.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
OBJECT_STORE_BYTES = 150_000_000
WORKER = "fairtrial.engine.worker"


@dataclass(frozen=True, slots=True)
class RayNodes:
    """The first is the head. `address` is what RAY_ADDRESS has to be, `client` where the head serves from afar."""

    address: str
    client: str
    folder: Path
    nodes: list[subprocess.Popen[bytes]]

    def add(self) -> int:
        """One more node; its number."""
        self.nodes.append(start(self.folder, str(len(self.nodes)), "--address", self.address))
        return len(self.nodes) - 1

    def workers(self, node: int | None = None) -> list[psutil.Process]:
        """Processes that train, or wait to, on this node or on all."""
        some = self.nodes if node is None else [self.nodes[node]]
        return [one for process in some for one in descendants(process.pid) if WORKER in command(one)]

    def kill_workers(self) -> None:
        for worker in self.workers():
            worker.kill()

    def kill_node(self, node: int) -> None:
        """As a power cut does it: everything that the node is, at once."""
        for process in [psutil.Process(self.nodes[node].pid), *descendants(self.nodes[node].pid)]:
            send(process, signal.SIGKILL)


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@contextmanager
def ray_nodes(count: int) -> Generator[RayNodes]:
    """So many nodes of one CPU each, which end with the context and with nothing else's."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        port, client = free_ports(2)
        made = RayNodes(f"127.0.0.1:{port}", f"ray://127.0.0.1:{client}", Path(folder), [])
        try:
            head = ["--head", "--port", str(port), "--ray-client-server-port", str(client)]
            head += ["--include-dashboard=false", f"--temp-dir={folder}"]
            made.nodes.append(start(made.folder, "head", *head))
            for _ in range(count - 1):
                made.add()
            yield made
        finally:
            all_of_them = [one for process in made.nodes for one in descendants(process.pid)]
            for process in made.nodes:
                process.kill()
            for one in all_of_them:
                send(one, signal.SIGKILL)
            for process in made.nodes:
                process.wait()
            psutil.wait_procs(all_of_them, timeout=5)


def free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def start(folder: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
    """Returns as soon as the node says that it has started."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", *options, "--block"),
                *("--num-cpus", "1", "--node-ip-address", "127.0.0.1"),
                *("--object-store-memory", str(OBJECT_STORE_BYTES), "--disable-usage-stats"),
            ],
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    while "Ray runtime started" not in log.read_text(encoding="utf-8", errors="replace"):
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"ray start {' '.join(options)} ended:\n{log.read_text(errors='replace')}")
    return process
