"""The plan of a study in the store: written by `run`, read by everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fairtrial.analysis.gather import arm_key
from fairtrial.analysis.plan import Identity, Plan, plan_from, plan_of, planned
from fairtrial.analysis.promise import Promise, Registration, connected, promises
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.terms import Terms
from fairtrial.analysis.values import Caveat
from fairtrial.store import Store, StoredPlan
from fairtrial.study.check import has_own_interval
from fairtrial.study.schema import Claim, Metric, On, Question, Study
from fairtrial.trial import ENGINE_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What every verdict of a study as it stands is promised."""

    study: Study
    arm_keys: Mapping[str, str]
    promises: Mapping[Identity, Promise]

    def alpha(
        self, question: Question, *, metric: Metric, on: On | None, claim: Claim | None = None
    ) -> float:
        """The share of the allowed error of a question's verdict, or of what is claimed about it.

        A claimed level or plateau is a verdict of its own; a claimed direction follows the question's.
        """
        own = claim if claim is not None and has_own_interval(claim) else None
        return self._promise(question, metric=metric, on=on, claim=own).alpha

    def caveats(self, question: Question, *, metric: Metric, on: On | None) -> Iterator[Caveat]:
        """What was planned late or changed, of the verdict and of what is claimed about it."""
        promise = self._promise(question, metric=metric, on=on)
        yield from plan_caveats(promise)
        for claim in question.claims:
            if has_own_interval(claim) and claim.metric == metric and (on is None or claim.on == on):
                own = self._promise(question, metric=metric, on=on, claim=claim)
                if own.added != promise.added:
                    yield from plan_caveats(replace(own, changes=()), about=f"its claimed {claim.says}")

    def terms(self, question: Question, *, metric: Metric, on: On | None, floor: float) -> Terms:
        """All that the looks of a verdict hang on besides its trials; for a time, without the machine it is of."""
        one = planned(self.study, question, self.arm_keys, metric=metric, on=on)
        return Terms(
            study=self.study.name,
            variant=one.variant,
            baseline=one.baseline,
            metric=metric,
            on=on,
            over=one.over,
            goal=one.goal,
            margin=one.margin,
            alpha=self.promises[one.identity].alpha,
            first=self.study.seeds.min,
            horizon=self.study.seeds.max,
            floor=floor,
            engine_version=ENGINE_VERSION,
            block=self.study.arms[question.variant].block,
        )

    def _promise(
        self, question: Question, *, metric: Metric, on: On | None, claim: Claim | None = None
    ) -> Promise:
        one = planned(self.study, question, self.arm_keys, metric=metric, on=on, claim=claim)
        return self.promises[one.identity]


def register(study: Study, store: Store, *, seen: Mapping[str, int] | None = None) -> None:
    """Write down what `study` sets out to judge, unless that is what it set out to do already.

    To be called before the first trial of every run, whatever part of the study it trains. `seen` is for a study
    that was asked for before it could be told what it compares: how many trials of each arm were stored then. It
    counts where the study held none of these arms against each other before.
    """
    keys = arm_keys(study)
    plan = plan_of(study, keys)
    kept = False
    while not kept:
        history = _registered(study.name, store)
        if _in_force(plan, history):
            return
        known = None if connected(plan, history) else seen
        # Where another run of the study registers at this very moment its plan is read first: most likely it is this one.
        kept = store.add_plan(
            study=study.name,
            sha256=plan.sha256,
            plan=plan.text,
            seen=_seen(study, plan, history, store)
            if known is None
            else {key: known[key] for key in sorted(plan.arms) if known.get(key)},
            after=len(history),
        )


def in_force(study: Study, store: Store) -> StoredPlan | None:
    """The registered plan of the study as it stands; None if it is not registered, or not as it stands."""
    plan = plan_of(study, arm_keys(study))
    if not _in_force(plan, _registered(study.name, store)):
        return None
    return [one for one in store.plans(study.name) if one.sha256 == plan.sha256][-1]


def promised(study: Study, store: Store) -> Promised:
    """What each verdict is promised; a plan not registered yet counts as though it were registered now."""
    keys = arm_keys(study)
    plan = plan_of(study, keys)
    history = _registered(study.name, store)
    lineage = connected(plan, history)
    if not plan.verdicts:
        return Promised(study=study, arm_keys=keys, promises={})
    if not _in_force(plan, history):
        lineage = (*lineage, Registration(plan=plan, seen=_seen(study, plan, history, store)))
    return Promised(study=study, arm_keys=keys, promises=promises(lineage))


def arm_keys(study: Study) -> dict[str, str]:
    """What each arm computes, by its name."""
    return {name: arm_key(arm) for name, arm in study.arms.items()}


def plan_caveats(promise: Promise, *, about: str = "") -> Iterator[Caveat]:
    """What a reader must know of a verdict whose plan came after trials, or was changed after them.

    `about` names what was added, where it is not the whole question.
    """
    for change in promise.changes:
        yield Caveat(
            kind="changed plan",
            text=f"the {change.what} was changed after {_trials_were(change.seen)} seen: it had been {change.before}",
        )
    added = promise.added
    if added is None:
        if promise.seen:
            yield Caveat(
                kind="late plan",
                text=f"planned after {_trials_were(promise.seen, of=' of these arms')} seen",
            )
        return
    what = about or ("what is asked of these arms" if promise.reworded else "this question")
    if promise.seen:
        how = "changed" if promise.reworded and not about else "added"
        yield Caveat(
            kind="changed plan",
            text=f"{what} was {how} after {_trials_were(promise.seen, of=' of its arms')} seen",
        )
    if not added.inside:
        yield Caveat(
            kind="outside the promise",
            text=f"{what} was added after trials of the study were seen and is not covered by its promise: with "
            f"whatever was added at the same time it has one of its own, {100 * added.confidence:.6g} %",
        )


def _trials_were(count: int, *, of: str = "") -> str:
    return f"{count_of(count, 'trial')}{of} {'was' if count == 1 else 'were'}"


def _registered(name: str, store: Store) -> list[Registration]:
    return [Registration(plan=plan_from(one.plan), seen=one.seen) for one in store.plans(name)]


def _in_force(plan: Plan, history: list[Registration]) -> bool:
    """Whether this very plan is the last one of its study; one that judges nothing, of its name."""
    lineage = connected(plan, history) if plan.verdicts else history
    return bool(lineage) and lineage[-1].plan == plan


def _seen(study: Study, plan: Plan, history: list[Registration], store: Store) -> dict[str, int]:
    """Trials of all arms the study ever held against each other, on seeds such as its own, as stored now."""
    keys = sorted(plan.arms.union(*(one.plan.arms for one in connected(plan, history))))
    return store.seen(keys, block=next(arm.block for arm in study.arms.values()))
