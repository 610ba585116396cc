"""What a store keeps besides trials: plans and looks, proposals and selections, pairs, what each trial is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from fairtrial.errors import StoreError
from fairtrial.pair import PairTimes
from fairtrial.store import descriptions, pairs, plans, predictions, proposals
from fairtrial.store.connection import check_in_place, chunks, reading, writing
from fairtrial.store.descriptions import Description
from fairtrial.store.explaining import explained
from fairtrial.store.pairs import StoredPair
from fairtrial.store.plans import StoredPlan, StoredVerdict
from fairtrial.store.proposals import Proposal, Selection
from fairtrial.trial import BLOCK, Predictions, Trial


class Opened:
    """An open file, which one it is, and what time it is."""

    path: Path
    _file: tuple[int, int] | None
    _connection: sqlite3.Connection
    _now: Callable[[], datetime]


class PlanKeeper(Opened):
    """What studies set out to ask, and every look at what came of it."""

    def seen(self, arm_keys: Iterable[str], *, block: int = 0) -> dict[str, int]:
        """Trials of each arm in a block of seeds that may have shown somebody something; arms without any are left out.

        Those from before plans were kept do not count, nor do seeds of other blocks.
        """
        counts: dict[str, int] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(arm_keys):
                counts |= plans.seen(self._connection, some, block=block)
        return counts

    def add_plan(
        self, *, study: str, sha256: str, plan: str, seen: Mapping[str, int], after: int | None = None
    ) -> bool:
        """Keep what a study set out to ask, after all that is kept of it already.

        `after`: how many plans of the study the caller knows. If another process has added one since, nothing is
        kept and False comes back.
        """
        registered = StoredPlan(study=study, sha256=sha256, plan=plan, seen=seen, registered_at=self._now())
        with explained(self.path), writing(self._connection):
            if after is not None and plans.count(self._connection, study) != after:
                return False
            plans.insert_plan(self._connection, registered)
            return True

    def plans(self, study: str | None = None) -> list[StoredPlan]:
        """The plans of one study, or all there are, in the order they were registered."""
        with explained(self.path), reading(self._connection):
            return list(plans.plans(self._connection, study))

    def add_looks(self, verdicts: Iterable[StoredVerdict]) -> None:
        """Keep these looks; those that are there already stay as they are."""
        with explained(self.path), writing(self._connection):
            plans.insert_looks(self._connection, verdicts, now=self._now())

    def verdicts(self, study: str | None = None) -> list[StoredVerdict]:
        """What was judged in one study, or at all, each with its looks in seed order."""
        with explained(self.path), reading(self._connection):
            return plans.verdicts(self._connection, study)


class SelectionKeeper(Opened):
    """What searches proposed, and what was selected."""

    def propose(self, proposal: Proposal) -> bool:
        """Keep a point that a search is going to train; False if its number is taken by another process's."""
        with explained(self.path), writing(self._connection):
            return proposals.insert_proposal(self._connection, proposal, now=self._now())

    def stop_proposal(self, search: str, number: int, scores: Sequence[float]) -> None:
        """Note that a proposal was given up after these validation scores, one per epoch."""
        with explained(self.path), writing(self._connection):
            proposals.stop_proposal(self._connection, search, number, scores)

    def proposals(self, search: str) -> list[Proposal]:
        """Everything a search has proposed, in order."""
        with explained(self.path), reading(self._connection):
            return proposals.proposals(self._connection, search)

    def select(
        self, *, study: str, question: str, basis: str, selected: str, first_block: int, fresh: bool = True
    ) -> Selection:
        """Keep what a question has selected, and give it a block of seeds nobody was judged on: from `first_block` on.

        What was selected from this basis before stands: it is returned instead. Without `fresh` it is judged on
        `first_block` itself, whoever else is: for what was selected on other seeds than those, and owes them nothing.
        """
        with explained(self.path), writing(self._connection):
            last = proposals.last_block(self._connection) if fresh else None
            block = first_block if last is None or last < first_block else last + BLOCK
            made = Selection(
                study=study,
                question=question,
                basis=basis,
                selected=selected,
                block=block,
                selected_at=self._now(),
            )
            proposals.insert_selection(self._connection, made)
            found = proposals.selection(self._connection, study=study, question=question, basis=basis)
        assert found is not None
        return found

    def selections(self, *, study: str, question: str) -> list[Selection]:
        """All that a question has selected, from whatever basis, the earliest block of seeds first."""
        with explained(self.path), reading(self._connection):
            return proposals.selections(self._connection, study=study, question=question)

    def selection(self, *, study: str, question: str, basis: str) -> Selection | None:
        """What a question has selected from this basis, if it has."""
        with explained(self.path), reading(self._connection):
            return proposals.selection(self._connection, study=study, question=question, basis=basis)


class DescriptionKeeper(Opened):
    """What each stored trial is, whatever came of it."""

    def described(self, prefix: str) -> Description:
        """The one stored trial whose key begins with `prefix`. Raises StoreError if there is none, or another."""
        wanted = prefix.strip().lower()
        if not wanted or not set(wanted) <= set("0123456789abcdef") or len(wanted) > 64:
            raise StoreError(
                f"a trial's key is 64 hexadecimal digits or the first few of them, got {prefix[:80]!r}; "
                "`fairtrial answers STUDY --json` lists the keys of a study"
            )
        with explained(self.path), reading(self._connection):
            found = descriptions.beginning(self._connection, wanted, most=2)
            lost = not found and descriptions.without_outcome(self._connection, wanted)
        if len(found) == 1:
            return found[0]
        if found:
            raise StoreError(
                f"{wanted}: several trials of {self.path} have keys that begin so, {found[0].key[:16]} and "
                f"{found[1].key[:16]} among them; give more digits"
            )
        why = "was tried and has no outcome there" if lost else "is not there"
        raise StoreError(
            f"{wanted}: such a trial {why} ({self.path}); `fairtrial answers STUDY --json` lists the keys of a study"
        )

    @staticmethod
    def as_kept(given: Predictions) -> Predictions:
        """These predictions as they would come back: probabilities are kept in steps of 1/65535."""
        return predictions.as_kept(given)


class PairKeeper(Opened):
    """Pairs of arms timed in turn."""

    def record_pair(self, times: PairTimes, *, first: Trial, second: Trial) -> None:
        """Store two arms' times. Raises StoreError if they are of others than `first` and `second`."""
        check_in_place(self.path, self._file)
        with explained(self.path), writing(self._connection):
            pairs.insert(self._connection, times, first=first, second=second, now=self._now())

    def pairs(self, arm_key: str, other_arm_key: str) -> tuple[StoredPair, ...]:
        """Every pair of these two arms, whichever began, of any machine, in the order they were recorded."""
        with explained(self.path), reading(self._connection):
            return tuple(pairs.between(self._connection, arm_key, other_arm_key))
