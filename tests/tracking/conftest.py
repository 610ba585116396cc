"""The fixtures of the command line, trials that end at once among them, and a small study of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

_path = Path(__file__).parents[1] / "cli" / "conftest.py"
_spec = importlib.util.spec_from_file_location("cli_fixtures", _path)
assert _spec is not None and _spec.loader is not None
_cli: Any = importlib.util.module_from_spec(_spec)
sys.modules["cli_fixtures"] = _cli
_spec.loader.exec_module(_cli)

fairtrial, FakeExecutor, pair_times, diverged, finished = (
    _cli.fairtrial, _cli.FakeExecutor, _cli.pair_times, _cli.diverged, _cli.finished,
)  # fmt: skip

STUDY = """
schema: fairtrial/1
name: tiny
base: {network: {mlp: {width: 8, depth: 1}}, epochs: 1}
arms: {narrow: {}, "wide/../er": {network.mlp.width: 16}}
questions: [{id: q, ask: More?, variant: "wide/../er", baseline: narrow}]
"""


@pytest.fixture
def tiny(fairtrial: Any, tmp_path: Path) -> Path:
    """A study whose second arm has a name that is no folder's."""
    path = tmp_path / "tiny.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path
