"""A real study, interrupted and killed, comes to the looks and verdicts of one that nobody disturbed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairtrial.analysis.replaying import replay_store
from fairtrial.store import Store, StoredVerdict

STUDY = """\
schema: fairtrial/1
name: resumed
data: {train: 2000, validation: 1000}
base: {network: {mlp: {width: 12, depth: 1}}, epochs: 1}
arms:
  narrow: {}
  wide: {network.mlp.width: 60}
  twin: {network.mlp.width: 13}
questions:
  - {id: clear, variant: wide, baseline: narrow, on: [validation, test]}
  - {id: faint, variant: twin, baseline: narrow, metrics: [accuracy, loss]}
seeds: {min: 3, max: 6}
"""


def fairtrial(*words: str) -> list[str]:
    return [sys.executable, "-m", "fairtrial", *words]


def run_and_end(folder: Path, store: str, *, after: int, by: signal.Signals) -> int:
    """Start a run, end it `by` this signal when so many of its trials have ended; its exit status."""
    with subprocess.Popen(
        fairtrial("run", "study.yaml", "--store", store), cwd=folder, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        ended = 0
        while ended < after and (line := process.stderr.readline()):
            ended += "validation accuracy" in line
        process.send_signal(by)
        process.communicate(timeout=60)
    return process.returncode


def finish(folder: Path, store: str) -> tuple[list[StoredVerdict], list[dict[str, Any]]]:
    """Run to the end; the looks in the store, and the answers."""
    done = subprocess.run(
        fairtrial("run", "study.yaml", "--store", store, "--json"),
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Store.open(folder / store) as opened:
        assert replay_store(opened).differences == ()
        assert len(opened.plans()) == 1
        return opened.verdicts(), json.loads(done.stdout)["answers"]


@pytest.mark.slow
def test_a_run_interrupted_and_killed_comes_to_the_same_looks_and_verdicts(tmp_path: Path) -> None:
    """Impatience and power cuts must not be a way to another answer."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    assert run_and_end(tmp_path, "broken.db", after=4, by=signal.SIGINT) == 130
    assert run_and_end(tmp_path, "broken.db", after=5, by=signal.SIGKILL) == -signal.SIGKILL
    with Store.open(tmp_path / "broken.db") as opened:
        looks = sum(len(one.looks) for one in opened.verdicts())
    resumed, whole = finish(tmp_path, "broken.db"), finish(tmp_path, "whole.db")
    assert resumed == whole
    stored, answers = whole
    assert sum(len(one.looks) for one in stored) > max(looks, 7)
    assert {answer["verdict"] for answer in answers} >= {"increase that matters", "undecided"}
    assert all(answer["caveats"] == [] for answer in answers if answer["question"] == "clear")
