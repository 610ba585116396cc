"""A study's questions on its arms, answered from what is stored."""

from __future__ import annotations

import fairtrial
from fairtrial.analysis.answer import answer, asked
from fairtrial.analysis.caveats import troubles
from fairtrial.analysis.curves import curves
from fairtrial.analysis.fresh import RightShares
from fairtrial.analysis.gather import failures, gather, other_engines
from fairtrial.analysis.register import Promised, promised
from fairtrial.analysis.timing import time_answer
from fairtrial.analysis.values import Answers, ArmTrials
from fairtrial.store import Store, without_search_for_cycles
from fairtrial.study.schema import Study


def answers(
    study: Study,
    store: Store,
    *,
    history: bool = True,
    epochs: bool = True,
    promises: Promised | None = None,
) -> Answers:
    """Every question of the study answered from what the store holds; trains nothing.

    `history` brings along what no verdict needs: the epochs of each trial, the interval for fresh images,
    which takes every test image of every trial, and what arms along one number say together. Without `epochs`
    the epochs stay behind, which are most of what a large store has to be read for. `promises` are looked up in the store unless whoever asks again and again has them already.

    A question whose arms have no seed in common is undecided, and says so.
    """
    with without_search_for_cycles():
        return _answers(study, store, history=history, epochs=epochs, promises=promises)


def _answers(
    study: Study, store: Store, *, history: bool, epochs: bool, promises: Promised | None
) -> Answers:
    arms = gather(list(study.arms.values()), store, history=history and epochs)
    others = other_engines(study.arms, store)
    failed = failures(arms, store, least=study.seeds.min)
    promises = promises or promised(study, store)
    right = RightShares(store) if history else None

    def unsound(arm: ArmTrials) -> bool:
        return bool(troubles((arm,), failed=failed, horizon=study.seeds.max))

    return Answers(
        study=study.name,
        version=fairtrial.__version__,
        arms=tuple(arms.values()),
        answers=tuple(
            time_answer(study, question, arms, store, promised=promises, failed=failed)
            if metric == "time"
            else answer(
                study,
                question,
                arms,
                metric=metric,
                on=on,
                promised=promises,
                other_engines=others,
                failed=failed,
                right=right,
            )
            for question in study.questions
            for metric, on in asked(question)
        ),
        curves=curves(study, arms, unsound=unsound) if history else (),
        other_engines=others,
        asked=study,
        store=store.path,
    )
