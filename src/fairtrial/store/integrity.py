"""Whether a store is whole: read as it lies there, never written, never upgraded."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fairtrial.errors import StoreError
from fairtrial.store import migrations
from fairtrial.store.connection import OLDEST_SQLITE, check_database, check_file
from fairtrial.store.copying import copied
from fairtrial.store.explaining import explained
from fairtrial.store.places import WEIGHTS_SUFFIX, checkpoints_folder, weights_folder, weights_path
from fairtrial.trial import keys_from

_MOST = 5
"""Of each kind of fault as many are named; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of damage: what is wrong, in a sentence without its end."""

    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A store as it lies there. `expected` are the weights files that it knows of, each with its SHA-256 by `Outcome`.

    `strays` are files beside it that belong to no trial of it; `leftover` checkpoints of trials that are finished.
    """

    version: int
    newest: int
    trials: int
    arms: int
    size: int
    faults: tuple[Fault, ...]
    expected: tuple[tuple[Path, str], ...]
    strays: tuple[Path, ...]
    leftover: tuple[Path, ...]


def sqlite_version() -> tuple[str, bool]:
    """Which SQLite this Python has, and whether that is new enough."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= OLDEST_SQLITE


def inspect(path: Path) -> Inspection:
    """Look through the store at `path`. Raises StoreError for what is no store of ours, or cannot be read at all."""
    path = path.absolute()
    check_file(path, create=False, to_write=False)
    with explained(path), _read_only(path) as connection:
        check_database(path, connection)
        version = migrations.version(connection)
        faults = tuple(found_faults(connection)) if version else ()
        whole = not any(fault.what == "structure" for fault in faults)
        expected, known = _files(connection, path) if version and whole else ((), None)
        strays, leftover = ((), ()) if known is None else _beside(path, *known)
        trials, arms = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] if version and whole else 0
            for table in ("trials", "arms")
        )
        return Inspection(
            version=version,
            newest=migrations.newest(),
            trials=trials,
            arms=arms,
            size=sum(
                one.stat().st_size for one in (path, path.with_name(f"{path.name}-wal")) if one.exists()
            ),
            faults=faults,
            expected=expected,
            strays=strays,
            leftover=leftover,
        )


def found_faults(connection: sqlite3.Connection) -> Iterator[Fault]:
    """What is wrong with the rows of a store of any version; nothing for one that is whole."""
    said = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST})")]
    if said != ["ok"]:
        yield Fault(what="structure", text=f"SQLite's integrity check finds: {'; '.join(said)}")
        return  # rows of a damaged file are not worth reading
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} without its {row[2]}" for row in broken}))
        yield Fault(
            what="references", text=f"{len(broken)} rows refer to others that are not there ({tables})"
        )
    short = [
        str(row[0])
        for row in connection.execute(
            "SELECT key FROM trials WHERE epochs <> (SELECT count(*) FROM epochs WHERE epochs.key = trials.key)"
        )
    ]
    if short:
        yield Fault(what="epochs", text=f"{_trials(short)} without all of its epochs")
    wrong = list(_wrong_keys(connection))
    if wrong:
        yield Fault(what="keys", text=f"{_trials(wrong)} under a key that does not follow from its settings")


def _wrong_keys(connection: sqlite3.Connection) -> Iterator[str]:
    """A key is the digest of all that can change a number: where it does not follow from the settings, either was changed."""
    for arm_key, settings, data, precision in connection.execute(
        "SELECT arm_key, settings, data_fingerprint, precision FROM arms"
    ).fetchall():
        rows = connection.execute(
            "SELECT key, seed, engine_version FROM trials WHERE arm_key = ?", (arm_key,)
        ).fetchall()
        for engine in sorted({row[2] for row in rows}):
            some = [row for row in rows if row[2] == engine]
            arm, keys = keys_from(
                settings, data=data, precision=precision, engine=engine, numbers=[row[1] for row in some]
            )
            yield from (
                row[0] for row, key in zip(some, keys, strict=True) if key != row[0] or arm != arm_key
            )


def _trials(keys: list[str]) -> str:
    named = ", ".join(key[:12] for key in keys[:_MOST])
    more = f" and {len(keys) - _MOST} more" if len(keys) > _MOST else ""
    return f"{len(keys)} trial{'' if len(keys) == 1 else 's'} ({named}{more})"


_Known = tuple[set[str], set[str], set[str]]


def _files(connection: sqlite3.Connection, path: Path) -> tuple[tuple[tuple[Path, str], ...], _Known]:
    """The weights there should be; and the keys of trials with weights, of all trials, and of those in training."""
    rows = connection.execute("SELECT key, weights_sha256, weights_saved FROM trials ORDER BY key").fetchall()
    claimed = {row[0] for row in connection.execute("SELECT key FROM claims")}
    expected = tuple((weights_path(path, row[0]), row[1]) for row in rows if row[2] and row[1])
    return expected, ({row[0] for row in rows if row[2]}, {row[0] for row in rows}, claimed)


def _beside(
    path: Path, weighed: set[str], finished: set[str], claimed: set[str]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Files that nothing in the store refers to, but for those of a trial in training."""
    strays: list[Path] = []
    leftover: list[Path] = []
    for file in _listed(weights_folder(path)):
        key = file.name.partition(".")[0]
        if key not in claimed and (key not in weighed or file.suffix != WEIGHTS_SUFFIX):
            strays.append(file)
    for file in _listed(checkpoints_folder(path)):
        key = file.name.partition(".")[0]
        if key in finished and key not in claimed:
            leftover.append(file)
    return tuple(strays), tuple(leftover)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.is_file())
    except OSError:
        return []


@contextmanager
def _read_only(path: Path) -> Generator[sqlite3.Connection]:
    """The file itself where SQLite can read it without writing to it; else a copy, gone afterwards."""
    with contextlib.ExitStack() as stack:
        # SQLite makes files of its own beside a store even to read it: not where nobody may.
        if os.access(path.parent, os.W_OK):
            connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        else:
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / path.name
            copied(path, copy)
            connection = sqlite3.connect(copy, isolation_level=None)
        stack.enter_context(contextlib.closing(connection))
        yield connection


def refuse_damaged(path: Path, connection: sqlite3.Connection) -> None:
    """Raises StoreError, naming `path`, if the store open there is not whole."""
    with explained(path):
        faults = list(found_faults(connection))
    if faults:
        raise StoreError(
            f"{path} is damaged or was changed by hand: {faults[0].text}; `fairtrial doctor --store {path}` says more"
        )
