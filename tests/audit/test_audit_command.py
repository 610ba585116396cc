"""`fairtrial audit` on files: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from made_exports import accuracies, shown
from typer.testing import CliRunner, Result

import fairtrial as ft
from fairtrial.audit.kinds import TITLES
from fairtrial.cli.app import app

Run = Callable[..., Result]

FAULTY = "\n\n".join(
    [
        shown(0, [50], figures=accuracies("0.950")),
        shown(1, [200], figures=accuracies("0.940")),
        "1. Try 200 units. What happens?",
        "The validation accuracy increased <b>a lot</b>.",
        "Hint: default learning rate of Adam is 0.01",
    ]
)
CLEAN = "# A title\n\nNothing is trained here."


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`run("faulty.txt")` is `fairtrial audit faulty.txt` beside these two files."""
    monkeypatch.chdir(tmp_path)
    Path("faulty.txt").write_text(FAULTY, encoding="utf-8")
    Path("clean.md").write_text(CLEAN, encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["audit", *words])


def test_one_file_is_told_at_length(run: Run) -> None:
    """Where, what, why it matters, how sure, what to do."""
    done = run("faulty.txt")
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert text.startswith("faulty.txt: 2 models, 1 question; 3 findings, 3 of them serious")
    assert (
        "The text contradicts the file's own figures (contradicted) line 31: The validation accuracy increased"
        in text
    )
    assert "the tables beside it show a decrease (0.950 to 0.940)" in text
    assert "[likely, serious] Why it matters:" in text and "What to do: Train both again" in text


def test_several_files_have_a_line_each(run: Run) -> None:
    """A teacher sees at once whose notebook to open."""
    lines = run("faulty.txt", "clean.md").stdout.splitlines()
    assert lines == [
        "faulty.txt: 3 serious findings of 3: contradicted, wrong-default, one-run",
        "clean.md: nothing found",
        "2 files, 1 file with serious findings",
    ]


def test_csv_counts_each_kind(run: Run) -> None:
    """One row per file, so that a class fits a spreadsheet."""
    first, second = csv.DictReader(io.StringIO(run("faulty.txt", "clean.md", "--csv").stdout))
    assert list(first) == ["file", "models", "questions", "findings", "serious", *TITLES]
    assert (first["file"], first["models"], first["serious"], first["contradicted"]) == (
        "faulty.txt",
        "2",
        "3",
        "1",
    )
    assert (second["models"], second["findings"], second["contradicted"]) == ("0", "0", "0")


def test_json_holds_everything(run: Run) -> None:
    """Findings with their places, and the experiments they are about."""
    (file,) = json.loads(run("faulty.txt", "--json").stdout)["files"]
    assert [one["kind"] for one in file["findings"]] == ["contradicted", "wrong-default", "one-run"]
    assert file["findings"][0]["where"] == "line 31" and file["findings"][0]["place"]["file_line"] == 31
    assert file["counts"]["contradicted"] == 1
    assert [one["name"] for one in file["experiments"]["models"]] == ["sequential", "sequential_1"]
    assert file["experiments"]["asked"][0]["statements"][0]["says"] == "increase"


def test_strict_ends_with_1_where_a_finding_is_serious(run: Run) -> None:
    """For a check before a notebook is handed in."""
    assert run("faulty.txt", "--strict").exit_code == 1
    assert run("clean.md", "--strict").exit_code == 0


def test_a_file_that_cannot_be_read_does_not_hide_the_others(run: Run) -> None:
    """One broken notebook in a folder of a hundred."""
    done = run("missing.ipynb", "clean.md", "faulty.txt", "--csv")
    assert done.exit_code == 2
    assert "missing.ipynb: there is no such file" in done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert run("missing.ipynb").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["faulty.txt", "--json", "--csv"], "give one of --json and --csv"),
        (
            ["faulty.txt", "clean.md", "--write-study", "s.yaml"],
            "--write-study writes the study of one file; give one",
        ),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_is_said(run: Run, words: list[str], said: str) -> None:
    """And nothing is written."""
    done = run(*words)
    assert done.exit_code == 2
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())
    assert not Path("s.yaml").exists()


def test_the_page_shows_every_finding_and_needs_nothing_else(run: Run) -> None:
    """It is sent to a student by mail; what the student wrote must not run in it."""
    assert run("faulty.txt", "clean.md", "--html", "page.html").exit_code == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count('class="card finding alarm"') == 3
    assert "increased &lt;b&gt;a lot&lt;/b&gt;" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert "dense 200" in page and "2 files, 3 findings; serious ones in 1 of the files" in page


def test_the_study_of_a_file_is_written_and_loads(run: Run) -> None:
    """The next step after an audit is to settle its questions."""
    done = run("faulty.txt", "--write-study", "study.yaml")
    assert done.exit_code == 0, done.output
    study = ft.load("study.yaml")
    assert len(study.arms) == 2 and len(study.questions) == 1
    assert run("faulty.txt", "--write-study", "study.yaml").exit_code == 2


def test_in_python_an_audit_is_a_frozen_value(run: Run) -> None:
    """It shows itself in a notebook and can be written as a page."""
    audit = ft.audit_file("faulty.txt")
    assert [one.kind for one in audit.serious] == ["contradicted", "wrong-default", "one-run"]
    assert str(audit).splitlines()[0] == f"faulty.txt: {audit.headline}"
    assert "&lt;b&gt;" in audit._repr_html_() and "<b>" not in audit._repr_html_()
    assert ft.write_report(audit, "page.html").stat().st_size > 5000
    with pytest.raises(ft.FairtrialError, match="an audit is written as a page"):
        ft.write_report(audit, "page.md")
    with pytest.raises(ft.FairtrialError, match="there is no such file"):
        ft.audit_file("missing.py")
