"""What every connection to a store is told before anything is read, and what is refused on the way there."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fairtrial import store
from fairtrial.errors import StoreError
from fairtrial.store import Store, connection, copying, explaining
from fairtrial.store.connection import chunks, connect, reading
from fairtrial.store.explaining import parsed, sound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with nothing in it yet."""
    made = tmp_path / "fairtrial.db"
    connect(made, create=True).close()
    return made


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        connect(path, create=True)
    return str(caught.value)


def test_nothing_in_a_store_runs_and_none_of_its_values_fills_the_memory(path: Path) -> None:
    """It may come from anywhere: SQLite's own defaults trust what is in a file."""
    with closing(connect(path, create=False)) as opened:
        settings = {
            name: opened.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("trusted_schema", "cell_size_check", "foreign_keys")
        }
        assert settings == {"trusted_schema": 0, "cell_size_check": 1, "foreign_keys": 1}
        assert opened.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == 64 * 2**20
        with pytest.raises(sqlite3.DataError, match="too big"):
            opened.execute("SELECT length(zeroblob(?))", (64 * 2**20 + 1,))


def test_a_claim_waits_for_no_disk_and_ctrl_c_is_heard_after_a_second(path: Path) -> None:
    """FULL would wait at every claim; and while SQLite itself waits for a lock, Python hears nothing."""
    with closing(connect(path, create=False)) as opened:
        assert opened.execute("PRAGMA synchronous").fetchone()[0] == 1, "NORMAL"
        assert opened.execute("PRAGMA busy_timeout").fetchone()[0] == 1000
        assert opened.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_store_that_is_refused_is_not_kept_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook, where the error is shown and the process lives on, it could not be replaced."""
    seen: list[sqlite3.Connection] = []

    def refuse(_: Path, opened: sqlite3.Connection) -> None:
        seen.append(opened)
        raise StoreError("no")

    monkeypatch.setattr(connection, "check_database", refuse)
    assert refusal(path) == "no"
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        seen[0].execute("SELECT 1")


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW harmless AS SELECT 1",
        "CREATE TRIGGER harmless AFTER INSERT ON trials BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE harmless USING fts5(text)",
    ],
)
def test_a_store_with_something_in_it_that_runs_is_refused(made: str, path: Path) -> None:
    """A view without end would keep whoever reads it waiting; no fairtrial has ever made one."""
    with closing(sqlite3.connect(path)) as opened:
        opened.execute(made)
    assert f"{path} holds 'harmless" in refusal(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 300, "cannot be read: File name too long"),
        ("a\0b", "cannot be read: no file can have this name; choose"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_for_its_reason(name: str, said: str, tmp_path: Path) -> None:
    """The system's own reason where it has one, ours where it has none."""
    assert said in refusal(tmp_path / name)


