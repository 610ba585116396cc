"""Who trains what now, so that no trial is trained twice at once."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fairtrial.errors import StoreError
from fairtrial.store.explaining import sound
from fairtrial.store.owner import Owner, life

HEARTBEAT_EXPIRES = timedelta(minutes=10)
"""A claim whose owner cannot be looked at is given up after this silence."""


_unreturned: set[str] = set()
"""Tokens of this process's claims that could not be given back: it lives on, and their trials are nobody's."""


class StaleClaim(StoreError):
    """The claim is no longer ours: taken over after a long silence, or used up already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to train this trial and to record what comes of it, once."""

    key: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that trains a trial, or did when it was last heard of. Times in UTC."""

    key: str
    pid: int
    host: str
    since: datetime
    heartbeat: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Somebody is training this trial already, perhaps this very process."""

    key: str
    pid: int
    host: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """This trial has its final outcome already."""

    key: str


def standing(connection: sqlite3.Connection, key: str, *, here: Owner, now: datetime) -> Known | Taken | None:
    """What keeps this trial from being claimed; None if nothing does."""
    if connection.execute("SELECT 1 FROM trials WHERE key = ?", (key,)).fetchone():
        return Known(key=key)
    for holder in holders(connection, (key,), here=here, now=now):
        return Taken(key=key, pid=holder.pid, host=holder.host, since=holder.since)
    return None


def insert(connection: sqlite3.Connection, key: str, *, here: Owner, now: datetime) -> Claim:
    """Claim the trial, in place of whatever dead owner had it. Ask `standing` first."""
    token = secrets.token_hex(16)
    connection.execute(
        """INSERT OR REPLACE INTO claims
           (key, token, host, boot_id, pid_namespace, pid, started, claimed_at, heartbeat)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            key, token, here.host, here.boot_id, here.pid_namespace, here.pid, here.started,
            timestamp(now), timestamp(now),
        ),
    )  # fmt: skip
    return Claim(key=key, token=token)


def surrender(connection: sqlite3.Connection, claim: Claim) -> datetime:
    """Delete the claim and return when it was made. Raises StaleClaim if it is no longer ours."""
    row = connection.execute(
        "DELETE FROM claims WHERE key = ? AND token = ? RETURNING claimed_at", (claim.key, claim.token)
    ).fetchone()
    if row is None:
        raise StaleClaim(
            f"trial {claim.key[:12]}: the claim is no longer this process's own (another took the trial "
            "over, or it was recorded or released already); nothing was stored"
        )
    with sound():
        return datetime.fromisoformat(row["claimed_at"])


def leave(claims: Iterable[Claim]) -> None:
    """Let go of claims that the store did not take back, or this process would wait for itself for ever."""
    _unreturned.update(claim.token for claim in claims)


def heartbeat(connection: sqlite3.Connection, claims: Iterable[Claim], *, now: datetime) -> tuple[Claim, ...]:
    """Say that these claims' owner lives; return those that are no longer its own."""
    lost: list[Claim] = []
    for claim in claims:
        done = connection.execute(
            "UPDATE claims SET heartbeat = ? WHERE key = ? AND token = ?",
            (timestamp(now), claim.key, claim.token),
        )
        if done.rowcount == 0:
            lost.append(claim)
    return tuple(lost)


def holders(
    connection: sqlite3.Connection, keys: Sequence[str], *, here: Owner, now: datetime, alive: bool = True
) -> list[Holder]:
    """The live claims among `keys` (few enough for one statement); or, not `alive`, those whose owner is gone."""
    marks = ",".join("?" * len(keys))
    rows = connection.execute(f"SELECT * FROM claims WHERE key IN ({marks})", tuple(keys)).fetchall()
    with sound():
        return list(_held(rows, here=here, now=now, alive=alive))


def _held(rows: Iterable[sqlite3.Row], *, here: Owner, now: datetime, alive: bool) -> Iterator[Holder]:
    for row in rows:
        owner = Owner(
            host=row["host"],
            boot_id=row["boot_id"],
            pid_namespace=row["pid_namespace"],
            pid=row["pid"],
            started=row["started"],
        )
        holder = Holder(
            key=row["key"],
            pid=owner.pid,
            host=owner.host,
            since=datetime.fromisoformat(row["claimed_at"]),
            heartbeat=datetime.fromisoformat(row["heartbeat"]),
        )
        seen = "dead" if row["token"] in _unreturned else life(owner, here=here)
        # A heartbeat from the future comes from a clock that was put back since: as old as it seems young.
        silent = abs(now - holder.heartbeat) > HEARTBEAT_EXPIRES
        if (seen == "alive" or (seen == "unknown" and not silent)) is alive:
            yield holder


def timestamp(moment: datetime) -> str:
    """UTC in ISO 8601 of one length, so that text order is time order."""
    return moment.isoformat(timespec="milliseconds")
