"""Stores of earlier versions are upgraded in place and lose nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from store_samples import plain

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
    return Path(shutil.copy(KEPT / "v1.db", tmp_path / "v1.db"))


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


def test_the_kept_store_is_of_the_first_version() -> None:
    """Made again by a later program it would test nothing."""
    with opened(KEPT / "v1.db") as connection:
        assert version(connection) == 1
    assert (KEPT / "v1.db").stat().st_size < 64_000


def test_a_store_of_the_first_version_gives_back_everything_after_the_upgrade(first_version: Path) -> None:
    """Outcomes cost hours; no upgrade of fairtrial may cost an outcome."""
    expected = json.loads((KEPT / "v1.json").read_text(encoding="utf-8"))
    keys = [one["key"] for one in expected]
    with Store.open(first_version) as store:
        stored = store.stored(keys, history=True)
        assert json.loads(json.dumps([plain(one) for one in stored.values()])) == expected
        predictions = store.predictions(keys[0])
        assert predictions is not None
        assert len(predictions.classes) == 100
        assert [one.reason for one in store.attempts(keys)[keys[1]]] == ["out of memory"]
    with opened(first_version) as connection:
        assert version(connection) == newest()


def test_an_upgraded_store_has_the_shape_of_a_fresh_one(first_version: Path, tmp_path: Path) -> None:
    """schema.sql and the migrations tell one story in two ways; this keeps them from parting."""
    Store.open(first_version).close()
    fresh = tmp_path / "fresh.db"
    Store.open(fresh).close()
    assert shape(first_version) == shape(fresh)


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
