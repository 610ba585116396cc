"""What must hold of a store whatever befell the processes that wrote it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fairtrial as ft
from fairtrial.analysis.replaying import replay_store
from fairtrial.engine.saved_weights import read_weights
from fairtrial.store import Store

_MEASURED = ("key", "arm_key", "seed", "engine_version", "state", "reason", "epochs", "weights_sha256")
_NO_CLOCKS = ("epoch", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Each stored trial by arm and seed, as the SHA-256 of everything in it but clocks; and dead or live claims."""

    trials: dict[tuple[str, int], str]
    claimed_by: frozenset[int]
    attempts: int

    @property
    def done(self) -> int:
        return len(self.trials)


NOTHING = Contents(trials={}, claimed_by=frozenset(), attempts=0)


def contents(path: Path, complaints: list[str]) -> Contents:
    """Read the store as SQLite has it; what is wrong with the file itself is added to `complaints`."""
    if not path.exists() or not path.stat().st_size:
        return NOTHING
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("BEGIN")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'trials'").fetchone():
            return NOTHING
        _complain_of_file(connection, complaints)
        metrics = [
            row[1]
            for row in connection.execute("PRAGMA table_info(trials)")
            if row[1].endswith(("accuracy", "loss", "last_epoch", "validation_seen"))
        ]
        names = dict(connection.execute("SELECT arm_key, name FROM arms").fetchall())
        trials: dict[tuple[str, int], str] = {}
        for row in connection.execute(f"SELECT {', '.join((*_MEASURED, *metrics))} FROM trials").fetchall():
            key, arm_key, seed = row[:3]
            epochs = connection.execute(
                f"SELECT {', '.join(_NO_CLOCKS)} FROM epochs WHERE key = ? ORDER BY epoch", (key,)
            ).fetchall()
            said = connection.execute("SELECT * FROM predictions WHERE key = ?", (key,)).fetchone()
            trials[names[arm_key], seed] = hashlib.sha256(repr((row, epochs, said)).encode()).hexdigest()
        claims = connection.execute("SELECT pid FROM claims").fetchall()
        (attempts,) = connection.execute("SELECT count(*) FROM attempts WHERE state = 'failed'").fetchone()
    return Contents(trials=trials, claimed_by=frozenset(pid for (pid,) in claims), attempts=attempts)


def _complain_of_file(connection: sqlite3.Connection, complaints: list[str]) -> None:
    integrity = connection.execute("PRAGMA integrity_check").fetchall()
    if integrity != [("ok",)]:
        complaints.append(f"integrity_check: {integrity[:3]}")
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    partial = connection.execute(
        """SELECT seed FROM trials
           WHERE epochs <> (SELECT count(*) FROM epochs WHERE epochs.key = trials.key)
              OR NOT EXISTS (SELECT 1 FROM predictions WHERE predictions.key = trials.key)
              OR EXISTS (SELECT 1 FROM claims WHERE claims.key = trials.key)"""
    ).fetchall()
    if orphans or partial:
        complaints.append(f"rows without their trial: {orphans[:3]}; trials half there: {partial[:3]}")


def complain_of_loss(
    now: Contents, *, before: Contents, told: list[tuple[str, int]], whole: Contents, complaints: list[str]
) -> None:
    """Nothing that was stored, or that the user was told is done, may be gone; nothing may have another bit."""
    complaints += [f"lost: {one}, which was stored" for one in before.trials if one not in now.trials]
    complaints += [f"lost: {one}, which the user was told is done" for one in told if one not in now.trials]
    complaints += [
        f"different: {one}" for one, digest in now.trials.items() if whole.trials.get(one) != digest
    ]


@dataclass(frozen=True, kw_only=True)
class Held:
    """All that may be compared of a finished study: trials without clocks, every look, the answers."""

    contents: Contents
    verdicts: list[Any]
    answers: list[Any]


def held(folder: Path, complaints: list[str]) -> Held:
    """What a finished study holds; its looks must follow from its trials, its weights be those they are said to be."""
    study, path = ft.load(folder / "study.yaml"), folder / "store.db"
    found = _without_seconds(ft.answers(study, store=path).as_dict())
    now = contents(path, complaints)
    with Store.open(path) as store:
        complaints += [f"replay: {one}" for one in replay_store(store).differences]
        if (plans := len(store.plans())) != 1:
            complaints.append(f"{plans} plans are registered, and one was asked for")
        verdicts = store.verdicts()
        with closing(sqlite3.connect(path)) as connection:
            saved = connection.execute(
                "SELECT key, weights_sha256 FROM trials WHERE weights_saved"
            ).fetchall()
        complaints += [
            f"weights of {key[:12]} are said to be saved and are not"
            for key, sha256 in saved
            if read_weights(store.weights_path(key), sha256=sha256) is None
        ]
    return Held(contents=now, verdicts=verdicts, answers=found["answers"])


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_seconds(inner) for name, inner in value.items() if "second" not in name}
    if isinstance(value, list):
        return [_without_seconds(inner) for inner in value]
    return value


def complain_of_difference(now: Held, whole: Held, complaints: list[str]) -> None:
    """A finished study must be the one that nobody disturbed, to the bit."""
    if now.contents.trials != whole.contents.trials:
        complaints.append("its trials are not those of an undisturbed run")
    if now.verdicts != whole.verdicts:
        complaints.append("its looks are not those of an undisturbed run")
    if now.answers != whole.answers:
        complaints.append("its answers are not those of an undisturbed run")
