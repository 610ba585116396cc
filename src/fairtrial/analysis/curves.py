"""Dose and response: what a study whose arms differ along one number says of all of them together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fairtrial.analysis.alpha import LARGEST, alphas, family
from fairtrial.analysis.answer import asked
from fairtrial.analysis.contrast import Over, contrast, margin
from fairtrial.analysis.curve import Curve
from fairtrial.analysis.judgement import floor_of
from fairtrial.analysis.ordered import (
    Floats,
    Unsound,
    by_level,
    is_number,
    lacking,
    levels_of,
    ordered_difference,
    values_by_seed,
)
from fairtrial.analysis.sentences import OVER, amount, count_of
from fairtrial.analysis.values import ArmTrials
from fairtrial.stats.doseresponse import plateau, slope_contrasts
from fairtrial.stats.intervals import EVERYTHING, Interval, all_equal, repeated_interval
from fairtrial.stats.levels import nominal_level
from fairtrial.study.schema import Metric, On, Question, Study

FEWEST = 3
"""Two levels are a question of their own, and its answer says all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Arms along one factor, rising; `left_out` are those at zero or below, which may be somebody's baseline."""

    factor: str
    levels: tuple[float, ...]
    arms: tuple[ArmTrials, ...]
    left_out: tuple[ArmTrials, ...]

    def holds(self, question: Question) -> bool:
        names = {arm.arm.name for arm in (*self.left_out, *self.arms)}
        return question.variant in names and question.baseline in names


def curves(study: Study, arms: Mapping[str, ArmTrials], *, unsound: Unsound) -> tuple[Curve, ...]:
    """A statement for each line of three arms or more that a question lies on, and each metric asked there.

    A slope is never a declared verdict. A plateau is one where a claim asks for it: then the claim's share of
    the allowed error pays for the statement, which is the same one. Everything else stands at the study's
    confidence by itself and says so.
    """
    return tuple(
        _curve(study, line, question, metric=metric, on=on, unsound=unsound)
        for line in _lines(study, arms)
        for (metric, on, _), question in _places(study, line).items()
    )


def _lines(study: Study, arms: Mapping[str, ArmTrials]) -> Iterator[_Line]:
    found: list[_Line] = []
    for question in study.questions:
        variant, baseline = arms[question.variant], arms[question.baseline]
        apart = ordered_difference(variant.arm, baseline.arm)
        if apart is None or any(line.factor == apart.path and line.holds(question) for line in found):
            continue
        assert is_number(apart.variant)
        others = levels_of(apart.path, variant.arm, [one.arm for one in arms.values()])
        chosen = {
            float(apart.variant): variant,
            **{level: arms[arm.name] for level, arm in others.items()},
        }
        levels, compared = by_level(chosen)
        if len(levels) >= FEWEST:
            left_out = tuple(chosen[level] for level in sorted(chosen) if level <= 0)
            line = _Line(factor=apart.path, levels=levels, arms=compared, left_out=left_out)
            found.append(line)
            yield line


def _places(study: Study, line: _Line) -> dict[tuple[Metric, On, Over], Question]:
    """Metrics and images asked for on this line, each with the first question that does."""
    places: dict[tuple[Metric, On, Over], Question] = {}
    for question in study.questions:
        if line.holds(question):
            for metric, on in asked(question):
                if metric != "time" and on is not None:
                    places.setdefault((metric, on, question.over), question)
    return places


def _curve(
    study: Study, line: _Line, question: Question, *, metric: Metric, on: On, unsound: Unsound
) -> Curve:
    over, seeds = question.over, study.seeds
    table = values_by_seed(line.arms, metric=metric, on=on, over=over, horizon=seeds.max)
    smallest = _margin(study, line, question, metric=metric, on=on)
    why = lacking(line.arms, len(table), least=seeds.min, unsound=unsound)
    if not why and (smallest is None or not smallest > 0):
        why = "a baseline without any loss leaves no margin"
    floor = max(floor_of(arm, metric=metric, on=on) for arm in line.arms)
    alone = min(round(1 - study.confidence, 12), LARGEST)
    payer = _payer(study, line, metric=metric, on=on, over=over)
    slope = interval = start = None
    if not why and smallest is not None:
        slope, interval = _slope(table, line.levels, alpha=alone, study=study, floor=floor)
        start = plateau(
            table,
            line.levels,
            margin=smallest,
            alpha=alone if payer is None else alphas(study)[family(metric, on)],
            first=seeds.min,
            horizon=seeds.max,
            floor=floor,
        ).start
    curve = Curve(
        factor=line.factor,
        metric=metric,
        on=on,
        over=over,
        arms=tuple(arm.arm.name for arm in line.arms),
        levels=line.levels,
        means=() if why else tuple(table.mean(axis=0).tolist()),
        seeds=len(table),
        slope=slope,
        slope_interval=interval,
        plateau_from=start,
        margin=smallest,
        plateau_guaranteed_by=payer,
        guarantee=_guarantee(study, payer),
    )
    return replace(curve, sentence=_sentence(curve, why, [arm.arm.name for arm in line.left_out]))


