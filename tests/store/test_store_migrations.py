"""Stores of earlier versions are upgraded in place and lose nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from make_store_fixture import given_back
from store_samples import predictions_of

from fairtrial.store import Store
from fairtrial.store.connection import writing
from fairtrial.store.migrations import migrate, newest, statements, version

KEPT = Path(__file__).parent
LATER = (
    "CREATE TABLE notes (key TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT;\nCREATE INDEX n ON notes (note);",
    "ALTER TABLE arms ADD COLUMN colour TEXT;",
)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A store as the first version wrote it."""
    return kept(1, tmp_path)


def kept(number: int, folder: Path) -> Path:
    """The store of that version as a program of its time wrote it."""
    path = folder / f"v{number}.db"
    if (KEPT / path.name).exists():
        return Path(shutil.copy(KEPT / path.name, path))
    with opened(path) as connection:
        connection.executescript((KEPT / f"v{number}.sql").read_text(encoding="utf-8"))
    return path


def as_known(found: Any, then: Any) -> Any:
    """What was found without the fields that nobody knew `then`: those are added, and take nothing away."""
    if isinstance(found, dict) and isinstance(then, dict):
        return {key: as_known(found[key], then[key]) for key in then if key in found}
    if isinstance(found, list) and isinstance(then, list) and len(found) == len(then):
        return [as_known(one, other) for one, other in zip(found, then, strict=True)]
    return found


def shape(path: Path) -> dict[str, object]:
    """Tables, columns, references and indices, however they came to be."""
    with opened(path) as connection:
        names = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        listed = connection.execute(
            "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY name"
        ).fetchall()
        detail: dict[str, object] = {"objects": sorted(names), "tables": listed}
        for kind, name, _ in names:
            for pragma in ("table_xinfo", "foreign_key_list") if kind == "table" else ("index_xinfo",):
                found = connection.execute(f"PRAGMA {pragma}({name})").fetchall()
                # A column added later has another number than one that was always there.
                detail[f"{pragma} {name}"] = sorted(map(str, (row[1:] for row in found)))
    return detail


def test_a_store_of_every_version_is_kept() -> None:
    """Whoever adds a version keeps a store of the one before it: `make_store_fixture.py` makes it."""
    found = {int(path.stem[1:]) for path in KEPT.glob("v*.json")}
    assert found == set(range(1, newest() + 1))
    assert sum(path.stat().st_size for path in KEPT.glob("v*")) < 128_000


@pytest.mark.parametrize("number", range(1, newest() + 1))
def test_the_kept_store_is_of_its_version(number: int, tmp_path: Path) -> None:
    """Made again by a later program it would test nothing."""
    with opened(kept(number, tmp_path)) as connection:
        assert version(connection) == number


@pytest.mark.parametrize("number", range(1, newest() + 1))
def test_a_store_of_every_version_gives_back_everything_after_the_upgrade(
    number: int, tmp_path: Path
) -> None:
    """Outcomes cost hours, and plans what they promised; no upgrade of fairtrial may cost either."""
    expected = json.loads((KEPT / f"v{number}.json").read_text(encoding="utf-8"))
    if number == 1:
        expected = {"trials": expected}
    path = kept(number, tmp_path)
    with Store.open(path) as store:
        keys = list(expected.get("attempts", [one["key"] for one in expected["trials"]]))
        assert as_known(given_back(store, keys, list(expected)), expected) == expected
        finished, lost, *_ = [one["key"] for one in expected["trials"]]
        predictions = store.predictions(finished)
        assert predictions is not None
        assert predictions.classes.tolist() == predictions_of(1).classes.tolist()
        assert predictions.right.tolist() == predictions_of(1).right.tolist()
        assert [one.reason for one in store.attempts([lost])[lost]] == ["out of memory"]
    with opened(path) as connection:
        assert version(connection) == newest()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("number", range(1, newest() + 1))
def test_an_upgraded_store_has_the_shape_of_a_fresh_one(number: int, tmp_path: Path) -> None:
    """schema.sql and the migrations tell one story in two ways; this keeps them from parting."""
    old, fresh = kept(number, tmp_path), tmp_path / "fresh.db"
    Store.open(old).close()
    Store.open(fresh).close()
    assert shape(old) == shape(fresh)


def test_shapes_that_differ_are_told_apart(first_version: Path, tmp_path: Path) -> None:
    """The comparison above must be able to fail."""
    fresh = tmp_path / "fresh.db"
    Store.open(fresh).close()
    before = shape(fresh)
    for change in ("CREATE INDEX i ON trials (seed)", "ALTER TABLE arms ADD COLUMN colour TEXT"):
        with opened(fresh) as connection:
            connection.execute(change)
        assert shape(fresh) != before
        before = shape(fresh)


def test_migrations_are_applied_in_order_from_the_version_found(first_version: Path) -> None:
    """Whoever skips a release gets its changes all the same, and none twice."""
    with opened(first_version) as connection:
        for known in (LATER[:1], LATER, LATER):
            with writing(connection):
                migrate(connection, known)
            assert version(connection) == 1 + len(known)
        connection.execute("SELECT colour FROM arms, notes")


def test_a_migration_that_fails_changes_nothing(first_version: Path) -> None:
    """A store half upgraded could be read by neither the old program nor the new."""
    before = shape(first_version)
    with opened(first_version) as connection:
        with pytest.raises(sqlite3.OperationalError), writing(connection):
            migrate(connection, (*LATER, "ALTER TABLE nowhere ADD COLUMN x;"))
        assert version(connection) == 1
    assert shape(first_version) == before


def test_a_script_is_cut_at_its_statements_only() -> None:
    """A semicolon in a comment or a string ends no statement."""
    script = "-- one; two\nCREATE TABLE a (\n  x TEXT DEFAULT ';' -- three;\n);\n\nDROP TABLE a;\n"
    found = list(statements(script))
    assert len(found) == 2
    assert found[1].strip() == "DROP TABLE a;"
