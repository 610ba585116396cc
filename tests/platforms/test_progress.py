"""How far a run is: one output of a notebook's cell that changes, plain lines elsewhere, nothing where nobody asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairtrial import watching
from fairtrial.analysis.gather import trial_of
from fairtrial.study.schema import Study
from fairtrial.trial import EpochRecord, Lost, Outcome, Progress, Started
from fairtrial.watching import Narrator, narrator

ROOT = Path(__file__).parents[2]
STUDY = (
    "ft.Study(name='small', data={'train': 300, 'validation': 100}, arms={'a': {}, 'b': {'network.mlp.width': 16}}, "
    "base={'network': {'mlp': {'width': 8, 'depth': 1}}, 'epochs': 2, 'batch_size': 50})"
)
RECORD = EpochRecord(1, 0.9, 0.5, 0.8, 0.6, 1.0, 0.1)


def test_the_line_says_what_trains_and_what_came_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it in one line that stands by itself."""
    monkeypatch.setattr(watching, "SECONDS", -1.0)
    shown: list[tuple[str, bool]] = []
    told = Narrator(lambda line, ended: shown.append((line, ended)))
    arm = Study(arms={"one": {}}, base={"epochs": 2}).arms["one"]
    first, second = trial_of(arm, 1), trial_of(arm, 2)
    told.expect([first, second])
    told.take(Started(key=first.key, worker=0))
    told.take(Started(key=second.key, worker=1))
    told.take(Progress(key=first.key, record=RECORD, epochs=2))
    assert shown[-1][0].endswith("; now one seed 1, epoch 1 of 2; one seed 2")
    outcome = Outcome(
        key=first.key, state="finished", epochs=1, metrics={"validation_accuracy": 0.8}, seconds={}, history=(RECORD,),
        provenance={},
    )  # fmt: skip
    told.take(outcome)
    assert shown[-1][1] and shown[-1][0].startswith("1 trained in ")
    assert shown[-1][0].endswith("; now one seed 2. Last: one seed 1: validation accuracy 80.00 %")
    told.take(Lost(key=second.key, state="failed", reason="out of memory"))
    assert shown[-1][0].endswith("Last: one seed 2: failed: out of memory")


def test_outside_a_notebook_nothing_is_said_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A script's output is its own."""
    arm = Study(arms={"one": {}}, base={"epochs": 2}).arms["one"]
    trial = trial_of(arm, 1)
    for wanted, lines in ((None, 0), (False, 0), (True, 1)):
        told = narrator(wanted)
        told.expect([trial])
        told.take(Started(key=trial.key, worker=0))
        told.take(Lost(key=trial.key, state="failed", reason="out of memory"))
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == lines
        assert "\x1b" not in printed.err and "\r" not in printed.err


@pytest.mark.slow
def test_a_cell_shows_one_output_that_changes(tmp_path: Path) -> None:
    """In a real kernel, as Jupyter and Colab have it: one text output, updated in place, and no control codes."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    code = f"import fairtrial as ft\nanswers = ft.run({STUDY}, seeds=3, workers=2, store='n.db')\nlen(answers.trials())"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    updates: list[Any] = []

    class Client(nbclient.NotebookClient):
        def output(self, outs: Any, msg: Any, display_id: str, cell_index: int) -> Any:
            updates.append(msg["msg_type"])
            return super().output(outs, msg, display_id, cell_index)

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            updates.append(msg["msg_type"])
            return super().process_message(msg, cell, cell_index)

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    Client(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = notebook.cells[0].outputs
    shown = [one for one in outputs if one.output_type == "display_data"]
    assert len(shown) == 1
    assert shown[0].data["text/plain"].startswith("6 trained in ")
    assert "\x1b" not in str(outputs)
    assert "update_display_data" in updates
    assert [one.data["text/plain"] for one in outputs if one.output_type == "execute_result"] == ["6"]


@pytest.mark.slow
def test_a_program_without_a_terminal_gets_plain_lines(tmp_path: Path) -> None:
    """In a log of a batch system control codes are dirt."""
    program = f"import fairtrial as ft\nif __name__ == '__main__':\n    ft.run({STUDY}, seeds=3, workers=2, store='n.db', progress=True)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 6 and all("trained in" in line for line in lines)
    assert "\x1b" not in done.stderr and "\r" not in done.stderr and done.stdout == ""
