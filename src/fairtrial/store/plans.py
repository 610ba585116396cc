"""Plans and looks to rows and back: what a study promised, and what each look at it gave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairtrial.store.claims import timestamp
from fairtrial.store.explaining import parsed
from fairtrial.trial import BLOCK

_LOOK_COLUMNS = (
    "terms_sha256", "n", "seeds", "estimate", "sd", "margin", "sign_level", "low", "high",
    "equivalence_level", "equivalence_low", "equivalence_high", "alone", "verdict", "recorded_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """What a study set out to ask, as it was written before any further trial.

    `plan` is canonical JSON and `sha256` its digest. `seen` counts, by arm key, the trials that were
    stored by then; arms without any are left out.
    """

    study: str
    sha256: str
    plan: str
    seen: Mapping[str, int]
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLook:
    """What was known of one verdict after `n` seeds, in the contrasts' unit.

    A bound, an estimate or a spread is None where there is none; both bounds then are infinite.
    `alone` is what this look settles by itself, `verdict` what stands after all looks so far.
    """

    n: int
    seeds: tuple[int, ...]
    estimate: float | None
    sd: float | None
    margin: float
    sign_level: float
    low: float | None
    high: float | None
    equivalence_level: float
    equivalence_low: float | None
    equivalence_high: float | None
    alone: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """The looks at one comparison on one set of terms, in seed order. `sha256` is that of `terms`."""

    sha256: str
    study: str
    question: str
    terms: str
    looks: tuple[StoredLook, ...] = field(default=())


def insert_plan(connection: sqlite3.Connection, plan: StoredPlan) -> None:
    connection.execute(
        "INSERT INTO plans (study, sha256, plan, seen, registered_at) VALUES (?, ?, ?, ?, ?)",
        (
            plan.study,
            plan.sha256,
            plan.plan,
            json.dumps(dict(plan.seen), sort_keys=True),
            timestamp(plan.registered_at),
        ),
    )


def count(connection: sqlite3.Connection, study: str) -> int:
    """How many plans of the study are kept."""
    row = connection.execute("SELECT count(*) FROM plans WHERE study = ?", (study,)).fetchone()
    return int(row[0])


def plans(connection: sqlite3.Connection, study: str | None) -> Iterator[StoredPlan]:
    """Those of one study, or all of them, in the order they were registered."""
    for row in connection.execute(
        "SELECT * FROM plans WHERE study = coalesce(?, study) ORDER BY id", (study,)
    ):
        yield StoredPlan(
            study=row["study"],
            sha256=row["sha256"],
            plan=row["plan"],
            seen=parsed(row["seen"], f"what had been seen when study {row['study']!r} was planned", dict),
            registered_at=datetime.fromisoformat(row["registered_at"]),
        )


def seen(connection: sqlite3.Connection, arm_keys: Sequence[str], *, block: int) -> dict[str, int]:
    """How many trials of each arm in this block of seeds may have shown somebody something; arms without any are left out."""
    marks = ",".join("?" * len(arm_keys))
    rows = connection.execute(
        f"""SELECT arm_key, count(*) AS trials FROM trials
            WHERE arm_key IN ({marks}) AND seed BETWEEN {block + 1:d} AND {block + BLOCK - 1:d} AND key NOT IN (SELECT key FROM unplanned)
            GROUP BY arm_key""",
        tuple(arm_keys),
    )
    return {row["arm_key"]: row["trials"] for row in rows}


def insert_looks(connection: sqlite3.Connection, verdicts: Iterable[StoredVerdict], *, now: datetime) -> None:
    """Those not stored yet; a look that is there already stays as it is."""
    marks = ", ".join("?" * len(_LOOK_COLUMNS))
    for verdict in verdicts:
        connection.execute(
            "INSERT OR IGNORE INTO verdicts (sha256, study, question, terms) VALUES (?, ?, ?, ?)",
            (verdict.sha256, verdict.study, verdict.question, verdict.terms),
        )
        connection.executemany(
            f"INSERT OR IGNORE INTO looks ({', '.join(_LOOK_COLUMNS)}) VALUES ({marks})",
            [
                (
                    verdict.sha256, look.n, json.dumps(look.seeds), look.estimate, look.sd, look.margin,
                    look.sign_level, look.low, look.high, look.equivalence_level, look.equivalence_low,
                    look.equivalence_high, look.alone, look.verdict, timestamp(now),
                )
                for look in verdict.looks
            ],
        )  # fmt: skip


def verdicts(connection: sqlite3.Connection, study: str | None) -> list[StoredVerdict]:
    """Those of one study, or all of them, each with its looks, in an order that is always the same."""
    looks: dict[str, list[StoredLook]] = {}
    for row in connection.execute(
        """SELECT looks.* FROM looks JOIN verdicts ON terms_sha256 = sha256
           WHERE study = coalesce(?, study) ORDER BY terms_sha256, n""",
        (study,),
    ):
        looks.setdefault(row["terms_sha256"], []).append(_look(row))
    return [
        StoredVerdict(
            sha256=row["sha256"],
            study=row["study"],
            question=row["question"],
            terms=row["terms"],
            looks=tuple(looks.get(row["sha256"], ())),
        )
        for row in connection.execute(
            "SELECT * FROM verdicts WHERE study = coalesce(?, study) ORDER BY study, question, sha256",
            (study,),
        )
    ]


def _look(row: sqlite3.Row) -> StoredLook:
    values: dict[str, Any] = {
        column: row[column] for column in _LOOK_COLUMNS if column not in ("terms_sha256", "recorded_at")
    }
    values["seeds"] = tuple(parsed(row["seeds"], "the seeds of a look", list))
    return StoredLook(**values)
