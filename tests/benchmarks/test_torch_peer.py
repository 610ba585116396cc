"""The plain PyTorch program trains the row's network, and learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from benchmarks.peers import torch_peer
from benchmarks.peers.measuring import Asked
from benchmarks.rows import description, rows

from fairtrial.study.shapes import parameters


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("row", ["width-50", "sigmoid", "cnn-1", "cnn-3"])
def test_its_network_has_the_parameters_of_the_row(row: str) -> None:
    """A peer with less to do would be no peer."""
    arm = rows()[row]
    network = torch_peer.network(description(arm))
    assert sum(one.numel() for one in network.parameters()) == parameters(arm)


def test_it_learns_what_is_easy_to_learn(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its epochs are as long, and as many, as asked."""
    monkeypatch.setattr(torch_peer, "cores", lambda: 1)
    row = {**description(rows()["width-50"]), "train": 1900, "validation": 100}
    asked = Asked(row=row, mnist=mnist, epochs=5, sampled_steps=0, longest=60.0)
    peer = torch_peer.TorchPeer(asked)
    ended: list[int] = []
    peer.fit(5, lambda: ended.append(1))
    assert len(ended) == 5
    assert peer.test_accuracy() > 0.9
    assert peer.validated[1] > 0.9
    steps = int(next(iter(peer.adam.state.values()))["step"])
    assert steps == 5 * 19
    peer.train(7)
    assert int(next(iter(peer.adam.state.values()))["step"]) == steps + 7
