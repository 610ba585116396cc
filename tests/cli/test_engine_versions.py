"""Trials of another engine version are named wherever answers are, and never used."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from typer.testing import Result

from fairtrial.trial import ENGINE_VERSION


def test_answers_and_status_name_the_engine_version_of_what_they_leave_out(
    fairtrial: Callable[..., Result], tmp_path: Path
) -> None:
    """After an upgrade an empty answer beside a full store would look like a loss."""
    assert fairtrial("run", "width", "--seeds", "3").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "fairtrial.db", isolation_level=None)) as connection:
        connection.execute("UPDATE trials SET engine_version = 1 WHERE seed < 3")
        connection.execute("UPDATE pairs SET engine_version = 1 WHERE seed = 1")
    answered, counted, marked = (
        " ".join(fairtrial(*words).stdout.split())
        for words in (("answers", "width"), ("status", "width"), ("answers", "width", "--markdown"))
    )
    assert "6 trials of engine version 1 are in this store and not used: this is engine version" in answered
    assert "2 trials of engine version 1, of width-50, are in this store and not used" in answered
    assert "1 pair of engine version 1 is in this store and not used" in answered
    assert counted.count("2 trials of engine version 1, of width-") == 3
    assert "6 trials of engine version 1 are in this store and not used" in marked
    body = json.loads(fairtrial("answers", "width", "--json").stdout)
    assert body["engine_version"] == ENGINE_VERSION
    assert body["other_engine_versions"] == {f"width-{width}": {"1": 2} for width in (50, 200, 1000)}
    arms = json.loads(fairtrial("status", "width", "--json").stdout)["arms"]
    assert [arm["other_engine_versions"] for arm in arms] == [{"1": 2}] * 3
