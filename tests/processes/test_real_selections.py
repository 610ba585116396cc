"""Re-tuning and combining with real trainings, killed in the middle: the same selection, nothing trained twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from killing import kill_tree

from fairtrial.analysis.replaying import replay_store
from fairtrial.store import Store

# Effects so large that three or four seeds settle them.
STUDY = """\
schema: fairtrial/1
name: tiny
data: {train: 1000, validation: 500}
base: {network: {mlp: {width: 4, depth: 1}}, epochs: 2, batch_size: 50}
arms:
  narrow: {}
  wide: {network.mlp.width: 128}
  longer: {epochs: 8}
questions:
  - {id: W, variant: wide, baseline: narrow, factors: [network.mlp.width]}
  - {id: E, variant: longer, baseline: narrow, factors: [epochs]}
  - {id: W-tuned, variant: wide, baseline: narrow, factors: [network.mlp.width], retune: {optimizer.learning_rate: [0.00001, 0.01]}, retune_seeds: 2}
  - {id: both, combine: [W, E]}
seeds: {min: 3, max: 6}
"""
pytestmark = pytest.mark.faults


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fairtrial", "run", "study.yaml", "--store", "store.db", "--json"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(output)


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(one) for key, one in value.items() if "second" not in key}
    return [without_seconds(one) for one in value] if isinstance(value, list) else value


def test_tuning_and_combining_come_out_the_same_after_a_kill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    found = finish(start(whole))
    (tuned,), (combined,) = found["retuned"], found["combined"]
    assert tuned["variant"]["chosen"] == tuned["baseline"]["chosen"] == {"optimizer.learning_rate": 0.01}
    assert tuned["answers"][0]["verdict"].startswith("increase")
    assert [part["question"] for part in combined["parts"]] == ["W", "E"]
    assert combined["answers"][0]["verdict"].startswith("increase")
    assert combined["interaction"]["seeds"] >= 3
    for seconds in (6.0, 4.0, 3.0):
        process = start(killed)
        time.sleep(seconds)
        if process.poll() is None:
            kill_tree(process)
    again = finish(start(killed))
    for kind in ("answers", "retuned", "combined"):
        assert without_seconds(again[kind]) == without_seconds(found[kind])
    with Store.open(killed / "store.db") as store:
        assert replay_store(store).differences == ()
