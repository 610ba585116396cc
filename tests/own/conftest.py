"""A folder with code of a user's own: a network, and a program that trains without fairtrial."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with both, which is the current one."""
    for name in (
        "own_net",
        "own_blocks",
        "own_train",
    ):  # as text: pytest would import them to look for doctests
        shutil.copy(HERE / f"{name}.txt", tmp_path / f"{name}.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # what is learnt from this folder stays in this test
    return tmp_path
