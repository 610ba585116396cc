"""The same trial gives the same bits, however many workers and threads the machine is told to use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairtrial.study import studyfile
from fairtrial.study.schema import Arm
from fairtrial.trial import Event, Outcome, Trial
from fairtrial.wire import Order, decode_event, encode_order

# Every way there is to train: dense chains, convolutions with moved images, rounded and not, one image at a time.
STUDY = """\
schema: fairtrial/1
name: bits
data: {train: 600, validation: 200}
base: {network: {mlp: {width: 16, depth: 2}}, epochs: 2}
arms:
  dense: {}
  rounded: {precision: bfloat16}
  moved:
    data.augment: {shift: 2, rotate: 10}
    precision: bfloat16
    network: {layers: [{conv: {filters: 4, kernel: 3}}, batch_norm, {pool: 2}, {dropout: 0.2}, flatten]}
  single: {batch_size: 1, epochs: 1}
  momentum: {optimizer: {name: sgd, momentum: 0.9}}
questions:
  - {id: Q1, variant: rounded, baseline: dense, on: [validation, test], metrics: [accuracy, loss]}
seeds: {min: 3, max: 4}
"""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
pytestmark = pytest.mark.slow


def environment(threads: int) -> dict[str, str]:
    return os.environ | dict.fromkeys(THREADS, str(threads)) | {"MKL_DYNAMIC": "FALSE"}


def without_seconds(value: Any) -> Any:
    """Whatever is measured by a clock may differ, and where a number was measured; nothing else."""
    if isinstance(value, dict):
        return {key: without_seconds(one) for key, one in value.items() if "second" not in key}
    return [without_seconds(one) for one in value] if isinstance(value, list) else value


def run(folder: Path, *, workers: int, threads: int) -> Any:
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    command = [sys.executable, "-m", "fairtrial"]
    options = {
        "cwd": folder,
        "env": environment(threads),
        "capture_output": True,
        "text": True,
        "timeout": 300,
    }
    done = subprocess.run([*command, "run", "study.yaml", "-j", str(workers)], **options, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([*command, "answers", "study.yaml", "--json"], **options, check=False)
    return without_seconds(json.loads(done.stdout))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One worker, one thread."""
    return run(tmp_path_factory.mktemp("alone"), workers=1, threads=1)


@pytest.mark.parametrize(
    ("workers", "threads"),
    [pytest.param(1, 4, marks=pytest.mark.faults), pytest.param(2, 1, marks=pytest.mark.faults), (2, 2)],
)
def test_workers_and_threads_change_no_number(workers: int, threads: int, alone: Any, tmp_path: Path) -> None:
    """A faster machine, or a neighbour's setting in the environment, must not be a hyperparameter."""
    found = run(tmp_path, workers=workers, threads=threads)
    assert [arm["name"] for arm in found["arms"]] == ["dense", "rounded", "moved", "single", "momentum"]
    assert all(len(arm["trials"]) >= 3 for arm in found["arms"])
    assert found["arms"] == alone["arms"]
    assert found["answers"] == alone["answers"]


def outcome(trial: Trial, *, threads: int) -> Outcome:
    """By a worker as nobody's executor starts one: the environment is all it is told."""
    command = [sys.executable, "-P", "-m", "fairtrial.engine.worker", "--parent", str(os.getpid())]
    source = str(Path(studyfile.__file__).parents[2])
    worker = subprocess.Popen(
        command, env=environment(threads) | {"PYTHONPATH": source}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None
    with worker:
        worker.stdin.write(encode_order(Order(trial=trial)) + "\n")
        worker.stdin.flush()
        events: list[Event] = []
        while not any(isinstance(event, Outcome) for event in events):
            events.append(decode_event(worker.stdout.readline()))
        worker.stdin.close()
    (found,) = (event for event in events if isinstance(event, Outcome))
    return found


@pytest.mark.parametrize("name", ["moved", "dense"])
def test_a_worker_ignores_how_many_threads_it_is_offered(name: str, tmp_path: Path) -> None:
    """Sums in another order round otherwise: it is the worker itself that keeps to one thread."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    arm: Arm = studyfile.load(tmp_path / "study.yaml").arms[name]
    trial = Trial(arm=arm, seed=1, precision="float32")
    one, four = (outcome(trial, threads=threads) for threads in (1, 4))
    assert one.weights_sha256 == four.weights_sha256 != ""
    assert one.metrics == four.metrics
    assert one.predictions is not None and four.predictions is not None
    assert one.predictions.probabilities.tobytes() == four.predictions.probabilities.tobytes()
    assert [without_seconds(vars_of(record)) for record in one.history] == [
        without_seconds(vars_of(record)) for record in four.history
    ]


def vars_of(record: Any) -> dict[str, Any]:
    return record._asdict()
