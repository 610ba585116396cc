"""Stored outcomes back from their rows: of some keys, of some arms, or whatever came last."""

from __future__ import annotations

import gc
import math
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

from fairtrial.store import outcomes
from fairtrial.store.explaining import Unsound, parsed
from fairtrial.store.outcomes import PHASES, SECONDS_COLUMNS, SHARES, By
from fairtrial.trial import METRICS, EpochRecord, Lost, Outcome, StoredTrial

_FIRST_COLUMNS = (
    "key", "arm_key", "seed", "engine_version", "state", "reason", "epochs", "weights_sha256", "provenance_id",
)  # fmt: skip
_COLUMNS = ", ".join(f"trials.{column}" for column in (*_FIRST_COLUMNS, *METRICS, *SECONDS_COLUMNS))
_IMPLAUSIBLE = " OR ".join(f"trials.{column} NOT BETWEEN 0 AND 1" for column in SHARES)
_METRICS = slice(len(_FIRST_COLUMNS), len(_FIRST_COLUMNS) + len(METRICS))
_SECONDS = slice(_METRICS.stop, _METRICS.stop + len(PHASES))
_NUMBERS = frozenset((float, type(None)))


def of_keys(connection: sqlite3.Connection, keys: Sequence[str], *, history: bool) -> list[StoredTrial]:
    """The final outcomes of these keys, without predictions, in no order."""
    return _stored(connection, f"key IN ({_marks(keys)})", keys, by="key", history=history)


def of_arms(
    connection: sqlite3.Connection,
    arm_keys: Sequence[str],
    *,
    engine_version: int,
    block: int,
    last_seed: int,
    history: bool,
) -> list[StoredTrial]:
    """The arms' final outcomes from seed 1 to `last_seed` of a block, without predictions, of each arm in seed order."""
    where = (
        f"arm_key IN ({_marks(arm_keys)}) AND engine_version = {engine_version:d} "
        f"AND seed BETWEEN {block + 1:d} AND {block + last_seed:d}"
    )
    return _stored(connection, where, arm_keys, by="arm_key", history=history, block=block)


def known(connection: sqlite3.Connection, keys: Sequence[str]) -> list[str]:
    """Those of the keys that have a final outcome."""
    rows = connection.execute(f"SELECT key FROM trials WHERE key IN ({_marks(keys)})", tuple(keys))
    return [row["key"] for row in rows]


def other_engines(
    connection: sqlite3.Connection, arm_keys: Sequence[str], *, own: int
) -> list[tuple[str, int, int]]:
    """Arm, engine version and how many trials there are of these, `own` version left out."""
    return (
        _plain(connection)
        .execute(
            f"""SELECT arm_key, engine_version, count(*) FROM trials
                WHERE arm_key IN ({_marks(arm_keys)}) AND engine_version <> ?
                GROUP BY arm_key, engine_version ORDER BY arm_key, engine_version""",
            (*arm_keys, own),
        )
        .fetchall()
    )


def _stored(
    connection: sqlite3.Connection,
    where: str,
    values: Sequence[str],
    *,
    by: By,
    history: bool,
    block: int = 0,
) -> list[StoredTrial]:
    records: dict[str, tuple[EpochRecord, ...]] = {}
    with without_search_for_cycles():
        if history:
            rows = _plain(connection).execute(
                f"""SELECT key, {", ".join(EpochRecord._fields)} FROM epochs
                    WHERE key IN (SELECT key FROM trials WHERE {where}) ORDER BY key, epoch""",
                tuple(values),
            )
            records = {key: tuple(map(_epoch_record, of_key)) for key, of_key in groupby(rows, itemgetter(0))}
        # An index holds the trials of an arm in this order; that of the keys has none to offer.
        order = "ORDER BY arm_key, seed" if by == "arm_key" else ""
        rows = _plain(connection).execute(
            f"SELECT {_COLUMNS}, {_IMPLAUSIBLE} FROM trials WHERE {where} {order}", tuple(values)
        )
        attempts = list(outcomes.attempts(connection, values, by=by))
        return _trials(connection, rows, records, attempts, block=block)


def _trials(
    connection: sqlite3.Connection,
    rows: sqlite3.Cursor,
    records: Mapping[str, tuple[EpochRecord, ...]],
    attempts: Sequence[outcomes.Attempt],
    *,
    block: int,
) -> list[StoredTrial]:
    lost: dict[str, list[Lost]] = {}
    for attempt in attempts:
        lost.setdefault(attempt.key, []).append(
            Lost(key=attempt.key, state=attempt.state, reason=attempt.reason)
        )
    arms: dict[str, sqlite3.Row] = {}
    origins: dict[int, dict[str, str]] = {}
    found: list[StoredTrial] = []
    for row in rows:
        key, arm_key, seed, engine_version, state, reason, epochs, weights_sha256, origin = row[
            : _METRICS.start
        ]
        if arm_key not in arms:
            arms[arm_key] = connection.execute("SELECT * FROM arms WHERE arm_key = ?", (arm_key,)).fetchone()
        if origin not in origins:
            text = connection.execute("SELECT json FROM provenance WHERE id = ?", (origin,)).fetchone()[
                "json"
            ]
            origins[origin] = parsed(text, "where a trial was trained", dict)
        if row[-1] or not _NUMBERS.issuperset(map(type, row[_METRICS.start : _SECONDS.stop])):
            raise Unsound(f"trial {str(key)[:12]} has a metric that cannot be one")
        found.append(
            StoredTrial(
                key=key,
                arm_key=arm_key,
                arm_name=arms[arm_key]["name"],
                seed=seed - block,
                precision=arms[arm_key]["precision"],
                engine_version=engine_version,
                outcome=Outcome(
                    key=key,
                    state=state,
                    epochs=epochs,
                    metrics=_measured(METRICS, row[_METRICS]),
                    seconds=_measured(PHASES, row[_SECONDS]),
                    history=records.get(key, ()),
                    provenance=origins[origin],
                    weights_sha256=weights_sha256,
                    reason=reason,
                ),
                attempts=tuple(lost.get(key, ())),
            )
        )
    return found


def _measured(names: Sequence[str], values: Sequence[float | None]) -> dict[str, float]:
    if None in values:
        return {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return dict(zip(names, cast("Sequence[float]", values), strict=True))


def _epoch_record(row: tuple[Any, ...]) -> EpochRecord:
    """From a row of the key and a record's fields in their order; SQLite keeps a NaN as NULL."""
    if None in row:
        return EpochRecord._make(math.nan if value is None else value for value in row[1:])
    return EpochRecord._make(row[1:])


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _plain(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """A cursor whose rows are tuples: to find each of thirty columns by its name takes longer than to read the row."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor


@contextmanager
def without_search_for_cycles() -> Generator[None]:
    """Among a hundred thousand new values, none of them garbage, the search takes as long as reading them."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
