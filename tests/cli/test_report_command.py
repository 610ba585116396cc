"""`fairtrial report`: files of every kind, and data whose columns stay."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import fairtrial as ft
from fairtrial.report.exports import ANSWER_COLUMNS, HISTORY_COLUMNS, TRIAL_COLUMNS
from fairtrial.report.search_tables import PROPOSAL_COLUMNS

Run = Callable[..., Result]
PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_call_writes_every_kind_and_says_so_on_stderr(fairtrial: Run, tmp_path: Path) -> None:
    """Standard output stays for data."""
    fairtrial("run", "width", "--seeds", "1")
    done = fairtrial(
        "report", "width", "--markdown", "w.md", "--latex", "w.tex", "--csv", "w.csv", "--json", "w.json"
    )
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [f"wrote w.{suffix}" for suffix in ("md", "tex", "csv", "json")]
    assert {path.name for path in tmp_path.iterdir()} >= {
        "w.md", "w.tex", "w.csv", "w-trials.csv", "w-history.csv", "w.json",
    }  # fmt: skip


def test_without_a_file_to_write_it_says_which_there_are(fairtrial: Run) -> None:
    """A command that does nothing and says nothing is a riddle."""
    done = fairtrial("report", "width")
    assert done.exit_code == 2
    assert "--html, --notebook, --markdown, --latex, --figures, --csv, --json" in " ".join(
        done.stderr.replace("│", " ").split()
    )


def test_a_folder_that_is_not_there_is_a_mistake_in_words(fairtrial: Run) -> None:
    """Exit status 2, and no traceback."""
    for kind in ("markdown", "notebook", "json"):
        done = fairtrial("report", "width", f"--{kind}", "missing/w.x")
        assert done.exit_code == 2
        assert "its folder must exist" in done.stderr


def test_csv_has_every_trial_epoch_and_answer(fairtrial: Run, tmp_path: Path) -> None:
    """Other programs compute with it; nothing may be lost on the way."""
    fairtrial("run", "width", "--seeds", "2")
    fairtrial("report", "width", "--csv", "w.csv")
    trials = rows(tmp_path / "w-trials.csv")
    assert [(one["arm"], one["seed"]) for one in trials[:3]] == [
        ("width-50", "1"),
        ("width-50", "2"),
        ("width-200", "1"),
    ]
    assert float(trials[0]["train_seconds"]) == 1.0
    assert len(rows(tmp_path / "w-history.csv")) == 6
    answers = rows(tmp_path / "w.csv")
    assert [one["sentence"] for one in answers] == [one.sentence for one in ft.answers(ft.load("width"))]
    assert fairtrial("answers", "width", "--csv").stdout == (tmp_path / "w.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("Answers", ANSWER_COLUMNS),
        ("Trials", TRIAL_COLUMNS),
        ("History", HISTORY_COLUMNS),
        ("Proposals", PROPOSAL_COLUMNS),
    ],
)
def test_the_documented_columns_are_these(heading: str, columns: tuple[str, ...]) -> None:
    """Programs are written from the page; a column that is renamed breaks them."""
    (section,) = re.findall(rf"^### {heading}\n((?:(?!^#).*\n?)*)", PAGE, flags=re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", section)) == columns


def test_the_json_is_that_of_answers_and_what_stands_around_it(fairtrial: Run, tmp_path: Path) -> None:
    """Whoever reads `answers --json` reads this as well."""
    fairtrial("run", "width", "--seeds", "1")
    fairtrial("report", "width", "--json", "w.json")
    whole = json.loads((tmp_path / "w.json").read_text(encoding="utf-8"))
    part = json.loads(fairtrial("answers", "width", "--json").stdout)
    assert {name: whole[name] for name in part} == part
    assert whole["outstanding"]["trials"] == 6
    assert [one["arm"] for one in whole["outstanding"]["arms"]] == ["width-50", "width-200", "width-1000"]
    assert whole["questions"][0]["ask"].startswith("Try a hidden layer size of 200.")
    assert whole["margins"] == {"accuracy": 0.001, "loss": 0.02, "time": 0.05}


def test_models_show_themselves_in_python(fairtrial: Run) -> None:
    """`ft.show` is `fairtrial show` for a notebook."""
    fairtrial("run", "width", "--seeds", "1")
    study = ft.load("width")
    shown = ft.show(study, "width-50")
    assert [one.name for one in shown.blocks] == ["width-50"]
    assert "| dense_2 (Dense) | (None, 10) | 510 |" in shown._repr_markdown_()
    whole = ft.show(study)
    assert "Printed, reproduced, done right" in whole.printed._repr_markdown_()
    assert "dense_2" not in whole.printed._repr_markdown_()
    with pytest.raises(ft.FairtrialError, match="has no arm 'wide'"):
        ft.show(study, "wide")
