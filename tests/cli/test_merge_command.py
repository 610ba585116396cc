"""`fairtrial merge` as it is called: a study whose seeds were trained on two machines."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

import fairtrial as ft

Fairtrial = Callable[..., Result]
PAIRS_ELSEWHERE = "UPDATE pairs SET machine = 'elsewhere'"


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute(statement)


@pytest.fixture
def there(fairtrial: Fairtrial, tmp_path: Path) -> Path:
    """Five seeds on the other machine, three of them here as well."""
    other = tmp_path / "there.db"
    assert fairtrial("run", "width", "--seeds", "5", "--store", str(other)).exit_code == 0
    assert fairtrial("run", "width", "--seeds", "3").exit_code == 0
    change(other, PAIRS_ELSEWHERE)
    return other


def test_the_seeds_of_both_machines_answer_together(fairtrial: Fairtrial, there: Path) -> None:
    """What it is for; times stay those of this machine, and the plan is the one both had."""
    done = fairtrial("merge", str(there))
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert f"6 trials joined to fairtrial.db from {there}." in said
    assert "10 pairs of timings joined; answers on time use those of one machine alone." in said
    assert "9 trials were here already, with the same figures." in said
    answers = ft.answers("width")
    assert answers["Q1-200"].accuracy.seeds == 5
    assert answers["Q1-200"].time.seeds == 3
    (elsewhere,) = [one for one in answers["Q1-200"].time.caveats if one.kind == "another machine"]
    assert elsewhere.text.startswith("5 pairs timed on another machine not used")
    assert not [one for one in answers["Q1-200"].accuracy.caveats if "plan" in one.kind]
    # What follows from the joined trials is what the next run keeps of its looks.
    assert fairtrial("run", "width", "--seeds", "5").exit_code == 0
    assert fairtrial("status", "width", "--replay").exit_code == 0


def test_conflicts_are_printed_with_both_figures_and_ours_stands(fairtrial: Fairtrial, there: Path) -> None:
    """Which of the two is right only training it again can tell: `rerun`."""
    change(there, "UPDATE trials SET validation_accuracy_last_epoch = 0.5 WHERE seed = 1")
    before = ft.answers("width").as_dict()["arms"][0]["trials"][0]
    dry = fairtrial("merge", str(there), "--dry-run")
    assert "6 trials would be joined" in dry.stdout and "Nothing was changed." in dry.stdout
    assert len(ft.answers("width").arms[0].trials) == 3
    done = fairtrial("merge", str(there))
    assert done.exit_code == 0
    assert "3 conflicts: here already with other figures, which stay as they are:" in done.stdout
    ours = before["validation_accuracy_last_epoch"]
    assert f"validation_accuracy_last_epoch: here {ours!r}, there 0.5" in done.stdout
    assert "trained there by torch 2.0 on machine here (a processor)" in done.stdout
    assert ft.answers("width").as_dict()["arms"][0]["trials"][0] == before
    body = json.loads(fairtrial("merge", str(there), "--json").stdout)
    assert (body["trials"], body["alike"], len(body["conflicts"])) == (0, 12, 3)
    assert body["conflicts"][0]["differences"] == [
        {"what": "validation_accuracy_last_epoch", "here": pytest.approx(ours, abs=0.1), "there": 0.5}
    ]


@pytest.mark.parametrize("dry", [True, False])
def test_a_store_that_is_none_exits_2_and_makes_nothing(
    dry: bool, fairtrial: Fairtrial, tmp_path: Path
) -> None:
    """A mistyped path is the likeliest mistake."""
    done = fairtrial("merge", "nowhere.db", *(["--dry-run"] if dry else []))
    assert done.exit_code == 2
    assert "nowhere.db: there is no store here" in done.stderr
    (tmp_path / "study.yaml").write_text("schema: fairtrial/1")
    done = fairtrial("merge", "study.yaml")
    assert (done.exit_code, "is not a fairtrial store" in done.stderr) == (2, True)
    assert not list(tmp_path.glob("*.db"))
