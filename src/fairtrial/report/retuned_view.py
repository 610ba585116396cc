"""A question whose arms are tuned first as the page shows it: the comparison, then what the tuning saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fairtrial.analysis.retuned import Retuned, Tuned
from fairtrial.analysis.searched_text import seeds_named
from fairtrial.analysis.tried import Tried
from fairtrial.report.evidence import Evidence
from fairtrial.report.judged_view import judged_view
from fairtrial.report.question_view import QuestionView
from fairtrial.report.words import Badge, shown
from fairtrial.study.schema import Retuning
from fairtrial.study.tuning import in_words
from fairtrial.trial import RETUNING

NOT_COMPARED = Badge(sign="…", word="not compared yet", role="open")
NO_EVIDENCE = "chosen on seeds of its own, no evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedView:
    """One row of the table of what was tried on an arm."""

    arm: str
    settings: str
    mean: str
    seeds: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RetunedView:
    """`judged` is the comparison of the tuned arms, None before both are chosen. The rest is the tuning's, and no evidence."""

    found: Retuned
    anchor: str
    asked: str
    badge: Badge
    judged: QuestionView | None
    how: str
    tried: tuple[TriedView, ...]
    no_evidence: str = NO_EVIDENCE


def retuned_view(
    found: Retuned, evidence: Evidence, *, anchor: str, reach: Mapping[str, float], each_seed: bool
) -> RetunedView:
    asked = found.question
    judged = None
    if found.comparison is not None:
        view = judged_view(found.comparison, evidence, anchor=anchor, reach=reach, each_seed=each_seed)
        # Both arms may have come to the same value, which was tuned all the same and not held fixed.
        judged = replace(view, held=tuple(one for one in view.held if one.path not in asked.retune))
    seeds = seeds_named(range(RETUNING + 1, RETUNING + asked.retune_seeds + 1))
    return RetunedView(
        found=found,
        anchor=anchor,
        asked=asked.ask or f"{asked.variant} against {asked.baseline}, each tuned anew",
        badge=NOT_COMPARED if judged is None else judged.first.badge,
        judged=judged,
        how=(
            f"Each arm was tuned by its mean validation {asked.tuned_for} on seeds {seeds} alone; the comparison rests on "
            "other seeds. The mean of what was chosen is the best of several and therefore flattering."
        ),
        tried=tuple(row for side in (found.variant, found.baseline) for row in _rows(side, asked)),
    )


def _rows(side: Tuned, asked: Retuning) -> Iterator[TriedView]:
    for one in side.tried:
        yield TriedView(
            arm=side.arm,
            settings=in_words(one.settings),
            mean="diverged" if one.trained and one.mean is None else shown(one.mean, asked.tuned_for),
            seeds=_seeds(one, asked),
            chosen=one.settings == side.chosen,
        )


def _seeds(one: Tried, asked: Retuning) -> str:
    """How many seeds the mean rests on, and what became of the others."""
    finished = one.trained - one.diverged
    fates = [f"{one.diverged} diverged"] if one.diverged else []
    if one.trained < asked.retune_seeds:
        fates.append(f"{asked.retune_seeds - one.trained} missing")
    return f"{finished} ({', '.join(fates)})" if fates else str(finished)
