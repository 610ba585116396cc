"""Fixtures of the benchmarks' tests: results that nobody measured, and a very small MNIST."""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for made_results.py

from benchmarks.contenders import PEERS
from benchmarks.results import Growth, Results, Run
from made_results import RATIOS, made_row, made_run


@pytest.fixture
def run() -> Run:
    return made_run()


@pytest.fixture
def results(run: Run) -> Results:
    """One row of three peers, and a store of two sizes."""
    points = tuple(
        {
            "trials": trials, "arms": trials // 100, "questions": 9, "store_bytes": 20_000 * trials,
            "record_milliseconds": 2.0, "answers_seconds": 0.001 * trials, "verdicts_seconds": 0.5,
            "answers_of_two_arms_seconds": 0.1, "resume_seconds": 1e-6 * trials**1.5,
        }
        for trials in (1_000, 10_000)
    )  # fmt: skip
    assert set(RATIOS) == set(PEERS)
    measured = Results().with_row("width-50", made_row(run), run=run)
    return measured.with_growth("store", Growth(run=run.date, points=points), run=run)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Two thousand images in MNIST's format whose class is the row of pixels that is lit."""
    rng = np.random.default_rng(1)
    for part, count in (("train", 2000), ("t10k", 100)):
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        pixels = rng.integers(0, 50, (count, 28, 28), dtype=np.uint8)
        pixels[np.arange(count), 2 * labels] = 255
        for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (tmp_path / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes(), 1))
    return tmp_path
