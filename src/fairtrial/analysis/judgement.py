"""The contrasts of one question, judged: what stands after all looks in seed order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.values import ArmTrials
from fairtrial.stats.forecast import Forecast, forecast
from fairtrial.stats.intervals import Interval, all_equal, resolution_floor
from fairtrial.stats.looks import Look, replay
from fairtrial.stats.verdict import Better, Goal, Verdict
from fairtrial.study.schema import Metric, On, Seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, and what is known besides.

    `look` is the last one: its intervals are in the unit of the contrasts. None before the first look
    and where there can be no verdict; `because` then says why. `looks` are all of them: a diverged run
    voids the verdict, and not what was seen before it.
    """

    verdict: Verdict
    look: Look | None = None
    looks: tuple[Look, ...] = ()
    forecast: Forecast | None = None
    because: str = ""

    @property
    def interval(self) -> Interval | None:
        """The interval at the question's share of the allowed error; None while it is infinite."""
        if self.look is None or not math.isfinite(self.look.sign.bound):
            return None
        return self.look.sign


def judge(
    compared: Contrast,
    *,
    margin: float | None,
    alpha: float,
    seeds: Seeds,
    floor: float,
    goal: Goal,
    trouble: bool,
    repeated: bool,
) -> Judgement:
    """What the contrasts settle, at error `alpha` for all looks from `seeds.min` to `seeds.max` together.

    `margin` and `floor`, the least spread to believe, are in the contrasts' unit. `trouble` says that
    a run diverged or failed, which voids a comparison of means; `repeated`, that two seeds of an arm
    gave the same weights, so that contrasts are not independent.
    """
    if repeated:
        return _without_look("seeds with identical weights settle nothing", trouble=trouble)
    samples = "pairs" if compared.metric == "time" else "seeds"
    if len(compared.looked_at) < seeds.min or margin is None:
        return _without_look(f"it takes at least {seeds.min} {samples}", trouble=trouble)
    if not margin > 0:
        return _without_look("a baseline without any loss leaves no margin", trouble=trouble)
    better = better_of(compared.metric)
    looks = replay(
        compared.contrasts,
        margin=margin,
        alpha=alpha,
        first=seeds.min,
        horizon=seeds.max,
        floor=floor,
        goal=goal,
        better=better,
    )
    last = looks[-1]
    if trouble:
        return Judgement(verdict=Verdict.UNSTABLE, looks=looks)
    if identical(compared, least=seeds.min):
        return Judgement(
            verdict=last.standing,
            look=last,
            looks=looks,
            because="contrasts that are identical settle nothing",
        )
    return Judgement(
        verdict=last.standing,
        look=last,
        looks=looks,
        forecast=forecast(last, first=seeds.min, goal=goal, better=better),
    )


def _without_look(because: str, *, trouble: bool) -> Judgement:
    if trouble:
        return Judgement(verdict=Verdict.UNSTABLE)
    return Judgement(verdict=Verdict.UNDECIDED, because=because)


def better_of(metric: Metric) -> Better:
    return "higher" if metric == "accuracy" else "lower"


def identical(compared: Contrast, *, least: int) -> bool:
    """Whether all contrasts agree, on as many seeds as a verdict takes."""
    return len(compared.seeds) >= least and all_equal(compared.differences)


def floor_of(arm: ArmTrials, *, metric: Metric, on: On | None) -> float:
    """The least spread a contrast of accuracies is credited with: images are counted, not measured."""
    if metric != "accuracy" or not arm.arm.has_data:
        return 0.0
    data = arm.arm.settings.data
    images = data.validation if on == "validation" else data.facts.test_images
    return resolution_floor(images)


def repeated_weights(arm: ArmTrials, *, seeds: Sequence[int]) -> tuple[int, ...]:
    """Those of `seeds` whose final weights another of them has as well."""
    asked = frozenset(seeds)
    digests = {
        trial.seed: trial.outcome.weights_sha256
        for trial in arm.trials
        if trial.seed in asked and trial.outcome.weights_sha256
    }
    if len(set(digests.values())) == len(digests):
        return ()
    counts = Counter(digests.values())
    return tuple(seed for seed, digest in digests.items() if counts[digest] > 1)
