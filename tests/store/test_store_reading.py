"""A store that may be read and not written: a shared folder, a read-only disk, somebody else's."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_samples import finished, trial_of

from fairtrial.api import open_to_read
from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store
from fairtrial.store.reading import copy_to_read


def record(store: Store, seed: int) -> str:
    trial = trial_of(seed)
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    store.record(claim, finished(trial), trial=trial, weights=False)
    return trial.key


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called, nothing in the folder can be written: root's own rights do not tell here."""
    allowed = os.access

    def access(path: str | os.PathLike[str], mode: int) -> bool:
        inside = Path(path).absolute().is_relative_to(tmp_path / "shared")
        return allowed(path, mode) and not (inside and mode & os.W_OK)

    (tmp_path / "shared").mkdir()
    return lambda: monkeypatch.setattr(os, "access", access)


def test_a_store_that_cannot_be_written_is_read(tmp_path: Path, read_only: Callable[[], None]) -> None:
    """Reading somebody's answers must not need a right to change them, and changes nothing."""
    path = tmp_path / "shared" / "fairtrial.db"
    with Store.open(path) as store:
        key = record(store, 1)
    before = path.read_bytes()
    read_only()
    with open_to_read(path) as opened:
        assert opened.known([key]) == {key}
    with pytest.raises(StoreError, match=r"cannot be written; choose a --store in a place of your own"):
        Store.open(path)
    assert path.read_bytes() == before


def test_it_is_read_while_another_writes_to_it(tmp_path: Path) -> None:
    """The newest outcomes are in a log beside the store, and the copy has them."""
    path = tmp_path / "fairtrial.db"
    with Store.open(path) as writer:
        keys = {record(writer, 1), record(writer, 2)}
        assert path.with_name("fairtrial.db-wal").stat().st_size > 0
        with copy_to_read(path) as opened:
            assert opened.known(keys) == keys


def test_a_log_that_was_left_behind_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only disk SQLite opens no store with a log; passing over the log would lose outcomes in silence."""
    with Store.open(tmp_path / "fairtrial.db") as writer:
        key = record(writer, 1)
        for name in ("fairtrial.db", "fairtrial.db-wal"):
            shutil.copyfile(tmp_path / name, tmp_path / f"left-{name}")
    connect = sqlite3.connect

    def refusing(path: str | Path, **options: Any) -> sqlite3.Connection:
        if options.get("uri"):
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path, **options)

    monkeypatch.setattr(sqlite3, "connect", refusing)
    with copy_to_read(tmp_path / "left-fairtrial.db") as opened:
        assert opened.known([key]) == {key}


def test_what_is_no_store_is_refused_by_its_own_name(tmp_path: Path) -> None:
    """The copy's name would lead nowhere."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (x)")
    connection.close()
    text = tmp_path / "text.db"
    text.write_text("no database at all")
    for wrong in (path, text):
        with pytest.raises(StoreError, match=rf"^{wrong}.*choose another --store"), copy_to_read(wrong):
            pass
