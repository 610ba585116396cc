"""The scripts that make the course's documents from its evidence: what they show, and what they leave alone."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from made_trials import fill

import fairtrial as ft
from fairtrial.engine.precision import resolve
from fairtrial.store import Store

SCRIPT = Path(__file__).parents[2] / "scripts" / "course_docs.py"


@pytest.fixture
def course_docs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script as a module that writes into a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("course_docs", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "DOCS", tmp_path)
    return module


def test_evidence_from_another_processor_is_shown_and_left_as_it_was(course_docs, tmp_path):
    """Evidence is trained where there is time for it, and its documents are made wherever somebody sits."""
    other = "float32" if resolve("auto") == "bfloat16" else "bfloat16"
    store = tmp_path / "evidence.db"
    there = ft.load("course", sets=[f"precision={other}"])
    fill(there, store, seeds=2, errors={"width-50": 0.035, "width-200": 0.024})
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    course_docs.write_report(store)
    page = (tmp_path / "report-course.html").read_text(encoding="utf-8")
    assert f"fairtrial report course --set precision={other} --html report.html" in page
    assert page.count('class="filters"') == 2  # the weights beside the store come along
    assert "4, of 2 arms" in page
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    assert [one.name for one in tmp_path.glob("*.part.html")] == []


def test_a_page_too_large_for_the_repository_leaves_the_old_one(course_docs, tmp_path, monkeypatch):
    """A page nobody can push must not take the place of one that is there."""
    store = tmp_path / "evidence.db"
    fill(ft.load("course"), store, seeds=1, errors={"width-50": 0.035}, weights=False, predictions=False)
    (tmp_path / "report-course.html").write_text("the old one", encoding="utf-8")
    monkeypatch.setattr(course_docs, "MOST_BYTES", 1000)
    with pytest.raises(SystemExit, match="at most"):
        course_docs.write_report(store)
    assert (tmp_path / "report-course.html").read_text(encoding="utf-8") == "the old one"
    assert [one.name for one in tmp_path.glob("*.part.html")] == []


@pytest.mark.parametrize("what", ["page", "report"])
def test_evidence_of_which_nothing_counts_any_more_makes_no_documents(
    course_docs, tmp_path, monkeypatch, what
):
    """Trials of an older engine answer nothing: documents of none would replace those that are there."""
    with Store.open(tmp_path / "evidence.db"):
        pass
    monkeypatch.setattr(sys, "argv", ["course_docs.py", what, "--store", str(tmp_path / "evidence.db")])
    with pytest.raises(SystemExit, match="holds no trial of the course by engine version"):
        course_docs.main()
    assert {one.name for one in tmp_path.iterdir() if one.suffix in {".html", ".md"}} == set()


@pytest.mark.parametrize("what", ["page", "report"])
def test_a_store_that_is_not_there_is_named(course_docs, tmp_path, monkeypatch, what):
    """A mistyped path would make documents of nothing."""
    monkeypatch.setattr(sys, "argv", ["course_docs.py", what, "--store", str(tmp_path / "none.db")])
    with pytest.raises(SystemExit, match=r"no store .*none\.db"):
        course_docs.main()
    assert not (tmp_path / "none.db").exists()
