"""The store: every trial's outcome in one SQLite file, safe to share between processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from fairtrial.errors import StoreError
from fairtrial.store import claims, outcomes, predictions, stored
from fairtrial.store.claims import Claim, Holder, Known, StaleClaim, Taken
from fairtrial.store.connection import check_in_place, chunks, connect, identity, reading, to_disk, writing
from fairtrial.store.explaining import explained
from fairtrial.store.joining import JoinKeeper
from fairtrial.store.keepers import DescriptionKeeper, PairKeeper, PlanKeeper, SelectionKeeper
from fairtrial.store.outcomes import Attempt
from fairtrial.store.owner import Owner, this_process
from fairtrial.store.places import checkpoint_path, weights_path
from fairtrial.trial import ENGINE_VERSION, Lost, Outcome, Predictions, StoredTrial, Trial

SYNC_SECONDS = 1.0
"""What is recorded is waited for until it is on the disk, but no more often than this."""

RELEASE_SECONDS = 1.0
"""How long to wait for others when giving back what was not trained."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store(PlanKeeper, SelectionKeeper, PairKeeper, DescriptionKeeper, JoinKeeper):
    """What happened, and who trains what now. Used from the thread that opened it, by no other.

    Every method raises StoreError, in words for the user, when the file cannot be read or written.
    """

    def __init__(self, path: Path, *, create: bool, owner: Owner, now: Callable[[], datetime]) -> None:
        self.path = path
        self._owner = owner
        self._now = now
        self._claimed: dict[str, Claim] = {}
        self._connection = connect(path, create=create)
        self._file = identity(path)
        self._settled, self._unsettled = -SYNC_SECONDS, False

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        create: bool = True,
        owner: Owner | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> Self:
        """Open the store at `path`; an older one is upgraded. `owner` is this process unless given."""
        return cls(Path(path).absolute(), create=create, owner=owner or this_process(), now=now)

    def close(self) -> None:
        """Release the claims still open and close the file."""
        with contextlib.suppress(StoreError):
            if self._unsettled:
                self._settle()
        # A full disk may keep us from releasing; the claims then end with this process.
        with contextlib.suppress(StoreError):  # nor may a lock
            for claim in tuple(self._claimed.values()):
                self.release(claim)
        claims.leave(self._claimed.values())
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def weights_path(self, key: str) -> Path:
        """Where the trial's final weights are, or would be."""
        return weights_path(self.path, key)

    def checkpoint_path(self, key: str) -> Path:
        """Where the trial's checkpoint is, or would be, while it trains."""
        return checkpoint_path(self.path, key)

    def claim(self, trial: Trial) -> Claim | Taken | Known:
        """The right to train this trial, unless it has its outcome already or somebody is at it.

        A dead owner's claim is taken over at once on this host; after ten minutes without a
        heartbeat where its process cannot be looked at. No other process can claim in between.
        """
        return self._claim(trial.key)

    def claim_clock(self, machine: str) -> Claim | Taken:
        """The right to time pairs on this machine, unless another process of this store does so now.

        Ends with `release`. Two timing passes at once would each spoil the other's clocks.
        """
        claim = self._claim(f"clock of {machine}")
        assert not isinstance(claim, Known)
        return claim

    def _claim(self, key: str) -> Claim | Taken | Known:
        now = self._now()
        check_in_place(self.path, self._file)
        with explained(self.path):
            # Asked twice, so that waiting for another's trial takes no write lock.
            with reading(self._connection):
                standing = claims.standing(self._connection, key, here=self._owner, now=now)
            if standing is not None:
                return standing
            with writing(self._connection):
                standing = claims.standing(self._connection, key, here=self._owner, now=now)
                if standing is not None:
                    return standing
                claim = claims.insert(self._connection, key, here=self._owner, now=now)
        self._claimed[key] = claim
        return claim

    def heartbeat(self, held: Iterable[Claim]) -> tuple[Claim, ...]:
        """Say that these are still being trained, every minute or so; return those no longer ours."""
        with explained(self.path), writing(self._connection):
            return claims.heartbeat(self._connection, held, now=self._now())

    def release(self, claim: Claim) -> None:
        """Give the trial back untrained, with no attempt counted. A claim no longer ours is let be.

        Waits for a locked store but a moment: what is not given back ends with this process.
        """
        with (
            explained(self.path),
            contextlib.suppress(StaleClaim),
            writing(self._connection, patience=RELEASE_SECONDS),
        ):
            claims.surrender(self._connection, claim)
        self._forget(claim)

    def record(self, claim: Claim, outcome: Outcome, *, trial: Trial, weights: bool) -> None:
        """Store the outcome whole and end the claim, in one transaction.

        `weights`: whether the final weights have been saved at `weights_path`.
        Raises StaleClaim, storing nothing, if the claim is no longer this process's own.
        """
        outcomes.check(outcome, trial=trial)
        self._check_claim(claim, trial)
        check_in_place(self.path, self._file)
        with explained(self.path), writing(self._connection):
            claims.surrender(self._connection, claim)
            outcomes.insert(self._connection, outcome, trial=trial, weights=weights, now=self._now())
        self._unsettled = True
        self.settle()
        self._forget(claim)

    def record_lost(self, claim: Claim, lost: Lost, *, trial: Trial) -> None:
        """Store an attempt that ended without an outcome and end the claim. Raises StaleClaim too."""
        if lost.key != trial.key:
            raise StoreError(f"trial {trial.key[:12]}: the attempt is of another trial, {lost.key[:12]}")
        self._check_claim(claim, trial)
        with explained(self.path), writing(self._connection):
            began = claims.surrender(self._connection, claim)
            outcomes.insert_attempt(
                self._connection,
                lost,
                trial=trial,
                began=began,
                ended=self._now(),
                host=self._owner.host,
                pid=self._owner.pid,
            )
        self._forget(claim)

    def known(self, keys: Iterable[str]) -> set[str]:
        """The keys that have a final outcome."""
        found: set[str] = set()
        with explained(self.path), reading(self._connection):
            for some in chunks(keys):
                found.update(stored.known(self._connection, some))
        return found

    def stored(self, keys: Iterable[str], *, history: bool = False) -> dict[str, StoredTrial]:
        """The trials among `keys` that have a final outcome, in the order of `keys`.

        `outcome.history` is empty unless asked for; `outcome.predictions` is always None, see
        `predictions`.
        """
        wanted = list(keys)
        found: dict[str, StoredTrial] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(wanted):
                for trial in stored.of_keys(self._connection, some, history=history):
                    found[trial.key] = trial
        return {key: found[key] for key in wanted if key in found}

    def predictions(self, key: str) -> Predictions | None:
        """What the trial's network said of each test image; None if that was not stored."""
        with explained(self.path), reading(self._connection):
            row = self._connection.execute("SELECT * FROM predictions WHERE key = ?", (key,)).fetchone()
            return None if row is None else predictions.unpack(row)

    def attempts(self, keys: Iterable[str]) -> dict[str, tuple[Attempt, ...]]:
        """The attempts of each key, oldest first; an empty tuple for a key that has none."""
        wanted = list(keys)
        made: dict[str, list[Attempt]] = {key: [] for key in wanted}
        with explained(self.path), reading(self._connection):
            for some in chunks(wanted):
                for attempt in outcomes.attempts(self._connection, some):
                    made[attempt.key].append(attempt)
        return {key: tuple(some) for key, some in made.items()}

    def holders(self, keys: Iterable[str]) -> dict[str, Holder]:
        """Who trains which of these trials now; dead owners' claims do not count."""
        now = self._now()
        live: dict[str, Holder] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(keys):
                for holder in claims.holders(self._connection, some, here=self._owner, now=now):
                    live[holder.key] = holder
        return live

    def abandoned(self, keys: Iterable[str]) -> dict[str, Holder]:
        """Who was at which of these trials and is gone: ended from outside, before it could give them back."""
        now = self._now()
        gone: dict[str, Holder] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(keys):
                for holder in claims.holders(self._connection, some, here=self._owner, now=now, alive=False):
                    gone[holder.key] = holder
        return gone

    def other_engine_versions(self, arm_keys: Iterable[str]) -> dict[str, dict[int, int]]:
        """For each arm that has them: trials by engine version, this engine's own left out."""
        counts: dict[str, dict[int, int]] = {}
        with explained(self.path), reading(self._connection):
            for some in chunks(arm_keys):
                for key, version, trials in stored.other_engines(self._connection, some, own=ENGINE_VERSION):
                    counts.setdefault(key, {})[version] = trials
        return counts

    def stored_of_arms(
        self,
        arm_keys: Iterable[str],
        *,
        engine_version: int | None = None,
        block: int = 0,
        last_seed: int,
        history: bool = False,
    ) -> dict[str, tuple[StoredTrial, ...]]:
        """The trials of each arm from seed 1 to `last_seed` of a block that have a final outcome, in seed order.

        Their seeds are counted from where the block begins. Of this engine version unless another is named; see `stored` for what is left out.
        """
        found: dict[str, list[StoredTrial]] = {}
        version = ENGINE_VERSION if engine_version is None else engine_version
        with explained(self.path), reading(self._connection):
            for some in chunks(arm_keys):
                found |= {key: [] for key in some}
                for trial in stored.of_arms(
                    self._connection,
                    some,
                    engine_version=version,
                    block=block,
                    last_seed=last_seed,
                    history=history,
                ):
                    found[trial.arm_key].append(trial)
        return {key: tuple(trials) for key, trials in found.items()}

    def _check_claim(self, claim: Claim, trial: Trial) -> None:
        if claim.key != trial.key:
            raise StoreError(f"trial {trial.key[:12]}: the claim is for another trial, {claim.key[:12]}")

    def settle(self) -> None:
        """Wait for the disk if something recorded is not on it yet, but no more often than every SYNC_SECONDS."""
        if self._unsettled and time.monotonic() - self._settled >= SYNC_SECONDS:
            self._settle()

    def _settle(self) -> None:
        with explained(self.path):
            to_disk(self.path)
        self._settled, self._unsettled = time.monotonic(), False

    def _forget(self, claim: Claim) -> None:
        if self._claimed.get(claim.key) == claim:
            del self._claimed[claim.key]
