"""One question on one metric, answered from the trials of its two arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairtrial.analysis.caveats import caveats, diverged
from fairtrial.analysis.contrast import Contrast, contrast, margin
from fairtrial.analysis.sentences import sentence
from fairtrial.analysis.values import Answer, ArmTrials, JudgedClaim
from fairtrial.study.schema import Metric, On, Question, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its interval in the unit the answer shows, and in words why it is undecided."""

    verdict: str
    low: float | None
    high: float | None
    because: str = ""


def asked(question: Question) -> tuple[tuple[Metric, On | None], ...]:
    """What a question wants a verdict on, in its own order: each metric on each set of images.

    >>> asked(Question(id="Q", variant="b", baseline="a", metrics=("accuracy", "time"), on=("validation", "test")))
    (('accuracy', 'validation'), ('accuracy', 'test'), ('time', None))
    """
    wanted: list[tuple[Metric, On | None]] = []
    for metric in question.metrics:
        if metric == "time":
            wanted.append((metric, None))
        else:
            wanted.extend((metric, on) for on in question.on)
    return tuple(wanted)


def answer(
    study: Study,
    question: Question,
    arms: Mapping[str, ArmTrials],
    *,
    metric: Metric,
    on: On | None,
    other_engines: Mapping[str, int],
    failed: Mapping[str, Sequence[str]],
) -> Answer:
    """The answer to `question` on one metric, undecided where the trials do not settle it."""
    variant, baseline = arms[question.variant], arms[question.baseline]
    over = None if on is None else question.over
    compared = contrast(variant, baseline, metric=metric, on=on, over=over)
    smallest = margin(study.margins, compared)
    trouble = diverged(variant, baseline, compared)
    judged = _verdict(compared, unstable=bool(trouble))
    return Answer(
        question=question.id,
        metric=metric,
        on=on,
        over=over,
        variant=question.variant,
        baseline=question.baseline,
        verdict=judged.verdict,
        variant_mean=float(compared.variant.mean()) if compared.seeds else None,
        baseline_mean=float(compared.baseline.mean()) if compared.seeds else None,
        estimate=compared.estimate,
        low=judged.low,
        high=judged.high,
        margin=smallest,
        confidence=study.confidence,
        seeds=len(compared.seeds),
        pairing_correlation=compared.pairing_correlation,
        caveats=caveats(
            question, variant, baseline, compared, on=on, other_engines=other_engines, failed=failed
        ),
        sentence=sentence(
            compared,
            variant=question.variant,
            baseline=question.baseline,
            on=on,
            over=over,
            verdict=judged.verdict,
            because=judged.because,
            trouble=", ".join(trouble),
        ),
        claims=tuple(
            JudgedClaim(claim=claim, verdict="not settled")
            for claim in question.claims
            if claim.metric == metric and (on is None or claim.on == on)
        ),
    )


def _verdict(compared: Contrast, *, unstable: bool) -> Judgement:
    """What the contrasts settle. Means alone settle nothing, so for now: undecided.

    The interval and the decision rule come in here: `compared.differences` in seed order, the
    margin, the confidence and the number of verdicts in the study are at hand in `answer`.
    """
    if unstable:
        return Judgement(verdict="unstable", low=None, high=None)
    because = "means alone settle nothing, and this version works out no interval"
    return Judgement(verdict="undecided", low=None, high=None, because=because)
