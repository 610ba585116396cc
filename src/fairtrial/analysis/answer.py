"""One question on accuracy or loss, answered from the trials of its two arms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fairtrial.analysis.caveats import caveats, troubles
from fairtrial.analysis.claimed import judge_claim
from fairtrial.analysis.contrast import contrast, margin
from fairtrial.analysis.engines import ByVersion
from fairtrial.analysis.fresh import RightShares, fresh_images
from fairtrial.analysis.gather import Failed
from fairtrial.analysis.held import held_line, implied_line
from fairtrial.analysis.judgement import Judgement, floor_of, judge, repeated_weights
from fairtrial.analysis.register import Promised
from fairtrial.analysis.sentences import sentence
from fairtrial.analysis.values import Answer, ArmTrials
from fairtrial.stats.intervals import Interval
from fairtrial.stats.verdict import Verdict
from fairtrial.study.factors import held_fixed, implied
from fairtrial.study.schema import Metric, On, Question, Study


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
    promised: Promised,
    other_engines: Mapping[str, ByVersion],
    failed: Mapping[str, Sequence[Failed]],
    right: RightShares | None,
) -> Answer:
    """The answer to `question` on accuracy or loss, undecided where the trials do not settle it.

    `right` knows which test images a trial had right; without it there is no interval for fresh images.
    Questions on time have answers of their own (`timing.time_answer`).
    """
    variant, baseline = arms[question.variant], arms[question.baseline]
    over = None if on is None else question.over
    horizon = study.seeds.max
    compared = contrast(variant, baseline, metric=metric, on=on, over=over, horizon=horizon)
    smallest = margin(study.margins, compared)
    alpha = promised.alpha(question, metric=metric, on=on)
    floor = max(floor_of(arm, metric=metric, on=on) for arm in (variant, baseline))
    trouble = troubles((variant, baseline), failed=failed, horizon=horizon)
    repeated = any(repeated_weights(arm, seeds=compared.looked_at) for arm in (variant, baseline))
    judged = judge(
        compared,
        margin=smallest,
        alpha=alpha,
        seeds=study.seeds,
        floor=floor,
        goal=question.goal,
        trouble=bool(trouble),
        repeated=repeated,
    )
    low, high = shown(judged.interval, judged)
    fresh = None
    if right is not None and on == "test" and metric == "accuracy":
        fresh = fresh_images(compared, judged, variant, baseline, over=over, floor=floor, right=right)
    held = held_fixed(variant.arm, baseline.arm)
    along = implied(variant.arm, baseline.arm)
    return Answer(
        question=question.id,
        metric=metric,
        on=on,
        over=over,
        variant=question.variant,
        baseline=question.baseline,
        verdict=judged.verdict.value,
        variant_mean=float(compared.variant.mean()) if compared.seeds else None,
        baseline_mean=float(compared.baseline.mean()) if compared.seeds else None,
        estimate=compared.estimate,
        low=low,
        high=high,
        margin=smallest,
        confidence=study.confidence,
        seeds=len(compared.seeds),
        pairing_correlation=compared.pairing_correlation,
        caveats=(
            *caveats(
                question,
                variant,
                baseline,
                compared,
                on=on,
                seeds=study.seeds,
                other_engines=other_engines,
                failed=failed,
            ),
            *promised.caveats(question, metric=metric, on=on),
        ),
        sentence=sentence(
            compared,
            judged,
            variant=question.variant,
            baseline=question.baseline,
            on=on,
            over=over,
            margin=smallest,
            horizon=horizon,
            trouble=", ".join(trouble),
            fresh=fresh,
        ),
        claims=tuple(
            judge_claim(
                claim,
                question,
                arms,
                judged,
                over=over,
                margin=smallest,
                alpha=promised.alpha(question, metric=metric, on=on, claim=claim),
                seeds=study.seeds,
                floor=floor,
                unsound=lambda arm: bool(troubles((arm,), failed=failed, horizon=horizon)),
            )
            for claim in question.claims
            if claim.metric == metric and (on is None or claim.on == on)
        ),
        terms=promised.terms(question, metric=metric, on=on, floor=floor),
        looks=judged.looks,
        fresh_images=fresh,
        held_fixed=held,
        held_fixed_line=held_line(held, variant=question.variant),
        implied=along,
        implied_line=implied_line(along),
        more_seeds=more_seeds(judged),
        contrasts=tuple(zip(compared.seeds, compared.differences.tolist(), strict=True)),
    )


def more_seeds(judged: Judgement) -> int | None:
    """Seeds likely to settle it within the horizon; None for what is settled or not likely to be."""
    needed = judged.forecast
    if judged.verdict != "undecided" or judged.because or needed is None or not needed.within_horizon:
        return None
    return needed.more


def shown(interval: Interval | None, judged: Judgement) -> tuple[float | None, float | None]:
    """The ends of an interval that may be printed: none of a comparison that is void."""
    if interval is None or judged.verdict is Verdict.UNSTABLE or not math.isfinite(interval.bound):
        return None, None
    return interval.low, interval.high
