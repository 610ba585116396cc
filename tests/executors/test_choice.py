"""Where trials are to run, said in words that are understood or refused."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from fake_cluster import FakeCluster, node

from fairtrial.errors import ExecutorError
from fairtrial.executors import addresses
from fairtrial.executors.addresses import check_answers
from fairtrial.executors.choice import Place
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.remote import ClusterExecutor


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(name="mars"), r"no executor 'mars'; there is local .*, ray .* and ray://HOST:PORT"),
        (Place(name="rays"), "no executor 'rays'"),
        (Place(gpus=0.25), "a core to itself: .* are for --executor ray"),
        (Place(cpus=1), "a core to itself"),
        (Place(name="ray", cpus=0), "more than no CPU"),
        (Place(name="ray", gpus=-1), "no GPU or more"),
        (Place(name="ray", workers=0), "-j must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(place: Place, said: str) -> None:
    """A misspelt cluster must not quietly become this machine."""
    with pytest.raises(ExecutorError, match=said):
        place.ready()


def test_without_the_clusters_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra that most never need."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExecutorError, match=r"pip install 'fairtrial\[ray\]'"):
        Place(name="ray").ready()


@pytest.fixture
def on_fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeCluster]:
    def make(*nodes: Any) -> FakeCluster:
        cluster = FakeCluster(there=list(nodes))
        monkeypatch.setattr("fairtrial.executors.on_ray.RayCluster", lambda address: cluster)
        return cluster

    return make


def test_a_cluster_without_room_for_a_trial_is_refused_unless_it_is_to_grow(
    on_fake: Callable[..., FakeCluster],
) -> None:
    """One that starts machines by itself has none before anybody asks."""
    on_fake(node("a", cpus=4))
    with pytest.raises(
        ExecutorError, match=r"no node with the 1 CPU and 1 GPU .* it has 1 with 4 CPUs and 0 GPUs"
    ):
        Place(name="ray", gpus=1).ready()
    with Place(name="ray://somewhere:10001", gpus=1, workers=3).ready() as executor:
        assert isinstance(executor, ClusterExecutor) and executor.free == 3


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://127.0.0.1:1", r"no Ray cluster at ray://127.0.0.1:1 \(nobody answers at 127.0.0.1:1: Connection refused\)"),
        ("ray://", r"ray:// is no address such as ray://head.example:10001"),
        ("ray://127.0.0.1:none", "is no address: Port could not be cast"),
        ("ray://127.0.0.1:99999", "is no address: Port out of range"),
        ("ray://127.0.0.1:10001/there", "is no address such as"),
        ("ray://" + "a" * 70 + ":1", "nobody answers at a"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_said_at_once(address: str, said: str) -> None:
    """The cluster's own library would try it for a quarter of an hour."""
    pytest.importorskip("ray")
    began = time.monotonic()
    with pytest.raises(ExecutorError, match=said):
        Place(name=address).ready()
    assert time.monotonic() - began < 20  # most of it for importing the library


def test_an_address_from_the_environment_is_looked_at_too_and_names_that_are_none_are_left_alone() -> None:
    """RAY_ADDRESS may still name the cluster of yesterday."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check_answers(f"127.0.0.1:{port}")
        check_answers(f"ray://localhost:{port}")
    with pytest.raises(ConnectionError, match=f"nobody answers at 127.0.0.1:{port}"):
        check_answers(f"127.0.0.1:{port}")
    for other in ("auto", "local", "other://somewhere:1"):
        check_answers(other)


def test_a_head_that_is_gone_is_waited_for_and_then_said_before_the_library_ends_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A head that is started anew comes back; one that does not must not take the last word with it."""
    clock = [1000.0]
    monkeypatch.setattr(addresses.time, "monotonic", lambda: clock[0])
    with socket.create_server(("127.0.0.1", 0)) as server:
        pulse = addresses.Pulse(f"127.0.0.1:{server.getsockname()[1]}")
        assert pulse.beats()
    assert pulse.beats(lately=True) and not pulse.beats()
    clock[0] += addresses.GONE_SECONDS - 1
    assert not pulse.beats(lately=True)
    with socket.create_server(("127.0.0.1", int(pulse.address.rpartition(":")[2]))):
        assert pulse.beats(lately=True)
    assert not pulse.beats()
    clock[0] += addresses.GONE_SECONDS + 1
    with pytest.raises(ConnectionError, match="nobody answers at"):
        pulse.beats(lately=True)
    assert addresses.Pulse("").beats() and addresses.Pulse("no:such:form").beats()


def test_this_machine_is_what_nobody_has_to_ask_for() -> None:
    """And a cluster's library is not imported for it."""
    with Place(workers=1).ready() as executor:
        assert isinstance(executor, LocalExecutor) and executor.workers == 1
