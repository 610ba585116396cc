"""What an undecided question is likely to need, in trials and in time."""

from __future__ import annotations

from fairtrial.analysis.alpha import alphas, family
from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.cost import Cost
from fairtrial.analysis.judgement import better_of, floor_of
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.values import Answer, ArmTrials
from fairtrial.durations import duration
from fairtrial.stats.forecast import forecast
from fairtrial.stats.looks import look
from fairtrial.study.schema import Question, Study


def outlook(
    study: Study,
    question: Question,
    answer: Answer,
    compared: Contrast,
    *,
    variant: ArmTrials,
    baseline: ArmTrials,
    costs: tuple[Cost, Cost],
) -> str:
    """In a sentence; empty for an answer that more seeds do not help, or that needs none."""
    if answer.verdict != "undecided" or answer.metric == "time":
        return ""
    seconds = sum(cost.seconds for cost in costs)
    guess = " (a guess for this machine)" if any(cost.basis == "guess" for cost in costs) else ""
    if len(compared.looked_at) < study.seeds.min:
        more = study.seeds.min - len(compared.looked_at)
        return (
            f"A verdict takes {study.seeds.min} seeds of both arms: {more} more, "
            f"about {duration(more * seconds)} of one core{guess}."
        )
    if not answer.margin or not answer.margin > 0:
        return ""
    seen = look(
        compared.contrasts,
        margin=answer.margin,
        alpha=alphas(study)[family(answer.metric, answer.on)],
        first=study.seeds.min,
        horizon=study.seeds.max,
        floor=max(floor_of(arm, metric=answer.metric, on=answer.on) for arm in (variant, baseline)),
        goal=question.goal,
        better=better_of(answer.metric),
    )
    needed = forecast(seen, first=study.seeds.min, goal=question.goal, better=better_of(answer.metric))
    if needed.more is None or not needed.within_horizon:
        return ""
    return (
        f"About {count_of(needed.more, 'more seed')} of both arms: {count_of(2 * needed.more, 'trial')}, "
        f"about {duration(needed.more * seconds)} of one core{guess}."
    )
