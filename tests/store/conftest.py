"""Fixtures of the store's tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairtrial.store import Store

# Child processes run store_child.py as a script and find store_samples.py beside it; so do the tests.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store of this process."""
    with Store.open(tmp_path / "fairtrial.db") as opened:
        yield opened
