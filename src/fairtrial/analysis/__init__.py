"""Stored outcomes to answers: what a study's questions come to, with reasons to trust them less."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.analysis import answering
from fairtrial.analysis.combined import Combined, combined
from fairtrial.analysis.curve import Curve
from fairtrial.analysis.register import Promised
from fairtrial.analysis.retuned import Retuned, retuned
from fairtrial.analysis.searched import Searched, searched
from fairtrial.analysis.values import (
    Answer,
    Answers,
    ArmTrials,
    Caveat,
    JudgedClaim,
    QuestionAnswers,
)
from fairtrial.store import Store
from fairtrial.study.schema import Study

__all__ = [
    "Answer",
    "Answers",
    "ArmTrials",
    "Caveat",
    "Combined",
    "Curve",
    "JudgedClaim",
    "QuestionAnswers",
    "Retuned",
    "Searched",
    "answers",
]


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
    which takes every test image of every trial, what arms along one number say together, and what came of
    searches, of questions whose arms are tuned first and of those that combine others. Without `epochs` the epochs stay
    behind: a text does not show them. `promises` are looked up in the store unless whoever asks again and again
    has them already.

    A question whose arms have no seed in common is undecided, and says so.
    """
    found = answering.answers(study, store, history=history, epochs=epochs, promises=promises)
    if not history:
        return found
    return replace(
        found,
        searches=tuple(searched(study, search, store) for search in study.search),
        retuned=tuple(retuned(study, asked, store) for asked in study.retuned),
        combined=tuple(combined(study, asked, store, found) for asked in study.combined),
    )
