"""What SQLite says becomes a sentence with what to do; a mistake of ours does not pass for the file's."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from store_samples import trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Store, connection, explaining
from fairtrial.store.connection import reading, writing
from fairtrial.store.explaining import explained, sound

Usage = namedtuple("Usage", "total used free")


def complaint(code: int, text: str = "something") -> sqlite3.DatabaseError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "free", "said"),
    [
        (sqlite3.SQLITE_FULL, 2**40, "the disk is full; free some space"),
        (sqlite3.SQLITE_IOERR, 100, "the disk is full"),
        (sqlite3.SQLITE_CANTOPEN, 256 * 1024 - 1, "the disk is full"),
        (sqlite3.SQLITE_CANTOPEN, 256 * 1024, "cannot be written (something); choose a --store"),
        (sqlite3.SQLITE_IOERR, 2**40, "the store could not be read or written (something)"),
        (sqlite3.SQLITE_IOERR_WRITE, 100, "the disk is full"),
        (sqlite3.SQLITE_BUSY, 100, "another process has kept the store locked for 60 s; end it"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, 2**40, "another process has kept the store locked"),
        (sqlite3.SQLITE_LOCKED, 2**40, "another process has kept the store locked"),
        (sqlite3.SQLITE_READONLY, 2**40, "cannot be written (something)"),
        (sqlite3.SQLITE_PERM, 2**40, "cannot be written (something)"),
        (sqlite3.SQLITE_NOTADB, 2**40, "not even a database"),
        (sqlite3.SQLITE_CORRUPT, 2**40, "is damaged (something); restore a copy"),
        (sqlite3.SQLITE_TOOBIG, 2**40, "is damaged (something); restore a copy"),
        (sqlite3.SQLITE_CONSTRAINT, 2**40, "its tables do not fit together"),
        (sqlite3.SQLITE_ERROR, 2**40, "the store could not be read or written (something)"),
    ],
)  # fmt: skip
def test_every_complaint_has_its_sentence(
    code: int, free: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the file's name first, and once a remedy is known, the remedy."""
    full = errno.ENOSPC if free < 256 * 1024 else 0
    monkeypatch.setattr(explaining, "_fault_of_writing", lambda folder: full)
    path = tmp_path / "fairtrial.db"
    with pytest.raises(StoreError) as caught, explained(path):
        raise complaint(code)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (complaint(sqlite3.SQLITE_ERROR, "no such column: x"), r"not whole \(no such column: x\)"),
        (
            complaint(sqlite3.SQLITE_ERROR, "Could not decode to UTF-8 column"),
            r"not whole \(Could not decode",
        ),
        (sqlite3.DatabaseError("of no known kind"), "could not be read or written"),
        (MemoryError(), "needs more memory than there is"),
    ],
)
def test_what_has_no_code_is_told_by_its_words(error: Exception, said: str, tmp_path: Path) -> None:
    """SQLite gives one code to many things."""
    with pytest.raises(StoreError, match=said), explained(tmp_path / "fairtrial.db"):
        raise error


def test_a_mistake_of_ours_stays_one(tmp_path: Path) -> None:
    """Called damage, it would have the user restore a file that is sound."""
    with pytest.raises(sqlite3.ProgrammingError), explained(tmp_path / "fairtrial.db"):
        raise sqlite3.ProgrammingError("a statement of ours")
    with pytest.raises(ZeroDivisionError), explained(tmp_path / "fairtrial.db"), sound():
        raise ZeroDivisionError


def test_an_old_sqlite_is_named_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strict tables came with 3.37; without them types would be whatever was given."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 9))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.36.9")
    with pytest.raises(StoreError, match=r"needs SQLite 3\.37\.0 or newer; this Python has 3\.36\.9"):
        Store.open(tmp_path / "fairtrial.db")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 0))
    Store.open(tmp_path / "fairtrial.db").close()


def test_a_disk_that_cannot_be_shared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks answer with another mode; processes would overwrite each other there."""
    monkeypatch.setattr(connection, "_to_write_ahead", lambda opened: "delete")
    with pytest.raises(StoreError, match="put the store on a local disk with --store"):
        Store.open(tmp_path / "fairtrial.db")


class Reluctant:
    """A connection whose first answers are refusals."""

    def __init__(self, *refusals: sqlite3.Error) -> None:
        self.refusals = list(refusals)

    def execute(self, statement: str) -> Any:
        if self.refusals:
            raise self.refusals.pop(0)
        return closing_cursor("wal")


def closing_cursor(value: str) -> Any:
    return sqlite3.connect(":memory:").execute("SELECT ?", (value,))


def to_write_ahead(opened: Any) -> str:
    return connection._to_write_ahead(opened)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_whoever_is_busy_is_waited_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that make one store at once: the second waits for the first, here as everywhere."""
    busy = complaint(sqlite3.SQLITE_BUSY, "busy")
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert to_write_ahead(Reluctant(busy, busy)) == "wal"
    assert len(slept) == 2
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        to_write_ahead(Reluctant(complaint(sqlite3.SQLITE_IOERR, "disk")))
    clock = iter([0.0, 59.0, 60.0, 60.1])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(sqlite3.OperationalError, match="busy"):
        to_write_ahead(Reluctant(busy, busy, busy))
    assert len(slept) == 4, "until a minute is over, and not a moment less"


@pytest.mark.parametrize("transaction", [writing, reading])
def test_a_transaction_that_fails_leaves_none_open(
    transaction: Callable[[sqlite3.Connection], Any], tmp_path: Path
) -> None:
    """The next one would fail for a reason that is not its own."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        opened.execute("CREATE TABLE t (x)")

        def interrupted() -> None:
            with transaction(opened):
                opened.execute("INSERT INTO t VALUES (1)")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert not opened.in_transaction
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with transaction(opened):
            opened.execute("ROLLBACK" if transaction is reading else "INSERT INTO t VALUES (2)")
        assert not opened.in_transaction


def test_a_transaction_that_cannot_begin_is_no_transaction(tmp_path: Path) -> None:
    """There is nothing to roll back, and the reason must come out as it was."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        opened.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"), writing(opened):
            raise AssertionError("never reached")
    closed = sqlite3.connect(":memory:")
    closed.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"), writing(closed):
        raise AssertionError("never reached")


def test_a_claim_of_another_trial_is_refused(tmp_path: Path) -> None:
    """It would end the wrong claim."""
    from fairtrial.store import Claim
    from fairtrial.trial import Lost

    with Store.open(tmp_path / "fairtrial.db") as store:
        claim = store.claim(trial_of(1))
        assert isinstance(claim, Claim)
        with pytest.raises(StoreError, match="the attempt is of another trial"):
            store.record_lost(claim, Lost(key=trial_of(2).key, state="failed", reason="r"), trial=trial_of(1))
        with pytest.raises(StoreError, match="the claim is for another trial"):
            store.record_lost(claim, Lost(key=trial_of(2).key, state="failed", reason="r"), trial=trial_of(2))
