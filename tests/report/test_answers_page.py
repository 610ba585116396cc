"""The script that puts the answers of a study into a document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from made_trials import fill

import fairtrial as ft

SCRIPT = Path(__file__).parents[2] / "scripts" / "answers-page"


def call(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_answers_of_a_study_take_their_place_in_a_document(tmp_path: Path) -> None:
    """Sentences are those of the answers, with the seeds and the machine; what stands around them stays."""
    store, page = tmp_path / "store.db", tmp_path / "page.md"
    fill(ft.load("width"), store, seeds=3, errors={"width-50": 0.035, "width-200": 0.024})
    page.write_text(
        "before\n<!-- here: begin -->\nwhat stood there\n<!-- here: end -->\nafter\n", encoding="utf-8"
    )
    done = call("width", "--store", store, "--write", page, "--block", "here")
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    sentence = next(iter(ft.answers("width", store=store))).sentence
    assert text.startswith("before\n<!-- here: begin -->\n`fairtrial run width`, 2")
    assert text.endswith("<!-- here: end -->\nafter\n") and "what stood there" not in text
    assert sentence.split(" (")[0] in text
    assert "6 trials: width-50 3, width-200 3." in text


def test_a_document_without_the_place_is_left_alone(tmp_path: Path) -> None:
    """Said before anything is computed."""
    page = tmp_path / "page.md"
    page.write_text("nothing here\n", encoding="utf-8")
    done = call("width", "--store", tmp_path / "none.db", "--write", page)
    assert done.returncode == 1
    assert "expected one <!-- answers of width: begin -->" in done.stderr and "Traceback" not in done.stderr
    assert page.read_text(encoding="utf-8") == "nothing here\n"
