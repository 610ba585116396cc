"""Who is measured, and how each is run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT, surroundings

OURS = "fairtrial"
KERAS = "keras-tensorflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerProgram:
    """A peer: its title in tables, its module, the environment variables it needs, and where it runs."""

    title: str
    module: str
    needs_keras: bool
    variables: dict[str, str] = field(default_factory=dict[str, str])


PEERS = {
    KERAS: PeerProgram(
        title="tf.keras",
        module="benchmarks.peers.keras_peer",
        needs_keras=True,
        variables={"KERAS_BACKEND": "tensorflow"},
    ),
    "keras-jax": PeerProgram(
        title="Keras on JAX",
        module="benchmarks.peers.keras_peer",
        needs_keras=True,
        variables={"KERAS_BACKEND": "jax"},
    ),
    "pytorch": PeerProgram(title="PyTorch", module="benchmarks.peers.torch_peer", needs_keras=False),
}

TITLES = {OURS: "fairtrial", **{name: peer.title for name, peer in PEERS.items()}}


def in_turn(peers: Sequence[str]) -> tuple[str, ...]:
    """The contenders of one round, in their order: the first peer, we, the others."""
    first, *others = [name for name in PEERS if name in peers]
    return (first, OURS, *others)


def run_peer(peer: PeerProgram, python: Path, arguments: Sequence[str | Path]) -> dict[str, Any]:
    """What the peer's clocks said. Raises RuntimeError with its last words if it failed."""
    return last_line([python, "-m", peer.module, *arguments], **peer.variables)


def last_line(command: Sequence[str | Path], **variables: str) -> dict[str, Any]:
    """Run a program in a peer's surroundings and read its last line as JSON."""
    with tempfile.TemporaryDirectory() as home:  # Keras would read the user's own settings
        environment = surroundings(KERAS_HOME=home, **variables)
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise RuntimeError(f"{command[2]} ended with exit code {done.returncode}:\n{said}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def our_python() -> Path:
    return Path(sys.executable)