def _slope(
    table: Floats, levels: tuple[float, ...], *, alpha: float, study: Study, floor: float
) -> tuple[float, Interval | None]:
    """The mean slope per doubling and its interval; none where every seed has the same slope."""
    slopes = slope_contrasts(table, levels)
    if all_equal(slopes):
        return float(slopes.mean()), None
    # A contrast of two levels may not be surer than `floor`, nor may a weighted sum of all of them.
    weights = slope_contrasts(np.eye(len(levels)), levels)
    least = floor / math.sqrt(2) * math.sqrt(float(weights @ weights))
    nominal = nominal_level(alpha, first=study.seeds.min, horizon=study.seeds.max)
    interval = repeated_interval(slopes, nominal=nominal, floor=least)
    return float(slopes.mean()), None if interval == EVERYTHING else interval


def _margin(study: Study, line: _Line, question: Question, *, metric: Metric, on: On) -> float | None:
    arms = {arm.arm.name: arm for arm in (*line.left_out, *line.arms)}
    compared = contrast(
        arms[question.variant],
        arms[question.baseline],
        metric=metric,
        on=on,
        over=question.over,
        horizon=study.seeds.max,
    )
    return margin(study.margins, compared)


def _payer(study: Study, line: _Line, *, metric: Metric, on: On, over: Over) -> str | None:
    """The question whose claim of a plateau on this line and metric has a share of the allowed error."""
    for question in study.questions:
        if line.holds(question) and question.over == over and (metric, on) in asked(question):
            for claim in question.claims:
                if (claim.says, claim.metric, claim.on) == ("plateau", metric, on):
                    return question.id
    return None


def _guarantee(study: Study, payer: str | None) -> str:
    confidence = f"{100 * study.confidence:.4g} %"
    if payer is None:
        return f"not part of the error guarantee: slope and plateau each stand at {confidence} by themselves"
    return (
        f"the plateau is part of the error guarantee, through the claim of {payer}; the slope is not, and stands at "
        f"{confidence} by itself"
    )


def _sentence(curve: Curve, why: str, left_out: Sequence[str]) -> str:
    name = curve.factor.rpartition(".")[2]
    span = f"from {name} {curve.levels[0]:g} to {curve.levels[-1]:g} ({len(curve.levels)} arms"
    if why:
        return f"Nothing to say yet {span}): {why}."
    but = f", without {' and '.join(left_out)}: from zero there is no doubling" if left_out else ""
    across = f"{span}, {count_of(curve.seeds, 'seed')}{but})"
    return f"{_per_doubling(curve, across)} {_from_where(curve, name)}"


def _per_doubling(curve: Curve, across: str) -> str:
    scale, digits, unit = (100.0, 2, " pp") if curve.metric == "accuracy" else (1.0, 4, "")
    slope = scale * (curve.slope or 0.0)
    what = f"{curve.on.capitalize()} {curve.metric} ({OVER[curve.over]})"
    if curve.slope_interval is None:
        return f"{what} changed by {slope:+.{digits}f}{unit} per doubling on average {across}, by the same on all seeds."
    low, high = scale * curve.slope_interval.low, scale * curve.slope_interval.high
    if low <= 0 <= high:
        known = f"a change of {low:+.{digits}f} to {high:+.{digits}f}{unit}"
        return f"{what} changed by {slope:+.{digits}f}{unit} per doubling on average {across}: {known}, which may be none."
    near, far = sorted((abs(low), abs(high)))
    verb = "rose" if slope > 0 else "fell"
    return f"{what} {verb} by {abs(slope):.{digits}f}{unit} per doubling on average ({near:.{digits}f} to {far:.{digits}f}) {across}."


def _from_where(curve: Curve, name: str) -> str:
    within, top = amount(curve.margin or 0.0, curve.metric), curve.levels[-1]
    if curve.plateau_from is None:
        return f"Not even {name} {curve.levels[-2]:g} is shown to be within {within} of {top:g}."
    return f"Every {name} from {curve.plateau_from:g} up is within {within} of {top:g}."
