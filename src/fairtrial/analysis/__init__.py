"""Stored outcomes to answers: what a study's questions come to, with reasons to trust them less."""

from __future__ import annotations

import fairtrial
from fairtrial.analysis.answer import answer, asked
from fairtrial.analysis.gather import failures, gather, other_engines
from fairtrial.analysis.register import Promised, promised
from fairtrial.analysis.timing import time_answer
from fairtrial.analysis.values import Answer, Answers, ArmTrials, Caveat, JudgedClaim, QuestionAnswers
from fairtrial.store import Store
from fairtrial.study.schema import Study

__all__ = ["Answer", "Answers", "ArmTrials", "Caveat", "JudgedClaim", "QuestionAnswers", "answers"]


def answers(study: Study, store: Store, *, history: bool = True, promises: Promised | None = None) -> Answers:
    """Every question of the study answered from what the store holds; trains nothing.

    `history` brings the epochs of each trial along, which no verdict needs. `promises` are looked up
    in the store unless whoever asks again and again has them already.

    A question whose arms have no seed in common is undecided, and says so.
    """
    arms = gather(list(study.arms.values()), store, history=history)
    others = other_engines(study.arms, store)
    failed = failures(arms, store, least=study.seeds.min)
    promises = promises or promised(study, store)
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
            )
            for question in study.questions
            for metric, on in asked(question)
        ),
    )
