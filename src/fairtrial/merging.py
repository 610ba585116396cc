"""Two stores become one: what the other has and ours lacks is joined, what both have and differs is said."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fairtrial.analysis.plan import plan_from
from fairtrial.analysis.promise import Registration, connected
from fairtrial.analysis.sentences import count_of
from fairtrial.engine.saved_weights import saved_fingerprint
from fairtrial.errors import StoreError
from fairtrial.rerunning import Difference, differences, with_predictions
from fairtrial.store import Store, StoredPlan
from fairtrial.store.joining import Joining
from fairtrial.store.places import weights_path
from fairtrial.store.reading import copy_to_read
from fairtrial.trial import ENGINE_VERSION, StoredTrial

PROPOSALS, SELECTIONS = ("proposals", ("search",)), ("selections", ("study", "question"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One trial that both stores have, and not with the same figures. Ours stays as it is."""

    key: str
    arm: str
    seed: int
    differences: tuple[Difference, ...]
    made_here: dict[str, str]
    made_there: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of it, or would come of it: `dry`.

    `trials` and `pairs` were joined, `by_machine` says whose trials those are; `alike` trials were here already with
    the same figures. `weights` files were copied, `no_weights` were not there to be copied, or damaged. `notes` say what
    was not brought along, and why.
    """

    other: str
    dry: bool
    trials: int
    by_machine: dict[str, int]
    alike: int
    conflicts: tuple[Conflict, ...]
    pairs: int
    weights: int
    no_weights: int
    plans: int
    searches: int
    selections: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        conflicts = [
            asdict(one) | {"differences": [apart.as_dict("here", "there") for apart in one.differences]}
            for one in self.conflicts
        ]
        return asdict(self) | {"conflicts": conflicts}


@dataclass(slots=True)
class _Tally:
    trials: int = 0
    by_machine: Counter[str] = field(default_factory=Counter[str])
    engines: Counter[int] = field(default_factory=Counter[int])
    alike: int = 0
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    weights: int = 0
    no_weights: int = 0


def merge(other: Path, store: Store, *, dry_run: bool = False) -> Merged:
    """Join what the store at `other` holds to `store`, a few hundred trials to a transaction; `other` stays as it is.

    May be interrupted and called again: what is here already is not joined twice. Raises StoreError if `other` is no
    store, is damaged or of a newer fairtrial, or is this very store.
    """
    if not other.exists():
        raise StoreError(f"{other}: there is no store here")
    if store.path.exists() and other.samefile(store.path):
        raise StoreError(f"{other} is this very store; name the other one")
    with copy_to_read(other) as theirs, store.beside(theirs, source=other) as joining:
        notes: list[str] = []
        tally = _Tally()
        plans = _join_plans(theirs, store, joining, notes, dry=dry_run)
        for keys in joining.batches():
            _join_trials(keys, other, theirs, store, joining, tally, dry=dry_run)
        pairs = joining.pairs() if dry_run else joining.join_pairs()
        searches, selections = _join_selections(joining, notes, dry=dry_run)
        return Merged(
            other=str(other),
            dry=dry_run,
            trials=tally.trials,
            by_machine=dict(sorted(tally.by_machine.items())),
            alike=tally.alike,
            conflicts=tuple(tally.conflicts),
            pairs=pairs,
            weights=tally.weights,
            no_weights=tally.no_weights,
            plans=plans,
            searches=searches,
            selections=selections,
            notes=(*_of_engines(tally.engines), *notes),
        )


def _join_trials(
    keys: Sequence[str],
    source: Path,
    theirs: Store,
    store: Store,
    joining: Joining,
    tally: _Tally,
    *,
    dry: bool,
) -> None:
    known = store.stored(keys, history=True)
    packed_otherwise = joining.predicted_otherwise(list(known))
    for key, trial in theirs.stored(known, history=True).items():
        _hold_against(known[key], trial, theirs, store, tally, packed_otherwise)
    lacking = [key for key in keys if key not in known]
    for trial in theirs.stored(lacking).values():
        tally.trials += 1
        tally.by_machine[trial.outcome.provenance.get("machine", "unknown")] += 1
        tally.engines[trial.engine_version] += 1
    # Files first: a trial that says its weights are there is right, however this ends.
    had = store.saved_weights(known)
    wanted = {
        key: sha256
        for key, sha256 in theirs.saved_weights(keys).items()
        if key not in known or known[key].outcome.weights_sha256 == sha256
    }
    copied = [key for key, sha256 in wanted.items() if _copied(key, sha256, source, store, tally, dry=dry)]
    if not dry:
        joining.join_trials(lacking, weights=copied)
        store.note_weights([key for key in copied if key in known and key not in had])


def _hold_against(
    ours: StoredTrial,
    trial: StoredTrial,
    theirs: Store,
    store: Store,
    tally: _Tally,
    packed_otherwise: set[str],
) -> None:
    """Predictions are unpacked where they are packed otherwise; where one store has none there is nothing to compare."""
    here, there = ours.outcome, trial.outcome
    if ours.key in packed_otherwise and (others := theirs.predictions(ours.key)) is not None:
        here = with_predictions(here, store.predictions(ours.key))
        there = with_predictions(there, others)
    found = tuple(differences(here, there))
    if not found:
        tally.alike += 1
        return
    tally.conflicts.append(
        Conflict(
            key=ours.key,
            arm=ours.arm_name,
            seed=ours.seed,
            differences=found,
            made_here=dict(ours.outcome.provenance),
            made_there=dict(trial.outcome.provenance),
        )
    )


def _copied(key: str, sha256: str, source: Path, store: Store, tally: _Tally, *, dry: bool) -> bool:
    """Whether the weights are beside our store now, whole; those of a file that is damaged are left where they are."""
    target, origin = store.weights_path(key), weights_path(source, key)
    if saved_fingerprint(target) == sha256:
        return True
    if saved_fingerprint(origin) != sha256:
        tally.no_weights += 1
        return False
    tally.weights += 1
    if not dry:
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, part)
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(
                f"{target}: the weights cannot be copied ({error.strerror}); what was joined before is safe: merge again"
            ) from error
    return True


def _of_engines(counts: Counter[int]) -> Iterator[str]:
    for version, count in sorted(counts.items()):
        if version != ENGINE_VERSION:
            yield (
                f"{count_of(count, 'trial')} of engine version {version} {'is' if count == 1 else 'are'} kept and not used: "
                f"this is engine version {ENGINE_VERSION}"
            )


def _join_plans(theirs: Store, store: Store, joining: Joining, notes: list[str], *, dry: bool) -> int:
    """Plans that hold other arms against each other than any of the same study here. What we had trained before counts as seen."""
    ours, others = _by_study(store), _by_study(theirs)
    joined = 0
    for study, registered in others.items():
        here = ours.get(study, [])
        met = [plan for plan in registered if connected(plan_from(plan.plan), _registrations(here))]
        new = [plan for plan in registered if plan not in met]
        joined += len(new)
        if new and not dry:
            joining.join_plans([_as_seen(plan, joining) for plan in new])
        meeting = [plan for plan in here if connected(plan_from(plan.plan), _registrations(met))]
        if [one.sha256 for one in meeting] != [one.sha256 for one in met]:
            notes.append(f"study {study} was planned otherwise there: the plan of this store stands")
    for study, plans in ours.items():
        known = {one.sha256 for one in others.get(study, ())}
        for number, plan in enumerate(plans):
            read = plan_from(plan.plan)
            if plan.sha256 in known or connected(read, _registrations(plans[:number])):
                continue
            early = joining.seen_before(read.arms, plan.registered_at, whose="other")
            if early:
                notes.append(
                    f"{count_of(sum(early.values()), 'trial')} of the arms of study {study} had been trained there before it "
                    "was planned here: if somebody looked at them, its error guarantee does not hold"
                )
    return joined


def _by_study(store: Store) -> dict[str, list[StoredPlan]]:
    found: dict[str, list[StoredPlan]] = {}
    for plan in store.plans():
        found.setdefault(plan.study, []).append(plan)
    return found


def _registrations(plans: Sequence[StoredPlan]) -> tuple[Registration, ...]:
    return tuple(Registration(plan=plan_from(one.plan), seen=one.seen) for one in plans)


def _as_seen(plan: StoredPlan, joining: Joining) -> StoredPlan:
    """The plan, with the trials that this store had by then counted among those that could have been seen."""
    read = plan_from(plan.plan)
    if read.undivided:  # it judges on seeds that were fresh when it was written
        return plan
    before = joining.seen_before(read.arms, plan.registered_at)
    seen = {key: plan.seen.get(key, 0) + before.get(key, 0) for key in sorted({*plan.seen, *before})}
    return StoredPlan(
        study=plan.study, sha256=plan.sha256, plan=plan.plan, seen=seen, registered_at=plan.registered_at
    )


def _join_selections(joining: Joining, notes: list[str], *, dry: bool) -> tuple[int, int]:
    """Searches and what was selected, where this store has nothing of the same: two of a kind cannot be put together."""
    searches = selections = 0
    apart: set[str] = set()
    for (search,), (here, same) in joining.groups(*PROPOSALS).items():
        if not here:
            searches += 1
            if not dry:
                joining.join_group(*PROPOSALS, (search,))
        elif not same:
            apart.add(search)
            notes.append(f"search {search[:12]} has made other proposals there: those of this store stand")
    for which, (here, same) in joining.groups(*SELECTIONS).items():
        study, question = which
        rests_on_ours = apart & joining.bases(study, question)
        if not here and not rests_on_ours:
            selections += 1
            if not dry:
                joining.join_group(*SELECTIONS, which)
        elif not same:
            notes.append(
                f"what question {question} of study {study} selected there is not brought along: "
                f"{'what it selected here stands' if here else 'it was selected from other proposals than those of this store'}"
            )
    return searches, selections
