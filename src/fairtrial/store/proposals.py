"""What searches proposed and what was selected, to rows and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairtrial.store.claims import timestamp
from fairtrial.store.explaining import parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One point of a search. `search` is the digest of what is searched, the same for every study that asks it.

    `scores` are the validation scores after each epoch of one that was stopped, for being hopeless or too slow; None
    for any other.
    """

    search: str
    number: int
    parameters: Mapping[str, int | float]
    arm_key: str
    scores: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one question of a study selected, once and for all: it is judged on seeds of `block`.

    `basis` is the digest of what it was selected from, `selected` canonical JSON of what.
    """

    study: str
    question: str
    basis: str
    selected: str
    block: int
    selected_at: datetime


def insert_proposal(connection: sqlite3.Connection, proposal: Proposal, *, now: datetime) -> bool:
    """Whether this is the proposal of its number; another process may have been faster."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO proposals (search, number, parameters, arm_key, scores, proposed_at) "
        "VALUES (?, ?, ?, ?, 'null', ?)",
        (
            proposal.search, proposal.number, json.dumps(dict(proposal.parameters)), proposal.arm_key, timestamp(now),
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


def stop_proposal(connection: sqlite3.Connection, search: str, number: int, scores: Sequence[float]) -> None:
    connection.execute(
        "UPDATE proposals SET scores = ? WHERE search = ? AND number = ?",
        (json.dumps(list(scores)), search, number),
    )


def proposals(connection: sqlite3.Connection, search: str) -> list[Proposal]:
    """All of one search, by their numbers."""
    return [
        Proposal(
            search=row["search"],
            number=row["number"],
            parameters=parsed(row["parameters"], "the parameters of a proposal", dict),
            arm_key=row["arm_key"],
            scores=_scores(row["scores"]),
        )
        for row in connection.execute("SELECT * FROM proposals WHERE search = ? ORDER BY number", (search,))
    ]


def _scores(text: str) -> tuple[float, ...] | None:
    return None if text == "null" else tuple(parsed(text, "the scores of a proposal", list))


def insert_selection(connection: sqlite3.Connection, selection: Selection) -> None:
    """Keep it, unless this question has selected something from the same basis already."""
    connection.execute(
        "INSERT OR IGNORE INTO selections (study, question, basis, selected, block, selected_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            selection.study, selection.question, selection.basis, selection.selected, selection.block,
            timestamp(selection.selected_at),
        ),
    )  # fmt: skip


def selection(connection: sqlite3.Connection, *, study: str, question: str, basis: str) -> Selection | None:
    row = connection.execute(
        "SELECT * FROM selections WHERE study = ? AND question = ? AND basis = ?", (study, question, basis)
    ).fetchone()
    if row is None:
        return None
    parsed(row["selected"], "what was selected", dict)  # kept as text, but read by whoever asks
    return Selection(
        study=row["study"],
        question=row["question"],
        basis=row["basis"],
        selected=row["selected"],
        block=row["block"],
        selected_at=datetime.fromisoformat(row["selected_at"]),
    )


def selections(connection: sqlite3.Connection, *, study: str, question: str) -> list[Selection]:
    """All that a question of a study has selected, whatever from, in the order of their blocks."""
    rows = connection.execute(
        "SELECT basis FROM selections WHERE study = ? AND question = ? ORDER BY block", (study, question)
    ).fetchall()
    found = [selection(connection, study=study, question=question, basis=row["basis"]) for row in rows]
    return [one for one in found if one is not None]


def last_block(connection: sqlite3.Connection) -> int | None:
    """The block of seeds that was given to a selection last."""
    return connection.execute("SELECT max(block) FROM selections").fetchone()[0]
