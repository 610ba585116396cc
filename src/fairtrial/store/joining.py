"""Rows of another store beside ours in one connection, and from there into ours: what was stored here stays as it is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from fairtrial.store import plans
from fairtrial.store.claims import timestamp
from fairtrial.store.connection import chunks, reading, writing
from fairtrial.store.explaining import explained
from fairtrial.store.integrity import refuse_damaged
from fairtrial.store.keepers import Opened
from fairtrial.store.plans import StoredPlan
from fairtrial.trial import BLOCK

PAIRS_AT_ONCE = 900
"""Pairs in one transaction."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Both stores: ours as `main`, the other as `other`, of one version. Writes to ours alone, a transaction at a time."""

    path: Path
    connection: sqlite3.Connection

    def batches(self) -> Iterator[tuple[str, ...]]:
        """The keys of all trials over there, as many at a time as go into one transaction."""
        with self._asking():
            keys = [
                row["key"] for row in self.connection.execute("SELECT key FROM other.trials ORDER BY key")
            ]
        yield from chunks(keys)

    def predicted_otherwise(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys whose predictions are packed otherwise, or are here and not there: few, and to be looked at."""
        with self._asking():
            rows = self.connection.execute(
                f"""SELECT key FROM main.predictions AS ours LEFT JOIN other.predictions AS theirs USING (key)
                    WHERE key IN ({_marks(keys)}) AND (theirs.classes IS NOT ours.classes
                    OR theirs.probabilities IS NOT ours.probabilities
                    OR theirs.right_counts IS NOT ours.right_counts OR theirs.evaluations IS NOT ours.evaluations)""",
                tuple(keys),
            )
            return {row["key"] for row in rows}

    def join_trials(self, keys: Sequence[str], *, weights: Collection[str]) -> int:
        """Copy the trials that we lack, each with all that belongs to it; returns how many those were.

        `weights`: of which the final weights have been copied as well. Who is training one of them now finds, at
        its end, that it has an outcome.
        """
        with self._changing():
            known = self.connection.execute(
                f"SELECT key FROM main.trials WHERE key IN ({_marks(keys)})", tuple(keys)
            )
            lacking = _without(keys, known)
            if not lacking:
                return 0
            among = f"key IN ({_marks(lacking)})"
            self._arms(f"SELECT arm_key FROM other.trials WHERE {among}", lacking)
            self._provenance(f"SELECT provenance_id FROM other.trials WHERE {among}", lacking)
            columns = self._columns("trials")
            chosen = [_CHANGED.get(column, column) for column in columns]
            self.connection.execute(
                f"INSERT INTO main.trials ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM other.trials AS o "
                f"WHERE {among}",
                lacking,
            )
            saved = [key for key in lacking if key in weights]
            self.connection.executemany(
                "UPDATE main.trials SET weights_saved = 1 WHERE key = ?", [(key,) for key in saved]
            )
            for table in ("epochs", "predictions", "unplanned"):
                listed = ", ".join(self._columns(table))
                self.connection.execute(
                    f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM other.{table} WHERE {among}",
                    lacking,
                )
            listed = self._columns("attempts")
            after = "(SELECT count(*) FROM main.attempts AS ours WHERE ours.key = o.key)"
            chosen = [f"number + {after}" if column == "number" else column for column in listed]
            self.connection.execute(
                f"INSERT INTO main.attempts ({', '.join(listed)}) SELECT {', '.join(chosen)} FROM other.attempts AS o "
                f"WHERE {among}",
                lacking,
            )
            self.connection.execute(f"DELETE FROM main.claims WHERE {among}", lacking)
            return len(lacking)

    def pairs(self) -> int:
        """How many pairs there are over there that we lack."""
        with self._asking():
            return self.connection.execute(
                f"SELECT count(*) FROM other.pairs AS o WHERE {self._new_pair()}"
            ).fetchone()[0]

    def join_pairs(self) -> int:
        """Copy the pairs that we lack, in the order they were timed; returns how many those were."""
        joined = 0
        while True:
            with self._changing():
                ids = [
                    row["id"]
                    for row in self.connection.execute(
                        f"SELECT id FROM other.pairs AS o WHERE {self._new_pair()} ORDER BY id LIMIT {PAIRS_AT_ONCE}"
                    )
                ]
                if not ids:
                    return joined
                among = f"id IN ({_marks(ids)})"
                for side in ("first", "second"):
                    self._arms(f"SELECT {side}_arm_key FROM other.pairs WHERE {among}", ids)
                self._provenance(f"SELECT provenance_id FROM other.pairs WHERE {among}", ids)
                columns = [column for column in self._columns("pairs") if column != "id"]
                chosen = [_CHANGED.get(column, column) for column in columns]
                self.connection.execute(
                    f"INSERT INTO main.pairs ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM other.pairs AS o "
                    f"WHERE {among} ORDER BY id",
                    ids,
                )
                joined += len(ids)

    def seen_before(
        self, arm_keys: Iterable[str], moment: datetime, *, whose: str = "main"
    ) -> dict[str, int]:
        """Trials of each arm on its ordinary seeds that one store has, and the other has not, from before a moment.

        `whose` trials: `main` for ours, `other` for theirs.
        """
        without = "other" if whose == "main" else "main"
        counts: dict[str, int] = {}
        with self._asking():
            for some in chunks(arm_keys):
                rows = self.connection.execute(
                    f"""SELECT arm_key, count(*) AS trials FROM {whose}.trials
                        WHERE arm_key IN ({_marks(some)}) AND seed < {BLOCK:d} AND recorded_at < ?
                        AND key NOT IN (SELECT key FROM {whose}.unplanned)
                        AND key NOT IN (SELECT key FROM {without}.trials) GROUP BY arm_key""",
                    (*some, timestamp(moment)),
                )
                counts |= {row["arm_key"]: row["trials"] for row in rows}
        return counts

    def join_plans(self, registered: Sequence[StoredPlan]) -> None:
        """Keep these plans as they were registered over there, after all that are kept here."""
        with self._changing():
            for plan in registered:
                plans.insert_plan(self.connection, replace(plan, seen=dict(plan.seen)))

    def groups(self, table: str, by: Sequence[str]) -> dict[tuple[str, ...], tuple[bool, bool]]:
        """What the other store has in `table`, by some columns: whether we have any of it, and whether exactly the same."""
        columns = [column for column in self._columns(table) if not column.endswith("_at")]
        listed, grouped = ", ".join(columns), ", ".join(by)
        where = " AND ".join(f"{column} = ?" for column in by)
        found: dict[tuple[str, ...], tuple[bool, bool]] = {}
        with self._asking():
            for row in self.connection.execute(
                f"SELECT DISTINCT {grouped} FROM other.{table} ORDER BY {grouped}"
            ).fetchall():
                which = tuple(row[column] for column in by)
                theirs, ours = (
                    {
                        tuple(one)
                        for one in self.connection.execute(
                            f"SELECT {listed} FROM {side}.{table} WHERE {where}", which
                        )
                    }
                    for side in ("other", "main")
                )
                found[which] = bool(ours), ours == theirs
        return found

    def bases(self, study: str, question: str) -> set[str]:
        """What a question's selections over there were made from: for a search, its digest."""
        with self._asking():
            rows = self.connection.execute(
                "SELECT basis FROM other.selections WHERE study = ? AND question = ?", (study, question)
            )
            return {row["basis"] for row in rows}

    def join_group(self, table: str, by: Sequence[str], which: tuple[str, ...]) -> None:
        """Copy all rows of one group, of which we have none."""
        listed = ", ".join(self._columns(table))
        where = " AND ".join(f"{column} = ?" for column in by)
        with self._changing():
            self.connection.execute(
                f"INSERT OR IGNORE INTO main.{table} ({listed}) SELECT {listed} FROM other.{table} WHERE {where}",
                which,
            )

    def _arms(self, chosen: str, values: Sequence[str | int]) -> None:
        listed = ", ".join(self._columns("arms"))
        self.connection.execute(
            f"INSERT OR IGNORE INTO main.arms ({listed}) SELECT {listed} FROM other.arms WHERE arm_key IN ({chosen})",
            tuple(values),
        )

    def _provenance(self, chosen: str, values: Sequence[str | int]) -> None:
        self.connection.execute(
            f"INSERT OR IGNORE INTO main.provenance (json) SELECT json FROM other.provenance WHERE id IN ({chosen})",
            tuple(values),
        )

    def _columns(self, table: str) -> list[str]:
        return [row["name"] for row in self.connection.execute(f"PRAGMA main.table_info({table})")]

    def _new_pair(self) -> str:
        """Whether a pair over there is none of ours: nothing but its number and that of its provenance may differ."""
        same = [
            f"ours.{column} IS o.{column}"
            for column in self._columns("pairs")
            if column not in ("id", "provenance_id")
        ]
        return f"NOT EXISTS (SELECT 1 FROM main.pairs AS ours WHERE {' AND '.join(same)})"

    @contextmanager
    def _asking(self) -> Generator[None]:
        with explained(self.path), reading(self.connection):
            yield

    @contextmanager
    def _changing(self) -> Generator[None]:
        with explained(self.path), writing(self.connection):
            yield


_CHANGED = {
    # Rows of provenance are numbered anew here; weights are there once their file is.
    "provenance_id": "(SELECT ours.id FROM main.provenance AS ours JOIN other.provenance AS theirs USING (json) "
    "WHERE theirs.id = o.provenance_id)",
    "weights_saved": "0",
}


class JoinKeeper(Opened):
    """What makes one store of two."""

    @contextmanager
    def beside(self, other: JoinKeeper, *, source: Path) -> Generator[Joining]:
        """Another store's rows beside ours, both of the newest version, since both are open.

        Raises StoreError if the other one is damaged: damage must not spread.
        """
        refuse_damaged(source, other._connection)
        with explained(self.path):
            self._connection.execute("ATTACH DATABASE ? AS other", (str(other.path),))
        try:
            yield Joining(self.path, self._connection)
        finally:
            # What went wrong before is what there is to say; a file still attached goes with the connection.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("DETACH DATABASE other")

    def saved_weights(self, keys: Iterable[str]) -> dict[str, str]:
        """Of the trials whose final weights were saved, by key, the SHA-256 that `Outcome.weights_sha256` is."""
        found: dict[str, str] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(keys):
                rows = self._connection.execute(
                    f"SELECT key, weights_sha256 FROM trials WHERE weights_saved AND key IN ({_marks(some)})",
                    some,
                )
                found |= {row["key"]: row["weights_sha256"] for row in rows}
        return found

    def note_weights(self, keys: Sequence[str]) -> None:
        """Note that the final weights of these trials are there now."""
        with explained(self.path), writing(self._connection):
            self._connection.executemany(
                "UPDATE trials SET weights_saved = 1 WHERE key = ?", [(key,) for key in keys]
            )


def _without(keys: Sequence[str], known: Iterable[sqlite3.Row]) -> tuple[str, ...]:
    taken = {row["key"] for row in known}
    return tuple(key for key in keys if key not in taken)


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
