"""The shape of a store through the versions: appended, never edited.

A fresh store is made from schema.sql, which is the newest shape. MIGRATIONS[0] brings a store of
version 1 to version 2, and so on; a test checks that both ways end in the same shape, starting from
a store of version 1 that is kept beside the tests.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files

_PLANS_AND_LOOKS = """
CREATE TABLE plans (
    id            INTEGER PRIMARY KEY,
    study         TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    plan          TEXT NOT NULL,
    seen          TEXT NOT NULL,
    registered_at TEXT NOT NULL
) STRICT;
CREATE INDEX plans_by_study ON plans (study, id);
CREATE TABLE unplanned (
    key TEXT PRIMARY KEY REFERENCES trials ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE verdicts (
    sha256   TEXT PRIMARY KEY,
    study    TEXT NOT NULL,
    question TEXT NOT NULL,
    terms    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_by_study ON verdicts (study);
CREATE TABLE looks (
    terms_sha256      TEXT NOT NULL REFERENCES verdicts,
    n                 INTEGER NOT NULL,
    seeds             TEXT NOT NULL,
    estimate          REAL,
    sd                REAL,
    margin            REAL NOT NULL,
    sign_level        REAL NOT NULL,
    low               REAL,
    high              REAL,
    equivalence_level REAL NOT NULL,
    equivalence_low   REAL,
    equivalence_high  REAL,
    alone             TEXT NOT NULL,
    verdict           TEXT NOT NULL,
    recorded_at       TEXT NOT NULL,
    PRIMARY KEY (terms_sha256, n)
) STRICT, WITHOUT ROWID;
INSERT INTO unplanned SELECT key FROM trials;
"""
"""Version 2: plans, and the looks that verdicts came from. Trials already there have no known plan."""

_PAIRS = """
-- Two arms timed in turn (first, second, second, first) for questions about time: one row per pair, in the
-- order of their ids. Seconds are those of a whole training, scaled from the timed ones.
CREATE TABLE pairs (
    id                     INTEGER PRIMARY KEY,
    first_arm_key          TEXT NOT NULL REFERENCES arms,
    second_arm_key         TEXT NOT NULL REFERENCES arms,
    seed                   INTEGER NOT NULL,
    engine_version         INTEGER NOT NULL,
    machine                TEXT NOT NULL,
    processor              TEXT NOT NULL,
    device                 TEXT NOT NULL,
    first_train_seconds    REAL NOT NULL,
    first_fit_seconds      REAL NOT NULL,
    first_process_seconds  REAL NOT NULL,
    first_timed_steps      INTEGER NOT NULL,
    first_timed_seconds    REAL NOT NULL,
    second_train_seconds   REAL NOT NULL,
    second_fit_seconds     REAL NOT NULL,
    second_process_seconds REAL NOT NULL,
    second_timed_steps     INTEGER NOT NULL,
    second_timed_seconds   REAL NOT NULL,
    load_average           REAL,  -- of the last minute, when the pair began; NULL where the system keeps none
    other_load             REAL,  -- processor cores that anything but this pair kept busy; NULL if unknown
    seconds                REAL NOT NULL,  -- the whole pair, warm-up included
    provenance_id          INTEGER NOT NULL REFERENCES provenance,
    recorded_at            TEXT NOT NULL
) STRICT;

CREATE INDEX pairs_by_arms ON pairs (first_arm_key, second_arm_key);
"""

_PROPOSALS = """
CREATE TABLE proposals (
    search      TEXT NOT NULL,     -- SHA-256 of what is searched: baseline, space, metric, way of proposing
    number      INTEGER NOT NULL,  -- from 0, in the order of proposing
    parameters  TEXT NOT NULL,     -- JSON: each parameter's value by its name
    arm_key     TEXT NOT NULL,
    scores      TEXT NOT NULL,     -- JSON: of one that was stopped, the score after each epoch; else null
    proposed_at TEXT NOT NULL,
    PRIMARY KEY (search, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE selections (
    study       TEXT NOT NULL,
    question    TEXT NOT NULL,
    basis       TEXT NOT NULL,     -- SHA-256 of what was selected from
    selected    TEXT NOT NULL,     -- JSON: what
    block       INTEGER NOT NULL,  -- where the seeds begin on which it is judged
    selected_at TEXT NOT NULL,
    PRIMARY KEY (study, question, basis)
) STRICT, WITHOUT ROWID;
"""
"""Version 4: searches, and what was selected."""

MIGRATIONS: tuple[str, ...] = (_PLANS_AND_LOOKS, _PAIRS, _PROPOSALS)

APPLICATION_ID = 0x66747231
"""Bytes "ftr1" in the file's header: tells our stores from other programs' databases."""


def version(connection: sqlite3.Connection) -> int:
    """The store's version; 0 for one that has nothing in it yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def newest(migrations: Sequence[str] = MIGRATIONS) -> int:
    """The version this program writes."""
    return 1 + len(migrations)


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the store to the newest version. Inside a transaction: all of it happens, or nothing.

    The version is read here, under the caller's write lock, because another process may have
    made or upgraded the store since it was looked at.
    """
    found = version(connection)
    if found == 0:
        steps = [files("fairtrial.store").joinpath("schema.sql").read_text(encoding="utf-8")]
    else:
        steps = list(migrations[found - 1 :])
    for step in steps:
        for statement in statements(step):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {newest(migrations)}")


def statements(script: str) -> Iterator[str]:
    """The script's statements one by one: `executescript` would commit the open transaction first."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
