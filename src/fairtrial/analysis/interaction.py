"""Whether what is put together gains more or less than its parts do one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairtrial.analysis.alpha import LARGEST
from fairtrial.analysis.contrast import Over
from fairtrial.analysis.judgement import better_of, floor_of
from fairtrial.analysis.ordered import Floats, Unsound, lacking, values_by_seed
from fairtrial.analysis.sentences import amount, count_of, signed
from fairtrial.analysis.values import ArmTrials
from fairtrial.stats.interaction import interaction_contrasts, interaction_floor
from fairtrial.stats.intervals import Interval, all_equal
from fairtrial.stats.looks import replay
from fairtrial.stats.verdict import Verdict
from fairtrial.study.question import On
from fairtrial.study.question_kinds import Measured
from fairtrial.study.schema import Study

IMAGES: On = "test"
OVER: Over = "last_epoch"
_SMALL = (Verdict.INCREASE_SMALL, Verdict.DECREASE_SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """The gain of the whole minus the sum of what each part gains alone, in the metric's unit, above zero for more.

    A gain is what is better: for a loss, how much it fell. `verdict` is about that difference: an increase means
    that the whole is more than the sum of its parts. `estimate` and interval are None before the first look, the
    interval also where nothing is known.
    """

    seeds: int
    verdict: Verdict
    because: str
    guarantee: str
    whole: float | None = None
    parts: float | None = None
    estimate: float | None = None
    interval: Interval | None = None
    margin: float | None = None
    sentence: str = ""

    @property
    def open(self) -> bool:
        """Whether more seeds may settle it."""
        return self.verdict is Verdict.UNDECIDED

    def as_dict(self) -> dict[str, Any]:
        known = self.interval
        return {
            "seeds": self.seeds,
            "whole": self.whole,
            "sum_of_parts": self.parts,
            "estimate": self.estimate,
            "low": None if known is None else known.low,
            "high": None if known is None else known.high,
            "margin": self.margin,
            "verdict": self.verdict.value,
            "in_guarantee": False,
            "guarantee": self.guarantee,
            "sentence": self.sentence,
        }


def interaction(
    study: Study,
    *,
    whole: ArmTrials,
    none: ArmTrials,
    parts: Sequence[ArmTrials],
    metric: Measured,
    unsound: Unsound,
) -> Interaction:
    """What the arms with all parts, none and one each say together, on the test images, looked at seed by seed.

    Judged at the study's confidence by itself: no declared verdict, and no share of the allowed error.
    """
    arms = (whole, none, *parts)
    table = values_by_seed(arms, metric=metric, on=IMAGES, over=OVER, horizon=study.seeds.max)
    why = lacking(arms, len(table), least=study.seeds.min, unsound=unsound)
    found = Interaction(
        seeds=len(table),
        verdict=Verdict.UNSTABLE if any(unsound(arm) for arm in arms) else Verdict.UNDECIDED,
        because=why,
        guarantee=f"not part of the error guarantee: it stands at {100 * study.confidence:.4g} % by itself",
    )
    if not why:
        floor = max(floor_of(arm, metric=metric, on=IMAGES) for arm in arms)
        found = _looked_at(found, table, study, metric=metric, floor=floor)
    return replace(found, sentence=_sentence(found, metric))


def _looked_at(
    found: Interaction, table: Floats, study: Study, *, metric: Measured, floor: float
) -> Interaction:
    """What the values by seed and arm come to, all looks in seed order."""
    better = 1.0 if better_of(metric) == "higher" else -1.0
    contrasts = better * interaction_contrasts(table)
    gains = better * (table - table[:, 1:2])
    margins = study.margins
    margin = margins.accuracy if metric == "accuracy" else margins.loss * float(table[:3, 1].mean())
    found = replace(
        found,
        whole=float(gains[:, 0].mean()),
        parts=float(gains[:, 2:].sum(axis=1).mean()),
        estimate=float(contrasts.mean()),
        margin=margin,
    )
    if all_equal(contrasts):
        return replace(found, because="contrasts that are identical settle nothing")
    if not margin > 0:
        return replace(found, because="a baseline without any loss leaves no margin")
    last = replay(
        contrasts,
        margin=margin,
        alpha=min(round(1 - study.confidence, 12), LARGEST),
        first=study.seeds.min,
        horizon=study.seeds.max,
        floor=interaction_floor(floor, parts=table.shape[1] - 2),
    )[-1]
    known = last.sign if math.isfinite(last.sign.bound) else None
    return replace(found, verdict=last.standing, interval=known)


def _sentence(found: Interaction, metric: Measured) -> str:
    not_settled = "it is not settled whether the whole is more or less than the sum of its parts"
    if found.estimate is None or found.whole is None or found.parts is None:
        return f"{not_settled.capitalize()}: {found.because}."
    scale, digits, unit = (100.0, 2, " pp") if metric == "accuracy" else (1.0, 4, "")
    gained = (
        f"On {IMAGES} {metric} the whole gains {signed(scale * found.whole, digits)}{unit} and its parts one by one "
        f"{signed(scale * found.parts, digits)}{unit} in sum"
    )
    known = count_of(found.seeds, "seed")
    if found.interval is not None:
        low, high = scale * found.interval.low, scale * found.interval.high
        if found.interval.excludes(0.0):
            low, high = sorted((abs(low), abs(high)))
            known = f"{low:.{digits}f} to {high:.{digits}f}, {known}"
        else:
            known = f"{signed(low, digits)} to {signed(high, digits)}{unit}, {known}"
    margin = amount(found.margin or 0.0, metric)
    match found.verdict:
        case Verdict.NO_DIFFERENCE:
            return f"{gained}: the whole is the sum of its parts to within {margin} ({known})."
        case verdict if verdict.direction:
            word = "more" if verdict.direction > 0 else "less"
            small = "" if verdict not in _SMALL else f", which is smaller than matters (margin {margin})"
            by = f"{abs(scale * found.estimate):.{digits}f}{unit}"
            return f"{gained}: the whole is {word} than the sum of its parts by {by} ({known}){small}."
        case _:
            because = f"; {found.because}" if found.because else ""
            return f"{gained}: {not_settled} ({known}){because}."
