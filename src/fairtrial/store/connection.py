"""Opening the file, transactions, and SQLite's complaints in words a user can act on."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from fairtrial.errors import StoreError
from fairtrial.store import explaining, migrations
from fairtrial.store.explaining import explained, primary, sound

_STRETCH_SECONDS = 1.0
"""How long SQLite waits at a stretch: until it returns, Python does not hear of Ctrl-C."""

LARGEST_VALUE_BYTES = 2**26
"""Of one text or blob: ours have a thousandth of it."""

_MAGIC = b"SQLite format 3\x00"
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_KEYS_PER_STATEMENT = 900  # any SQLite takes 999 values

Done = TypeVar("Done")


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open the store at `path`, made if `create`, in the newest version.

    Raises StoreError for whatever is there and is not a store of ours that can be written.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(
            f"fairtrial needs SQLite {needed} or newer; this Python has {sqlite3.sqlite_version}"
        )
    check_file(path, create=create)
    with explained(path):
        # Autocommit: transactions begin and end where `writing` and `reading` say, nowhere else.
        connection = sqlite3.connect(path, timeout=_STRETCH_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            _distrust(connection)
            check_database(path, connection)
            _set_up(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _distrust(connection: sqlite3.Connection) -> None:
    """A store may come from anywhere, damaged or made to do harm: nothing in it runs, no value of it fills the memory."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def check_file(path: Path, *, create: bool, to_write: bool = True) -> None:
    """Raises StoreError for what cannot be a store, before anything is opened."""
    try:
        _look_at(path, create=create, to_write=to_write)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise StoreError(f"{str(path)[:200]}: cannot be read: {reason}; choose another --store") from None


def _look_at(path: Path, *, create: bool, to_write: bool) -> None:
    if "\0" in str(path):
        raise ValueError
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a store is a file, for example {path / 'fairtrial.db'}")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it first or choose another --store")
    if not path.exists():
        if not create:
            raise StoreError(f"{path}: there is no store here yet; `fairtrial run STUDY` makes one")
    elif not path.is_file():
        raise StoreError(f"{path} is not an ordinary file; choose another --store")
    for place in (path, path.parent):
        if to_write and place.exists() and not os.access(place, os.W_OK):
            what = path if place == path else f"{path}: its folder"
            raise StoreError(f"{what} cannot be written; choose a --store in a place of your own")
    if path.exists():
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
        if start not in (b"", _MAGIC):
            raise StoreError(f"{path} is not a fairtrial store (not even a database); choose another --store")


def check_database(path: Path, connection: sqlite3.Connection) -> None:
    """Raises StoreError for another program's database, and for a store of a newer fairtrial."""
    # One state of the file: another process may be making this very store between two reads.
    with reading(connection):
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        found = migrations.version(connection)
        anything = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        strange = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'"
        ).fetchone()
    # Nothing at all in it: ours from now on (a process killed while making a store leaves such a file).
    if application != migrations.APPLICATION_ID and (application or found or anything):
        raise StoreError(f"{path} is a database of another program; choose another --store")
    if found > migrations.newest():
        raise StoreError(
            f"{path} was written by a newer fairtrial (store version {found}; this one knows up to "
            f"{migrations.newest()}): upgrade fairtrial or choose another --store"
        )
    if strange is not None:
        raise StoreError(
            f"{path} holds {str(strange[0])[:40]!r}, a view, trigger or virtual table, which no fairtrial makes: it was "
            "changed by hand; restore a copy, or choose another --store"
        )


def _set_up(path: Path, connection: sqlite3.Connection) -> None:
    if _to_write_ahead(connection) != "wal":
        raise StoreError(
            f"{path}: this file system lacks what a store shared between processes needs "
            "(SQLite's WAL mode); put the store on a local disk with --store"
        )
    # In WAL mode NORMAL survives the death of any process: a committed transaction is with the
    # kernel. Only a power cut, a crashed kernel or a failing disk can take the last ones (never the
    # file's consistency). FULL would wait for the disk at every claim; `to_disk` does for what was recorded.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    with reading(connection):
        found = migrations.version(connection)
    if found < migrations.newest():
        with writing(connection):
            migrations.migrate(connection)


def _to_write_ahead(connection: sqlite3.Connection) -> str:
    """Switch to WAL. SQLite itself does not wait for others in this one place."""
    return _patiently(
        lambda: str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]),
        seconds=explaining.BUSY_SECONDS,
    )


@contextmanager
def writing(connection: sqlite3.Connection, *, patience: float | None = None) -> Generator[None]:
    """One transaction that holds the write lock from its start, so that what it reads stays true.

    Waits for others so many seconds, BUSY_SECONDS unless given.
    """
    try:
        _patiently(
            lambda: connection.execute("BEGIN IMMEDIATE"),
            seconds=explaining.BUSY_SECONDS if patience is None else patience,
        )
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def to_disk(path: Path) -> None:
    """Return when all that is committed is on the disk, as far as the disk tells the truth."""
    # It is in the log, on which nobody holds a lock that closing it would lose; or, if there is none, in the store.
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return
    try:
        with log.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise sqlite3.OperationalError(error.strerror) from error


@contextmanager
def reading(connection: sqlite3.Connection) -> Generator[None]:
    """Several reads of one state of the store, whatever others write meanwhile."""

    def begin() -> None:
        connection.execute("BEGIN")
        try:
            # It is the first read that fixes the state: all waiting is done by then.
            connection.execute("PRAGMA user_version").fetchone()
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    try:
        _patiently(begin, seconds=explaining.BUSY_SECONDS)
        with sound():
            yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _patiently(act: Callable[[], Done], *, seconds: float) -> Done:
    """Try until no other process is in the way any more; after so many seconds its complaint is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def identity(path: Path) -> tuple[int, int] | None:
    """Tells the file there from any other that is put in its place; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def check_in_place(path: Path, opened: tuple[int, int] | None) -> None:
    """SQLite writes on into a file that was deleted or replaced, and all of it would be lost without a word."""
    if identity(path) != opened:
        raise StoreError(
            f"{path}: the store was moved, deleted or replaced while it was in use, and what follows would be lost; "
            "put it back, or run again to go on with what is there now"
        )


def chunks(keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The keys without repeats, as many at a time as one statement takes."""
    remaining = iter(dict.fromkeys(keys))
    while some := tuple(islice(remaining, _KEYS_PER_STATEMENT)):
        yield some
