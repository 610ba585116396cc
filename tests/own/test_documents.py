"""docs/python.md and docs/command-arms.md are run as they are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fairtrial as ft

DOCS = Path(__file__).parents[2] / "docs"


def blocks(document: str, language: str) -> list[str]:
    text = (DOCS / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_examples_in_python_run_in_order(tmp_path, monkeypatch, capsys):
    """A reader types them one after the other."""
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "reader"}
    for block in blocks("python.md", "python"):
        exec(compile(block, "python.md", "exec"), names)
    said = capsys.readouterr().out
    assert "<Study 'rate': 2 arms, 1 question> 0.01" in said
    assert "arms.slow.epoch" in said
    assert "Validation accuracy" in said
    assert "increase that matters" in said
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_the_first_command_arm_of_the_document_is_trained(tmp_path, monkeypatch):
    """The least that a program must do is enough."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(blocks("command-arms.md", "yaml")[0])
    (tmp_path / "train.py").write_text(blocks("command-arms.md", "py")[0])
    answers = ft.run("study.yaml", seeds=3, workers=1, questions="dropout")
    assert answers["dropout"].accuracy.estimate == pytest.approx(0.002)
