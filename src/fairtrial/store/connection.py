"""Opening the file, transactions, and SQLite's complaints in words a user can act on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from fairtrial.errors import StoreError
from fairtrial.store import migrations

BUSY_SECONDS = 60.0
"""How long to wait for another process's transaction; ours last milliseconds."""

_MAGIC = b"SQLite format 3\x00"
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_FULL_BYTES = 256 * 1024
_KEYS_PER_STATEMENT = 900  # any SQLite takes 999 values


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
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            check_database(path, connection)
            _set_up(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def check_file(path: Path, *, create: bool, to_write: bool = True) -> None:
    """Raises StoreError for what cannot be a store, before anything is opened."""
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
            raise StoreError(f"{path}: {place} cannot be written; choose a --store in a place of your own")
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
    # Nothing at all in it: ours from now on (a process killed while making a store leaves such a file).
    if application != migrations.APPLICATION_ID and (application or found or anything):
        raise StoreError(f"{path} is a database of another program; choose another --store")
    if found > migrations.newest():
        raise StoreError(
            f"{path} was written by a newer fairtrial (store version {found}; this one knows up to "
            f"{migrations.newest()}): upgrade fairtrial or choose another --store"
        )


def _set_up(path: Path, connection: sqlite3.Connection) -> None:
    if _to_write_ahead(connection) != "wal":
        raise StoreError(
            f"{path}: this file system lacks what a store shared between processes needs "
            "(SQLite's WAL mode); put the store on a local disk with --store"
        )
    # In WAL mode NORMAL survives the death of any process: a committed transaction is with the
    # kernel. Only a power cut or a crashed kernel can take the last trials (never the file's
    # consistency); they would be trained again. FULL would wait for the disk at every claim.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if migrations.version(connection) < migrations.newest():
        with writing(connection):
            migrations.migrate(connection)


def _to_write_ahead(connection: sqlite3.Connection) -> str:
    """Switch to WAL. SQLite does not wait for others in this one place, so the waiting is here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def writing(connection: sqlite3.Connection) -> Generator[None]:
    """One transaction that holds the write lock from its start, so that what it reads stays true."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def reading(connection: sqlite3.Connection) -> Generator[None]:
    """Several reads of one state of the store, whatever others write meanwhile."""
    try:
        connection.execute("BEGIN")
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turn what SQLite says of the file into a StoreError that says what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:  # a mistake of ours, not of the file
        raise
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {_explanation(path, error)}") from error


def _explanation(path: Path, error: sqlite3.DatabaseError) -> str:
    code = _primary(error)
    nearly_full = shutil.disk_usage(path.parent).free < _FULL_BYTES
    if code == sqlite3.SQLITE_FULL or (
        nearly_full and code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    ):
        return "the disk is full; free some space and run again (whatever was recorded before is safe)"
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another process has kept the store locked for {BUSY_SECONDS:.0f} s; end it and try again"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"cannot be written ({error}); choose a --store in a place of your own"
        case sqlite3.SQLITE_NOTADB:
            return "is not a fairtrial store (not even a database); choose another --store"
        case sqlite3.SQLITE_CORRUPT:
            return f"is damaged ({error}); restore a copy, or move it away and train again"
        case _:
            return f"the store could not be read or written ({error})"


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the extended codes carry detail in the higher bits."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def chunks(keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The keys without repeats, as many at a time as one statement takes."""
    remaining = iter(dict.fromkeys(keys))
    while some := tuple(islice(remaining, _KEYS_PER_STATEMENT)):
        yield some
