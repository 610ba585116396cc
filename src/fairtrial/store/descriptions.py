"""What a store knows of a trial besides its outcome: enough to make it again, and to prove that it is the same."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One stored trial's identity. `settings` is its arm's canonical JSON, `number` its seed, whatever block it is of."""

    key: str
    arm_key: str
    name: str
    """The name its arm was first trained under."""
    settings: str
    data_fingerprint: str
    precision: str
    number: int
    engine_version: int


def beginning(connection: sqlite3.Connection, prefix: str, *, most: int) -> list[Description]:
    """The stored trials whose keys begin like this, in the order of their keys; no more than `most`."""
    rows = connection.execute(
        """SELECT key, trials.arm_key, name, settings, data_fingerprint, precision, seed, engine_version
           FROM trials JOIN arms ON arms.arm_key = trials.arm_key
           WHERE key >= ? AND key < ? || 'g' ORDER BY key LIMIT ?""",  # keys are hex digits
        (prefix, prefix, most),
    )
    return [_description(row) for row in rows]


def without_outcome(connection: sqlite3.Connection, prefix: str) -> bool:
    """Whether a key that begins like this has attempts that ended without an outcome, and no trial."""
    row = connection.execute(
        "SELECT 1 FROM attempts WHERE key >= ? AND key < ? || 'g' LIMIT 1", (prefix, prefix)
    )
    return row.fetchone() is not None


def _description(row: sqlite3.Row) -> Description:
    return Description(
        key=row["key"],
        arm_key=row["arm_key"],
        name=row["name"],
        settings=row["settings"],
        data_fingerprint=row["data_fingerprint"],
        precision=row["precision"],
        number=row["seed"],
        engine_version=row["engine_version"],
    )