@pytest.mark.parametrize("which", ["store", "folder"])
def test_what_cannot_be_written_is_named(which: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store or its folder: they are mended in different places."""
    closed = path if which == "store" else path.parent
    monkeypatch.setattr(connection.os, "access", lambda place, mode: place != closed)
    said = "" if which == "store" else ": its folder"
    assert refusal(path) == f"{path}{said} cannot be written; choose a --store in a place of your own"
    connection.check_file(path, create=False, to_write=False)


class Busy:
    """A connection whose first reads find another process in the way."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.said: list[str] = []
        self.in_transaction = False

    def execute(self, statement: str) -> Busy:
        self.said.append(statement)
        if statement.startswith("PRAGMA") and self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        if not statement.startswith("PRAGMA"):
            self.in_transaction = statement == "BEGIN"
        return self

    def fetchone(self) -> tuple[int]:
        return (1,)


def test_all_waiting_is_done_before_the_first_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock met in the midst of several reads would be told as one that nobody waited for."""
    slept: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", slept.append)
    busy: Any = Busy(2)
    with reading(busy):
        assert busy.said == [
            *["BEGIN", "PRAGMA user_version", "ROLLBACK"] * 2,
            "BEGIN",
            "PRAGMA user_version",
        ]
        assert busy.in_transaction
    assert busy.said[-1] == "ROLLBACK"
    assert len(slept) == 2 and max(slept) < 0.1, "asked again soon"


def test_keys_go_into_statements_that_any_sqlite_takes() -> None:
    """Older ones take 999 values; none is lost where one statement ends, and none is asked for twice."""
    keys = [str(number) for number in range(2000)]
    some = list(chunks([*keys, *keys]))
    assert [key for part in some for key in part] == keys
    assert max(map(len, some)) <= 999
    assert list(chunks([])) == []


def fault_of_writing(folder: Path) -> int:
    return explaining._fault_of_writing(folder)  # pyright: ignore[reportPrivateUsage]


def test_the_disk_is_asked_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says the same of most faults; the system says which it was."""
    assert fault_of_writing(tmp_path) == 0
    assert fault_of_writing(tmp_path / "nowhere") == errno.ENOENT
    assert not list(tmp_path.iterdir())

    def refuse(number: int | None) -> Callable[..., None]:
        def refused(**_: object) -> None:
            raise OSError(number, "no") if number else OSError("of no number")

        return refused

    for number, expected in ((errno.ENOSPC, errno.ENOSPC), (None, 0)):
        monkeypatch.setattr(explaining.tempfile, "TemporaryFile", refuse(number))
        assert fault_of_writing(tmp_path) == expected


@pytest.mark.parametrize(
    ("code", "number", "said"),
    [
        (sqlite3.SQLITE_IOERR, errno.EDQUOT, "the disk is full"),
        (sqlite3.SQLITE_READONLY, errno.EFBIG, "the disk is full"),
        (sqlite3.SQLITE_IOERR, errno.EROFS, "its disk has become read-only"),
        (sqlite3.SQLITE_CANTOPEN, errno.EROFS, "its disk has become read-only"),
        (sqlite3.SQLITE_READONLY, errno.EROFS, "its disk has become read-only"),
        (sqlite3.SQLITE_BUSY, errno.EROFS, "kept the store locked"),
        (sqlite3.SQLITE_AUTH, 0, "cannot be written (something)"),
        (sqlite3.SQLITE_FORMAT, 0, "is damaged (something)"),
    ],
)
def test_a_fault_of_the_disk_is_told_as_the_system_tells_it(
    code: int, number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota, a limit on files and a disk given up by the kernel: each is mended elsewhere."""
    asked: list[Path] = []

    def fault(folder: Path) -> int:
        asked.append(folder)
        return number

    monkeypatch.setattr(explaining, "_fault_of_writing", fault)
    error = sqlite3.OperationalError("something")
    error.sqlite_errorcode = code
    with pytest.raises(StoreError) as caught, explaining.explained(tmp_path / "fairtrial.db"):
        raise error
    assert said in str(caught.value)
    disk = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    assert asked == [tmp_path] * disk, "and where it is the disk's business alone"


def test_what_rows_cannot_mean_is_told_in_one_short_line(tmp_path: Path) -> None:
    """A value of a megabyte, or of many lines, must not fill the screen."""
    told: list[str] = []
    for spoilt in (
        lambda: parsed("{" * 500, "the parameters", dict),
        lambda: parsed("[1]", "the parameters", dict),
        lambda: int("seven\n" * 100),
        lambda: {}["key"],
    ):
        with pytest.raises(StoreError) as caught, explaining.explained(tmp_path / "s.db"), sound():
            spoilt()
        told.append(str(caught.value))
    assert all("\n" not in one and len(one) < len(str(tmp_path)) + 400 for one in told)
    assert all("changed by hand; restore a copy, or move it away" in one for one in told)
    assert f"(the parameters cannot be read: it says '{'{' * 40}')" in told[0]
    assert "(the parameters cannot be read: it says '[1]')" in told[1]
    assert "(invalid literal for int() with base 10: 'seven" in told[2]
    assert "(rows that do not fit together)" in told[3]


def test_long_words_of_sqlite_are_cut(tmp_path: Path) -> None:
    """It may quote a column of any length from a file that somebody made."""
    error = sqlite3.OperationalError("no such column:\n" + "x" * 1000)
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    with pytest.raises(StoreError) as caught, explaining.explained(tmp_path / "s.db"):
        raise error
    assert f"not whole (no such column: {'x' * 184})" in str(caught.value)


def test_what_the_store_offers_is_listed() -> None:
    """Whoever reads the list finds each name there, in the order of the alphabet."""
    assert store.__all__ == sorted(store.__all__, key=lambda name: (name.islower(), name))
    assert all(getattr(store, name).__module__.startswith("fairtrial.store.") for name in store.__all__)
    assert {"Store", "Claim", "Taken", "Known"} <= set(store.__all__)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            sqlite3.SQLITE_FULL,
            "the disk is full; free some space and run again (whatever was recorded before is safe)",
        ),
        (sqlite3.SQLITE_NOTADB, "is not a fairtrial store (not even a database); choose another --store"),
    ],
)
def test_a_complaint_is_the_file_and_one_sentence(code: int, said: str, tmp_path: Path) -> None:
    """Word by word: it is all that somebody sees in the morning."""
    error = sqlite3.OperationalError("something")
    error.sqlite_errorcode = code
    with pytest.raises(StoreError) as caught, explaining.explained(tmp_path / "s.db"):
        raise error
    assert str(caught.value) == f"{tmp_path / 's.db'}: {said}"


def test_text_that_is_no_text_is_damage_and_no_fault_of_the_disk(path: Path) -> None:
    """Python finds it, not SQLite, and gives it no code."""
    with Store.open(path) as opened:
        put = "INSERT INTO plans VALUES (1, 's', 'x', CAST(x'ff41' AS TEXT), '{}', '2026-01-01')"
        opened._connection.execute(put)  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(StoreError, match=r"is damaged or not whole \(Could not decode to UTF-8 column"):
            opened.plans()


def test_a_copy_is_made_by_sqlite_where_it_can(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File by file it would not be whole while somebody writes."""

    def refuse(*_: object) -> None:
        raise AssertionError("copied file by file")

    how: list[object] = []
    connect = sqlite3.connect

    def noted(where: str | Path, **more: Any) -> sqlite3.Connection:
        how.append((str(where), more.get("uri", False)))
        return connect(where, **more)

    monkeypatch.setattr(copying.shutil, "copyfile", refuse)
    with Store.open(path) as writer:
        writer.add_plan(study="s", sha256="x", plan="{}", seen={})
        monkeypatch.setattr(sqlite3, "connect", noted)
        copying.copied(path, path.with_name("copy.db"))
    assert how == [(f"file:{path}?mode=ro", True), (str(path.with_name("copy.db")), False)]
    with Store.open(path.with_name("copy.db")) as copy:
        assert [one.study for one in copy.plans()] == ["s"]


def test_a_copy_that_cannot_be_made_names_the_store(tmp_path: Path) -> None:
    """The copy's own name would lead nowhere."""
    with pytest.raises(StoreError, match=r"none\.db cannot be read: No such file or directory"):
        copying.copied(tmp_path / "none.db", tmp_path / "copy.db")
