"""A question whose arms are tuned first: each setting tried on seeds of its own, one frozen for each arm, the two compared."""

from __future__ import annotations

import json
from collections.abc import Collection

from fairtrial import due
from fairtrial.analysis.gather import arm_key
from fairtrial.analysis.register import register
from fairtrial.analysis.retuned import comparison
from fairtrial.analysis.terms import sha256
from fairtrial.analysis.tried import best, chosen_text, tried, tuning_key, tuning_study
from fairtrial.searching.work import BUDGET_ENDED, Followed, Work
from fairtrial.store import Selection, Store
from fairtrial.study.schema import Retuning, Study
from fairtrial.study.tuning import settings_tried, tuned_arm
from fairtrial.trial import QUESTIONS


def declare(study: Study, store: Store) -> None:
    """Note for every such question which trials could have been seen before it was asked; once, whatever follows.

    To be called before the first trial of every run: the two arms that are compared in the end are not known yet,
    and when they are, ordinary questions have perhaps trained one of them already.
    """
    for asked in study.retuned:
        if _declared(study, asked, store) is None:
            keys = {
                arm_key(tuned_arm(study.arms[name], settings, block=QUESTIONS))
                for name in (asked.variant, asked.baseline)
                for settings in settings_tried(asked)
            }
            store.select(
                study=study.name,
                question=asked.id,
                basis=_declared_key(study, asked),
                selected=json.dumps(store.seen(sorted(keys), block=QUESTIONS), sort_keys=True),
                first_block=QUESTIONS,
                fresh=False,
            )


def tune(study: Study, asked: Retuning, work: Work) -> Followed:
    """Train what the choice of settings lacks, freeze it, and compare the two arms on the ordinary seeds."""
    frozen = work.store.selection(study=study.name, question=asked.id, basis=tuning_key(study, asked))
    reports = ()
    if frozen is None and not work.over:
        tuning = tuning_study(study, asked)
        with work.watching(tuning, seeds=asked.retune_seeds) as on_event:
            report = work.run(tuning, on_event, seeds=asked.retune_seeds, weights="none")
        reports = (report,)
        frozen = _freeze(study, asked, work.store, given_up=report.failed)
    if frozen is None:
        return Followed(question=asked.id, reports=reports, lacking=BUDGET_ENDED)
    compared = comparison(study, asked, frozen)
    register(compared, work.store, seen=_declared(study, asked, work.store))
    if work.over:
        return Followed(question=asked.id, reports=reports, lacking=BUDGET_ENDED)
    with work.watching(compared, seeds=work.seeds) as on_event:
        report = work.run(compared, on_event, seeds=work.seeds)
    return Followed(
        question=asked.id,
        reports=(*reports, report),
        lacking=BUDGET_ENDED if report.ended_by == "budget" else "",
    )


def _freeze(study: Study, asked: Retuning, store: Store, *, given_up: Collection[str]) -> Selection | None:
    """Choose for each arm, once and for all; None while a trial is missing that may still be trained."""
    tuning = tuning_study(study, asked)
    missing = due.missing(tuning, store, list(tuning.arms), asked.retune_seeds)
    if any(trial.key not in given_up for trial in missing):
        return None
    chosen = {
        role: best(tried(study.arms[name], asked, store), asked).settings
        for role, name in (("variant", asked.variant), ("baseline", asked.baseline))
    }
    return store.select(
        study=study.name,
        question=asked.id,
        basis=tuning_key(study, asked),
        selected=chosen_text(chosen),
        first_block=QUESTIONS,
        fresh=False,
    )


def _declared(study: Study, asked: Retuning, store: Store) -> dict[str, int] | None:
    """By arm key, the trials that were stored when the question was first asked; None if it never was."""
    found = store.selection(study=study.name, question=asked.id, basis=_declared_key(study, asked))
    return None if found is None else json.loads(found.selected)


def _declared_key(study: Study, asked: Retuning) -> str:
    return sha256(f"declared {tuning_key(study, asked)}")
