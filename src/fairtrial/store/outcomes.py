"""Outcomes and attempts to rows, and attempts back; `stored` reads outcomes."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fairtrial.errors import StoreError
from fairtrial.store import predictions
from fairtrial.store.claims import timestamp
from fairtrial.trial import (
    ENGINE_VERSION,
    METRICS,
    EpochRecord,
    Lost,
    Outcome,
    Trial,
    canonical,
    data_fingerprint,
)

PHASES = ("setup", "train", "validation", "last_epoch", "test", "fit")
"""The phases of a trial that have a column, `<phase>_seconds`."""

SHARES = tuple(name for name in METRICS if "accuracy" in name or name == "validation_seen")
"""Metrics that say how many of all: from 0 to 1."""

By = Literal["key", "arm_key"]
"""What rows are looked up by: the trials' own keys, or their arms'."""

SECONDS_COLUMNS = tuple(f"{phase}_seconds" for phase in PHASES)
_TRIAL_COLUMNS = (
    "key", "arm_key", "seed", "engine_version", "state", "reason", "epochs", *METRICS, *SECONDS_COLUMNS,
    "weights_sha256", "weights_saved", "provenance_id", "recorded_at",
)  # fmt: skip
_EPOCH_COLUMNS = (
    "key", "epoch", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss",
    "train_seconds", "validation_seconds",
)  # fmt: skip


def _insertion(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_INSERT_TRIAL = _insertion("trials", _TRIAL_COLUMNS)
_INSERT_EPOCH = _insertion("epochs", _EPOCH_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One training that ended without an outcome. `number` counts from 1; times in UTC."""

    key: str
    number: int
    state: Literal["failed", "stopped"]
    reason: str
    began: datetime
    ended: datetime
    host: str
    pid: int


def check(outcome: Outcome, *, trial: Trial) -> None:
    """Refuse what could not come back as it went in. Raises StoreError."""
    where = f"trial {trial.key[:12]} (arm {trial.arm.name!r}, seed {trial.number})"
    if outcome.key != trial.key:
        raise StoreError(f"{where}: the outcome is of another trial, {outcome.key[:12]}")
    for kind, given, allowed in (
        ("metric", outcome.metrics, METRICS),
        ("phase", outcome.seconds, PHASES),
    ):
        for name, value in given.items():
            if name not in allowed:
                raise StoreError(f"{where}: unknown {kind} {name!r}; the store has {', '.join(allowed)}")
            if math.isnan(value):
                raise StoreError(f"{where}: {kind} {name!r} is not a number; such a trial has diverged")
            if name in SHARES and not 0 <= value <= 1:
                raise StoreError(f"{where}: {kind} {name!r} is a share from 0 to 1, got {value!r}")
    if [record.epoch for record in outcome.history] != list(range(1, outcome.epochs + 1)):
        raise StoreError(
            f"{where}: {outcome.epochs} epochs need records 1 to {outcome.epochs}, "
            f"got {[record.epoch for record in outcome.history]}"
        )


def insert(
    connection: sqlite3.Connection, outcome: Outcome, *, trial: Trial, weights: bool, now: datetime
) -> None:
    """Write the outcome with everything that belongs to it; the caller holds the transaction."""
    insert_arm(connection, trial, now=now)
    values: dict[str, Any] = {
        "key": outcome.key,
        "arm_key": trial.arm_key,
        "seed": trial.number,
        "engine_version": ENGINE_VERSION,
        "state": outcome.state,
        "reason": _text(outcome.reason),
        "epochs": outcome.epochs,
        **{f"{phase}_seconds": seconds for phase, seconds in outcome.seconds.items()},
        "weights_sha256": outcome.weights_sha256,
        "weights_saved": int(weights),
        "provenance_id": provenance_id(connection, outcome.provenance),
        "recorded_at": timestamp(now),
        **outcome.metrics,
    }
    connection.execute(_INSERT_TRIAL, [values.get(column) for column in _TRIAL_COLUMNS])
    connection.executemany(_INSERT_EPOCH, [_epoch_row(outcome.key, record) for record in outcome.history])
    if outcome.predictions is not None:
        connection.execute(
            "INSERT INTO predictions (key, images, evaluations, classes, probabilities, right_counts) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (outcome.key, *predictions.pack(outcome.predictions)),
        )


def insert_arm(connection: sqlite3.Connection, trial: Trial, *, now: datetime) -> None:
    # Asked first, because its settings take longer to write out than a whole outcome.
    if connection.execute("SELECT 1 FROM arms WHERE arm_key = ?", (trial.arm_key,)).fetchone():
        return
    connection.execute(
        "INSERT INTO arms (arm_key, name, settings, data_fingerprint, precision, first_seen) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            trial.arm_key,
            trial.arm.name,
            _json(canonical(trial.arm)),
            data_fingerprint(trial.arm),
            trial.precision,
            timestamp(now),
        ),
    )


def insert_attempt(
    connection: sqlite3.Connection,
    lost: Lost,
    *,
    trial: Trial,
    began: datetime,
    ended: datetime,
    host: str,
    pid: int,
) -> None:
    insert_arm(connection, trial, now=ended)
    connection.execute(
        """INSERT INTO attempts
           (key, number, arm_key, seed, engine_version, state, reason, began, ended, host, pid)
           VALUES (?, (SELECT 1 + count(*) FROM attempts WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            lost.key, lost.key, trial.arm_key, trial.number, ENGINE_VERSION, lost.state, _text(lost.reason),
            timestamp(began), timestamp(ended), host, pid,
        ),
    )  # fmt: skip


def attempts(connection: sqlite3.Connection, values: Sequence[str], *, by: By = "key") -> Iterator[Attempt]:
    """In the order they were made, for each key; of these keys, or of these arms."""
    marks = ",".join("?" * len(values))
    for row in connection.execute(
        f"SELECT * FROM attempts WHERE {by} IN ({marks}) ORDER BY key, number", tuple(values)
    ):
        yield Attempt(
            key=row["key"],
            number=row["number"],
            state=row["state"],
            reason=row["reason"],
            began=datetime.fromisoformat(row["began"]),
            ended=datetime.fromisoformat(row["ended"]),
            host=row["host"],
            pid=row["pid"],
        )


def _epoch_row(key: str, record: EpochRecord) -> tuple[str | int | float, ...]:
    return (
        key,
        record.epoch,
        record.train_accuracy,
        record.train_loss,
        record.validation_accuracy,
        record.validation_loss,
        record.train_seconds,
        record.validation_seconds,
    )


def provenance_id(connection: sqlite3.Connection, provenance: dict[str, str]) -> int:
    text = _json(provenance)
    connection.execute("INSERT OR IGNORE INTO provenance (json) VALUES (?)", (text,))
    return int(connection.execute("SELECT id FROM provenance WHERE json = ?", (text,)).fetchone()["id"])


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _text(reason: str) -> str:
    """What a dying program said may not be proper Unicode; SQLite takes nothing else."""
    return reason.encode("utf-8", "backslashreplace").decode("utf-8")
