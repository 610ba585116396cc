"""A store's look history, gone through again: do its trials still give the verdicts that it keeps?

Needs no study file: the plans, the terms of each verdict and the trials are all in the store.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fairtrial.analysis.contrast import Contrast, contrast, margin_of
from fairtrial.analysis.judgement import better_of
from fairtrial.analysis.looking import stored_looks
from fairtrial.analysis.plan import plan_from
from fairtrial.analysis.promise import Registration, connected, promises
from fairtrial.analysis.terms import Terms, sha256, terms_from
from fairtrial.analysis.timing import time_contrast, timed_on
from fairtrial.stats.intervals import log_margin
from fairtrial.stats.looks import replay
from fairtrial.store import Store, StoredLook, StoredPlan, StoredVerdict
from fairtrial.trial import StoredTrial

TOLERANCE = 1e-6
"""Relative: another machine's arithmetic may differ in the last digits, a verdict never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of it: how much was repeated, and in words whatever did not come out as it is stored."""

    plans: int
    verdicts: int
    looks: int
    differences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def replay_store(store: Store, *, study: str | None = None) -> Replay:
    """Repeat every stored look, of one study or of all, from the stored trials.

    Each plan must have the digest it was stored under, the terms of each verdict must follow from a
    plan, no look may be missing before the last, and each look and the verdict standing after it must
    come out of the trials again.
    """
    plans, verdicts = store.plans(study), store.verdicts(study)
    differences = [text for plan in plans for text in _of_plan(plan)]
    # A plan that was changed promises nothing that could be held against a verdict.
    promised = None if differences else _promised(plans)
    for verdict in verdicts:
        differences += _of_verdict(verdict, store, promised=promised)
    return Replay(
        plans=len(plans),
        verdicts=len(verdicts),
        looks=sum(len(verdict.looks) for verdict in verdicts),
        differences=tuple(differences),
    )


def replay_studies(store: Store, studies: Iterable[str]) -> Replay:
    """The looks of several studies, repeated one study after the other."""
    found = [replay_store(store, study=study) for study in studies]
    return Replay(
        plans=sum(one.plans for one in found),
        verdicts=sum(one.verdicts for one in found),
        looks=sum(one.looks for one in found),
        differences=tuple(difference for one in found for difference in one.differences),
    )


@dataclass(frozen=True, slots=True)
class _Trained:
    by_seed: Mapping[int, StoredTrial]


def _of_plan(plan: StoredPlan) -> Iterator[str]:
    if sha256(plan.plan) != plan.sha256:
        yield f"study {plan.study}: the plan of {plan.registered_at:%Y-%m-%d %H:%M} was changed after it was stored"


def _promised(plans: list[StoredPlan]) -> set[str]:
    """The terms that any plan of any study gave, without what depends on the data alone."""
    found: set[str] = set()
    histories: dict[str, list[Registration]] = {}
    for stored in plans:
        history = histories.setdefault(stored.study, [])
        current = Registration(plan=plan_from(stored.plan), seen=stored.seen)
        lineage = (*connected(current.plan, history), current)
        history.append(current)
        given = promises(lineage)
        for one in current.plan.verdicts:
            found.add(
                _key(
                    study=stored.study,
                    variant=one.variant,
                    baseline=one.baseline,
                    metric=one.metric,
                    on=one.on,
                    over=one.over,
                    goal=one.goal,
                    margin=one.margin,
                    alpha=given[one.identity].alpha,
                    first=current.plan.first,
                    horizon=current.plan.horizon,
                )
            )
    return found


def _key(**terms: Any) -> str:
    return json.dumps(terms, sort_keys=True)


def _of_verdict(stored: StoredVerdict, store: Store, *, promised: set[str] | None) -> Iterator[str]:
    where = f"study {stored.study}, question {stored.question}"
    if sha256(stored.terms) != stored.sha256:
        yield f"{where}: its terms were changed after they were stored"
        return
    terms = terms_from(stored.terms)
    if not stored.looks:
        yield f"{where}: its looks are gone"
        return
    about = f"{where}, {terms.metric}" + (f" on {terms.on}" if terms.on else "")
    planned = asdict(terms)
    for of_the_data in ("floor", "engine_version", "machine", "processor", "block"):
        del planned[of_the_data]
    if promised is not None and _key(**planned) not in promised:
        yield f"{about}: no stored plan has the terms it was judged on"
    gaps = sorted(set(range(terms.first, stored.looks[-1].n)) - {look.n for look in stored.looks})
    if gaps:
        yield f"{about}: no look is stored at {', '.join(map(str, gaps))} seeds, though later ones are"
    again = {look.n: look for look in _looks(terms, store, most=stored.looks[-1].n)}
    for look in stored.looks:
        if look.n not in again:
            yield f"{about}, look at {look.n} seeds: what it looked at is not in the store"
        else:
            for text in _apart(look, again[look.n]):
                yield f"{about}, look at {look.n} seeds: {text}"


def _looks(terms: Terms, store: Store, *, most: int) -> tuple[StoredLook, ...]:
    """The looks at the first `most` seeds, from the stored trials alone; none where these give none."""
    compared = _contrast(terms, store)
    margin = log_margin(terms.margin) if terms.metric == "time" else margin_of(terms.margin, compared)
    contrasts = compared.contrasts[:most]
    if margin is None or not margin > 0 or len(contrasts) < terms.first:
        return ()
    looks = replay(
        contrasts,
        margin=margin,
        alpha=terms.alpha,
        first=terms.first,
        horizon=terms.horizon,
        floor=terms.floor,
        goal=terms.goal,
        better=better_of(terms.metric),
    )
    return stored_looks(looks, terms)


def _contrast(terms: Terms, store: Store) -> Contrast:
    """The trials of the two arms side by side; for a time, the pairs timed on its machine."""
    if terms.metric == "time":
        pairs = timed_on(
            (terms.machine, terms.processor),
            store,
            variant_key=terms.variant,
            baseline_key=terms.baseline,
            engine_version=terms.engine_version,
        )
        return time_contrast(pairs, horizon=terms.horizon)
    found = store.stored_of_arms(
        (terms.variant, terms.baseline),
        engine_version=terms.engine_version,
        block=terms.block,
        last_seed=terms.horizon,
    )
    variant, baseline = (
        _Trained({trial.seed: trial for trial in found[key]}) for key in (terms.variant, terms.baseline)
    )
    return contrast(
        variant, baseline, metric=terms.metric, on=terms.on, over=terms.over, horizon=terms.horizon
    )


def _apart(stored: StoredLook, again: StoredLook) -> Iterator[str]:
    for one in fields(StoredLook):
        before, now = getattr(stored, one.name), getattr(again, one.name)
        if not _same(before, now):
            yield f"{one.name} is stored as {before} and comes out as {now}"


def _same(before: object, now: object) -> bool:
    if isinstance(before, float) and isinstance(now, float):
        return math.isclose(before, now, rel_tol=TOLERANCE, abs_tol=1e-12)
    return before == now
