"""What each margin would cost, question by question: seeds and seconds, before they are spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairtrial.analysis.alpha import alphas, family
from fairtrial.analysis.answer import asked
from fairtrial.analysis.contrast import Over, contrast, margin, value
from fairtrial.analysis.cost import Cost
from fairtrial.analysis.judgement import floor_of, identical
from fairtrial.analysis.values import ArmTrials
from fairtrial.analysis.wall import seeds_seconds
from fairtrial.stats.forecast import planned_spread, price_list
from fairtrial.stats.intervals import spread
from fairtrial.study.schema import Metric, On, Question, Study

MULTIPLES = (1, 3, 10)
"""Of the study's own margin."""

ASSUMED_ERROR = 0.02
"""Error of an arm that nobody has trained yet: that of a small network on MNIST."""

Basis = Literal["measured", "planned", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPrice:
    """One margin, in the metric's unit: seeds of both arms, and what all of them take on all workers.

    None beyond ten million seeds.
    """

    margin: float
    seeds: int | None
    seconds: float | None
    within_horizon: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmError:
    """The error rate that a plan rests on: measured on `seeds` seeds, or assumed where there are none."""

    arm: str
    error: float
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The price list of one verdict.

    `measured`: `spread` is that of the contrasts of `seeds` stored seeds. `planned`: it follows from the
    two `errors`. `unknown`: a loss before its first seeds, for which there is no plan.
    """

    question: str
    metric: Metric
    on: On
    basis: Basis
    spread: float | None
    seeds: int
    errors: tuple[ArmError, ...]
    margins: tuple[MarginPrice, ...]


def prices(
    study: Study, arms: Mapping[str, ArmTrials], costs: Mapping[str, Cost], *, workers: int
) -> tuple[Prices, ...]:
    """A list for each verdict on accuracy or loss that the study declares.

    At the verdict's own share of the study's allowed error. The number of seeds gives 80 % chance to show a
    direction where the effect is the margin, and that none matters where there is none. Time is left out: no
    trial of the ordinary kind settles it.
    """
    return tuple(
        _prices(study, question, arms, costs, metric=metric, on=on, workers=workers)
        for question in study.questions
        for metric, on in asked(question)
        if metric != "time" and on is not None
    )


def total(
    study: Study, lists: Sequence[Prices], costs: Mapping[str, Cost], *, workers: int
) -> tuple[MarginPrice, ...]:
    """What it costs to settle all questions about accuracy at each margin: an arm that several share is paid once."""
    questions = {question.id: question for question in study.questions}
    about_accuracy = [one for one in lists if one.metric == "accuracy"]
    return tuple(
        _together([(questions[one.question], one.margins[place]) for one in about_accuracy], costs, workers)
        for place in range(len(MULTIPLES) if about_accuracy else 0)
    )


def _together(
    wanted: Sequence[tuple[Question, MarginPrice]], costs: Mapping[str, Cost], workers: int
) -> MarginPrice:
    needs: dict[str, int] = {}
    for question, price in wanted:
        for arm in (question.variant, question.baseline):
            needs[arm] = max(needs.get(arm, 0), price.seeds or 0)
    known = all(price.seeds is not None for _, price in wanted)
    work = sum(seeds * costs[arm].seconds for arm, seeds in needs.items()) / workers
    # Questions go on side by side, the seeds of one after each other: with many workers the longest decides.
    alone = [price.seconds for _, price in wanted if price.seconds is not None]
    seconds = max([work, *alone])
    return MarginPrice(
        margin=wanted[0][1].margin,
        seeds=max(needs.values()) if known else None,
        seconds=seconds if known else None,
        within_horizon=all(price.within_horizon for _, price in wanted),
    )


def _prices(
    study: Study,
    question: Question,
    arms: Mapping[str, ArmTrials],
    costs: Mapping[str, Cost],
    *,
    metric: Metric,
    on: On,
    workers: int,
) -> Prices:
    variant, baseline = arms[question.variant], arms[question.baseline]
    seen = contrast(variant, baseline, metric=metric, on=on, over=question.over, horizon=study.seeds.max)
    floor = max(floor_of(arm, metric=metric, on=on) for arm in (variant, baseline))
    errors: tuple[ArmError, ...] = ()
    basis: Basis = "unknown"
    sd = None
    if len(seen.seeds) >= study.seeds.min and not identical(seen, least=study.seeds.min):
        basis, sd = "measured", spread(seen.differences, floor=floor)
    elif metric == "accuracy":
        errors = tuple(_error(arm, on=on, over=question.over) for arm in (variant, baseline))
        basis, sd = "planned", max(_planned(errors, variant, baseline, on=on), floor)
    smallest = margin(study.margins, seen)
    both = (costs[question.variant].seconds, costs[question.baseline].seconds)
    return Prices(
        question=question.id,
        metric=metric,
        on=on,
        basis=basis,
        spread=sd,
        seeds=len(seen.seeds) if basis == "measured" else 0,
        errors=errors,
        margins=tuple(_margins(study, smallest, sd, metric, on, both, workers)) if sd and smallest else (),
    )


def _margins(
    study: Study, smallest: float, sd: float, metric: Metric, on: On, both: tuple[float, float], workers: int
) -> Iterator[MarginPrice]:
    found = price_list(
        # Rounded far below what is shown, so that three times 0.1 pp is 0.3 pp.
        [round(multiple * smallest, 12) for multiple in MULTIPLES],
        sd=sd,
        alpha=alphas(study)[family(metric, on)],
        first=study.seeds.min,
        horizon=study.seeds.max,
    )
    for price in found:
        yield MarginPrice(
            margin=price.margin,
            seeds=price.seeds,
            seconds=None
            if price.seeds is None
            else seeds_seconds(price.seeds, both, least=study.seeds.min, workers=workers),
            within_horizon=price.within_horizon,
        )


def _error(arm: ArmTrials, *, on: On, over: Over) -> ArmError:
    values = [value(trial, metric="accuracy", on=on, over=over) for trial in arm.trials]
    measured = [1 - one for one in values if one is not None]
    return ArmError(
        arm=arm.arm.name,
        error=float(np.mean(measured)) if measured else ASSUMED_ERROR,
        seeds=len(measured),
    )


def _planned(errors: Sequence[ArmError], variant: ArmTrials, baseline: ArmTrials, *, on: On) -> float:
    settings = [arm.arm.settings.data for arm in (variant, baseline)]
    images = min(data.validation if on == "validation" else data.facts.test_images for data in settings)
    return planned_spread(errors[0].error, errors[1].error, examples=images)
