"""The notebook's program in Keras, on both backends. Needs a Python with TensorFlow and JAX: FAIRTRIAL_KERAS_PYTHON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.contenders import PEERS, run_peer
from benchmarks.rows import description, rows

PYTHON = os.environ.get("FAIRTRIAL_KERAS_PYTHON", sys.executable)

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    find = (
        "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('tensorflow', 'keras', 'jax'))))"
    )
    if subprocess.run([PYTHON, "-c", find], check=False).returncode:
        pytest.skip("needs a Python with TensorFlow and JAX: name it in FAIRTRIAL_KERAS_PYTHON")


@pytest.mark.parametrize("name", ["keras-tensorflow", "keras-jax"])
def test_it_trains_whole_and_sampled_and_learns(name: str, mnist: Path) -> None:
    """The same program on either backend, told apart by what it says of itself."""
    row = {**description(rows()["width-50"]), "train": 1900, "validation": 100, "buffer_size": 500}
    path = mnist / "row.json"
    path.write_text(json.dumps(row), encoding="utf-8")
    whole = run_peer(PEERS[name], Path(PYTHON), [path, "--mnist", mnist])
    assert (whole["way"], len(whole["epoch_seconds"])) == ("whole", 5)
    assert whole["versions"]["backend"] == name.removeprefix("keras-")
    assert whole["test_accuracy"] > 0.9
    assert sum(whole["epoch_seconds"]) <= whole["fit_seconds"] + 1e-6
    sampled = run_peer(PEERS[name], Path(PYTHON), [path, "--mnist", mnist, "--sampled-steps", "8"])
    assert (sampled["way"], sampled["short_steps"], sampled["long_steps"]) == ("sampled", 9, 19)
    assert sampled["short_seconds"] > 0
    late = run_peer(PEERS[name], Path(PYTHON), [path, "--mnist", mnist, "--longest", "0.01"])
    assert late == {"way": "too long"}
