"""One question as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairtrial.analysis.clocks import of_clock
from fairtrial.analysis.contrast import Contrast, contrast
from fairtrial.analysis.ledger import Entry, ledger
from fairtrial.analysis.outstanding import Outstanding
from fairtrial.analysis.values import Answer, Answers, Caveat
from fairtrial.report.charts import Chart
from fairtrial.report.contrast_charts import Seconds, contrast_chart, seconds_chart
from fairtrial.report.evidence import Evidence
from fairtrial.report.learning import Curves, learning_charts
from fairtrial.report.pairs import PairsPicture, pairs
from fairtrial.report.strip import strip
from fairtrial.report.summary import needs
from fairtrial.report.words import Badge, about, claim_badge, facts, verdict_badge
from fairtrial.study.factors import Difference, Held, differences, held_fixed, implied
from fairtrial.study.schema import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """What was said, what its author's own tables show, what is true."""

    badge: Badge
    entry: Entry
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One verdict. `needs` says what an undecided one is likely to take, or is empty."""

    answer: Answer
    about: str
    badge: Badge
    strip: str
    pairs: PairsPicture | None
    facts: tuple[tuple[str, str], ...]
    needs: str
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """`first` is the answer that stands for the question on the first screen."""

    question: Question
    anchor: str
    first: AnswerView
    others: tuple[AnswerView, ...]
    caveats: tuple[Caveat, ...]
    charts: tuple[Chart, ...]
    differing: tuple[Difference, ...]
    implied: tuple[Difference, ...]
    held: tuple[Held, ...]

    @property
    def views(self) -> tuple[AnswerView, ...]:
        return (self.first, *self.others)

    @property
    def claims(self) -> tuple[ClaimView, ...]:
        return tuple(claim for view in self.views for claim in view.claims)


def question_view(
    question: Question,
    evidence: Evidence,
    *,
    anchor: str,
    curves: Mapping[str, Curves],
    reach: Mapping[str, float],
    lacks: Outstanding,
) -> QuestionView:
    """`reach` says of each metric how many margins its small pictures show."""
    answers = list(evidence.answers[question.id])
    variant, baseline = evidence.arms[question.variant], evidence.arms[question.baseline]
    compared = [_compared(answer, evidence) for answer in answers]
    views = tuple(
        AnswerView(
            answer=answer,
            about=about(answer),
            badge=verdict_badge(answer.verdict),
            strip=strip(answer, reach=reach[answer.metric]),
            pairs=pairs(answer, one),
            facts=facts(answer),
            needs=needs(answer, lacks, least=evidence.study.seeds.min),
            claims=_claims(answer, evidence.answers),
        )
        for answer, one in zip(answers, compared, strict=True)
    )
    return QuestionView(
        question=question,
        anchor=anchor,
        first=views[0],
        others=views[1:],
        caveats=tuple(dict.fromkeys(caveat for answer in answers for caveat in answer.caveats)),
        charts=(
            *(() if evidence.many else learning_charts(_both(question, curves))),
            *_evidence_charts(question, evidence, answers, compared),
        ),
        differing=differences(variant.arm, baseline.arm),
        implied=implied(variant.arm, baseline.arm),
        held=held_fixed(variant.arm, baseline.arm),
    )


def _compared(answer: Answer, evidence: Evidence) -> Contrast:
    """The values an answer rests on; those of time are pairs timed in turn, never the clocks of trials."""
    if answer.metric == "time":
        return evidence.timed[answer.question]
    return contrast(
        evidence.arms[answer.variant],
        evidence.arms[answer.baseline],
        metric=answer.metric,
        on=answer.on,
        over=answer.over,
        horizon=evidence.study.seeds.max,
    )


def _seconds(question: Question, evidence: Evidence) -> Chart | None:
    """Pairs timed in turn; where there are none, what the trials themselves took."""
    paired = evidence.timed.get(question.id)
    if paired is not None and paired.seeds:
        return seconds_chart(
            tuple(
                Seconds(arm=name, numbers=paired.seeds, seconds=tuple(values.tolist()))
                for name, values in (
                    (question.variant, paired.variant),
                    (question.baseline, paired.baseline),
                )
            ),
            timed=True,
        )
    clocks: list[Seconds] = []
    for name in (question.variant, question.baseline):
        finished = of_clock(evidence.arms[name].trials, evidence.clock)
        clocks.append(
            Seconds(
                arm=name,
                numbers=tuple(trial.seed for trial in finished),
                seconds=tuple(trial.outcome.seconds["train"] for trial in finished),
            )
        )
    return seconds_chart(tuple(clocks), timed=False)


def _both(question: Question, curves: Mapping[str, Curves]) -> list[Curves]:
    return [curves[one] for one in (question.variant, question.baseline) if one in curves]


def _evidence_charts(
    question: Question, evidence: Evidence, answers: list[Answer], compared: list[Contrast]
) -> list[Chart]:
    drawn = list(zip(answers, compared, strict=True))[: 1 if evidence.many else None]
    found = [contrast_chart(answer, one) for answer, one in drawn]
    if evidence.many:
        return [chart for chart in found if chart is not None]
    found.append(_seconds(question, evidence))
    return [chart for chart in found if chart is not None]


def _claims(answer: Answer, answers: Answers) -> tuple[ClaimView, ...]:
    own = ledger(Answers(study=answers.study, version=answers.version, arms=(), answers=(answer,)))
    return tuple(
        ClaimView(badge=claim_badge(one.verdict), entry=entry, text=one.claim.text or "")
        for one, entry in zip(answer.claims, own.entries, strict=True)
    )
