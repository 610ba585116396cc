"""How a peer is measured, whatever library it trains with. Needs numpy and nothing else.

A peer's program prints what its clocks said as one line of JSON; `benchmarks.scaling` makes figures of it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WARM_STEPS = 3
SHORT_STEPS = 30


class Peer(Protocol):
    """A network of the row, not yet trained, with its data at hand."""

    versions: dict[str, str]

    def fit(self, epochs: int, ended: Callable[[], None]) -> None:
        """Train so many epochs, each with its validation, calling `ended` at the end of each."""
        ...

    def train(self, steps: int) -> None:
        """Begin an epoch and end it after so many steps, without a validation."""
        ...

    def validate(self) -> None:
        """Loss and accuracy on the validation images."""
        ...

    def test_accuracy(self) -> float:
        """Accuracy on the test images, in [0, 1]: proof that what was timed has learnt."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The row as `benchmarks.rows.description` gives it, and how to measure it.

    With `sampled_steps` so many steps are timed, else `epochs` whole epochs; then the program gives up as
    soon as its first epoch has taken `longest` seconds.
    """

    row: dict[str, Any]
    mnist: Path
    epochs: int
    sampled_steps: int
    longest: float


def asked(about: str | None) -> Asked:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("row", type=Path, help="JSON file that describes the row")
    parser.add_argument("--mnist", type=Path, required=True, help="folder with the four IDX files")
    parser.add_argument("--epochs", type=int, help="no more than so many; the row's own unless given")
    parser.add_argument("--sampled-steps", type=int, default=0, help="time so many steps, not whole epochs")
    parser.add_argument(
        "--longest", type=float, default=threading.TIMEOUT_MAX, help="seconds an epoch may take"
    )
    given = parser.parse_args()
    row = json.loads(given.row.read_text(encoding="utf-8"))
    return Asked(
        row=row,
        mnist=given.mnist,
        epochs=min(given.epochs or row["epochs"], row["epochs"]),
        sampled_steps=given.sampled_steps,
        longest=given.longest,
    )


def images(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images (n, 28, 28, 1) in [0, 1] and labels (n,) of `train` or `t10k`."""
    pixels, labels = (_idx(folder / f"{part}-{name}-ubyte.gz") for name in ("images-idx3", "labels-idx1"))
    return (pixels[..., None] / np.float32(255)).astype(np.float32), labels.astype(np.int64)


def _idx(path: Path) -> NDArray[np.uint8]:
    raw = gzip.decompress(path.read_bytes())
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def measure(peer: Peer, asked: Asked, *, began: float) -> None:
    """Time the peer as asked and print what the clocks said. `began` is when its program did."""
    setup = perf_counter() - began
    clocks = _sampled(peer, asked) if asked.sampled_steps else _whole(peer, asked)
    print(json.dumps({"setup_seconds": setup, "versions": peer.versions, **clocks}))


def _whole(peer: Peer, asked: Asked) -> dict[str, Any]:
    giving_up = threading.Timer(asked.longest, _too_long)
    giving_up.daemon = True
    ends: list[float] = []

    def ended() -> None:
        ends.append(perf_counter())
        giving_up.cancel()

    giving_up.start()
    begin = perf_counter()
    peer.fit(asked.epochs, ended)
    seconds = perf_counter() - begin
    return {
        "way": "whole",
        "epoch_seconds": np.diff([begin, *ends]).tolist(),
        "fit_seconds": seconds,
        "test_accuracy": peer.test_accuracy(),
    }


def _too_long() -> None:
    # From another thread, while the library trains on: there is no gentler way to end it.
    sys.stdout.write(json.dumps({"way": "too long"}) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _sampled(peer: Peer, asked: Asked) -> dict[str, Any]:
    """Two stretches of different length: their difference is steps alone, without what begins an epoch."""
    per_epoch = -(-asked.row["train"] // asked.row["batch_size"])
    long = min(SHORT_STEPS + asked.sampled_steps, per_epoch)
    short = min(SHORT_STEPS, long // 2)
    warm = _seconds(lambda: peer.train(min(WARM_STEPS, short)))
    first_validation = _seconds(peer.validate)
    return {
        "way": "sampled",
        "warm_steps": min(WARM_STEPS, short),
        "warm_seconds": warm,
        "first_validation_seconds": first_validation,
        "short_steps": short,
        "short_seconds": _seconds(lambda: peer.train(short)),
        "long_steps": long,
        "long_seconds": _seconds(lambda: peer.train(long)),
        "validation_seconds": _seconds(peer.validate),
    }


def _seconds(act: Callable[[], None]) -> float:
    begin = perf_counter()
    act()
    return perf_counter() - begin
