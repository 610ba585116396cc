"""Pairs of arms timed in turn, to rows and back."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fairtrial.errors import StoreError
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import outcomes
from fairtrial.store.claims import timestamp
from fairtrial.store.explaining import Unsound, parsed
from fairtrial.trial import ENGINE_VERSION, Trial

_SIDES = ("first", "second")
_SIDE_COLUMNS = ("train_seconds", "fit_seconds", "process_seconds", "timed_steps", "timed_seconds")
_COLUMNS = (
    "seed", "engine_version", "machine", "processor", "device", "load_average", "other_load", "seconds",
    "provenance_id", "recorded_at", "first_arm_key", "second_arm_key",
    *(f"{side}_{column}" for side in _SIDES for column in _SIDE_COLUMNS),
)  # fmt: skip
_INSERT = f"INSERT INTO pairs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPair:
    """A pair as the store knows it."""

    times: PairTimes
    engine_version: int
    recorded_at: datetime


def insert(
    connection: sqlite3.Connection, times: PairTimes, *, first: Trial, second: Trial, now: datetime
) -> None:
    """Write the pair; the caller holds the transaction. Raises StoreError for times of other arms."""
    for trial, side in ((first, times.first), (second, times.second)):
        if trial.arm_key != side.arm_key:
            raise StoreError(
                f"the times are of arm {side.arm_key[:12]}, not of {trial.arm.name!r} ({trial.arm_key[:12]})"
            )
        if not 0 < side.train_seconds <= side.fit_seconds:
            raise StoreError(
                f"arm {trial.arm.name!r}: a training takes some time and no more than with its validations, "
                f"got {side.train_seconds} and {side.fit_seconds} seconds"
            )
        outcomes.insert_arm(connection, trial, now=now)
    values = {
        **{column: getattr(times, column) for column in _COLUMNS[:8] if column != "engine_version"},
        "engine_version": ENGINE_VERSION,
        "provenance_id": outcomes.provenance_id(connection, times.provenance),
        "recorded_at": timestamp(now),
        "first_arm_key": times.first.arm_key,
        "second_arm_key": times.second.arm_key,
        **{
            f"{side}_{column}": getattr(getattr(times, side), column)
            for side in _SIDES
            for column in _SIDE_COLUMNS
        },
    }
    connection.execute(_INSERT, [values[column] for column in _COLUMNS])


def between(connection: sqlite3.Connection, arm_key: str, other_arm_key: str) -> Iterator[StoredPair]:
    """All pairs of these two arms, whichever began, in the order they were recorded."""
    for row in connection.execute(
        """SELECT pairs.*, provenance.json AS json, a.name AS first_name, b.name AS second_name
           FROM pairs JOIN provenance ON provenance.id = provenance_id
           JOIN arms AS a ON a.arm_key = first_arm_key JOIN arms AS b ON b.arm_key = second_arm_key
           WHERE (first_arm_key, second_arm_key) IN (VALUES (?, ?), (?, ?)) ORDER BY pairs.id""",
        (arm_key, other_arm_key, other_arm_key, arm_key),
    ):
        yield StoredPair(
            times=PairTimes(
                seed=row["seed"],
                first=_side(row, "first"),
                second=_side(row, "second"),
                machine=row["machine"],
                processor=row["processor"],
                device=row["device"],
                load_average=row["load_average"],
                other_load=row["other_load"],
                seconds=row["seconds"],
                provenance=parsed(row["json"], "where a pair was timed", dict),
            ),
            engine_version=row["engine_version"],
            recorded_at=datetime.fromisoformat(row["recorded_at"]),
        )


def _side(row: sqlite3.Row, side: str) -> ArmTimes:
    train, fit = row[f"{side}_train_seconds"], row[f"{side}_fit_seconds"]
    # As it was asked when they were recorded: a ratio of anything else would be no number.
    if not (isinstance(train, float) and isinstance(fit, float) and 0 < train <= fit < math.inf):
        raise Unsound(f"a pair with {train!r} and {fit!r} seconds")
    return ArmTimes(
        arm_key=row[f"{side}_arm_key"],
        arm_name=row[f"{side}_name"],
        **{column: row[f"{side}_{column}"] for column in _SIDE_COLUMNS},
    )
