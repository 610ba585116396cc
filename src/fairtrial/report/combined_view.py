"""A question that combines others as the page shows it: what was taken, what it gains, what each part adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fairtrial.analysis.combined import FEWEST, Combined
from fairtrial.report.evidence import Evidence
from fairtrial.report.judged_view import judged_view
from fairtrial.report.question_view import QuestionView
from fairtrial.report.words import Badge, apart, between, verdict_badge
from fairtrial.study.tuning import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One of the questions that were to be combined, `anchor` its place on the page, and what became of it."""

    question: str
    anchor: str
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedView:
    """One row of the table of what each part adds to all the others."""

    question: str
    changes: str
    sentence: str
    estimate: str
    interval: str
    seeds: int
    badge: Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedView:
    """`judged` is the combination against its baseline, None where nothing was combined."""

    found: Combined
    anchor: str
    asked: str
    badge: Badge
    judged: QuestionView | None
    parts: tuple[PartView, ...]
    added: tuple[AddedView, ...]


def combined_view(
    found: Combined,
    evidence: Evidence,
    *,
    anchor: str,
    reach: Mapping[str, float],
    each_seed: bool,
    questions: Mapping[str, str],
) -> CombinedView:
    """`questions` are the places on the page of the questions that are combined."""
    judged = (
        None
        if found.judgement is None
        else judged_view(found.judgement, evidence, anchor=anchor, reach=reach, each_seed=each_seed)
    )
    return CombinedView(
        found=found,
        anchor=anchor,
        asked=found.question.ask or f"What do {', '.join(found.question.combine)} come to together?",
        badge=_not_judged(found) if judged is None else judged.first.badge,
        judged=judged,
        parts=tuple(
            PartView(question=name, anchor=questions[name], fate=fate) for name, fate in _fates(found)
        ),
        added=tuple(_added(found)),
    )


def _not_judged(found: Combined) -> Badge:
    """How a question stands that has no combination to judge."""
    if found.impossible:
        return Badge(sign="!", word="cannot be combined", role="alarm")
    if not found.open and len(found.parts) < FEWEST:
        return Badge(sign="–", word="nothing to combine", role="open")
    return Badge(sign="…", word="not combined yet", role="open")


def _fates(found: Combined) -> Iterator[tuple[str, str]]:
    """Those that are improvements first; taken they are only once the combination is frozen."""
    word = "taken" if found.judgement is not None else "an improvement"
    for part in found.parts:
        yield part.question, f"{word}: {in_words(part.changes)} ({part.verdict})"
    for one in found.left_out:
        waits = one.question in found.open
        yield one.question, f"{'not settled yet' if waits else 'left out'} ({one.because})"


def _added(found: Combined) -> Iterator[AddedView]:
    changes = {part.question: in_words(part.changes) for part in found.parts}
    for name, answer in found.added.items():
        yield AddedView(
            question=name,
            changes=changes[name],
            sentence=answer.sentence,
            estimate=apart(answer.estimate, answer.metric),
            interval=between(answer.low, answer.high, answer.metric),
            seeds=answer.seeds,
            badge=verdict_badge(answer.verdict),
        )
