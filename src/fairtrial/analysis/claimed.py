"""Claims held against what was found: directions, levels, plateaus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.contrast import Over, value
from fairtrial.analysis.judgement import Judgement, repeated_weights
from fairtrial.analysis.sentences import amount
from fairtrial.analysis.values import ArmTrials, ClaimVerdict, JudgedClaim
from fairtrial.stats.claims import judge_direction, judge_level, judge_plateau
from fairtrial.stats.doseresponse import plateau
from fairtrial.stats.intervals import all_equal
from fairtrial.stats.looks import replay
from fairtrial.study.factors import differences
from fairtrial.study.schema import Arm, Claim, Question, Seeds

Floats = NDArray[np.float64]


def judge_claim(
    claim: Claim,
    question: Question,
    arms: Mapping[str, ArmTrials],
    judged: Judgement,
    *,
    over: Over | None,
    margin: float | None,
    alpha: float,
    seeds: Seeds,
    floor: float,
    unsound: Callable[[ArmTrials, int], bool],
) -> JudgedClaim:
    """Whether the claim stands.

    A direction is read off the question's verdict. A level and a plateau are judged by intervals of
    their own at `alpha`, at every look in seed order; the first look that settles them stands.
    `unsound` says of an arm that one of its first so many runs, or the next, diverged or failed.
    """
    if claim.says in ("increase", "decrease", "no change"):
        found = judge_direction(claim.says, judged.verdict).value
        return _said(claim, found, judged.because if claim.metric == "time" else "")
    if claim.metric == "time":
        return _said(
            claim, "not settled", "seconds are one machine's own: of a time only a direction is judged"
        )
    if margin is None or not margin > 0:
        return _said(claim, "not settled", f"it takes at least {seeds.min} seeds")
    wanted = (
        {0.0: arms[question.variant].arm}
        if claim.says == "level"
        else plateau_levels(question, {name: arm.arm for name, arm in arms.items()})
    )
    if isinstance(wanted, str):
        return _said(claim, "not settled", wanted)
    chosen = {level: arms[arm.name] for level, arm in wanted.items()}
    levels = sorted(chosen)
    compared = [chosen[level] for level in levels]
    table = _table(compared, claim, over=over, horizon=seeds.max)
    if lacking := _lacking(compared, len(table), least=seeds.min, unsound=unsound):
        return _said(claim, "not settled", lacking)
    if claim.says == "level":
        # The mean contrast with the claimed level is zero where the claim is true.
        apart = table[:, 0] - (claim.level or 0.0)
        return _said(claim, _level(apart, margin=margin, alpha=alpha, seeds=seeds, floor=floor))
    start = next(level for level in levels if chosen[level] is arms[question.variant])
    found = _plateau(table, levels, start, margin=margin, alpha=alpha, seeds=seeds, floor=floor)
    return _said(claim, found, _about_plateau(found, start, levels[-1], amount(margin, claim.metric)))


def _lacking(
    compared: list[ArmTrials], count: int, *, least: int, unsound: Callable[[ArmTrials, int], bool]
) -> str:
    """Why the first `count` seeds of these arms settle nothing, or empty if they may."""
    for arm in compared:
        if unsound(arm, count):
            return f"runs of {arm.arm.name} diverged or failed"
    if count < least:
        short = [arm.arm.name for arm in compared if len(arm.trials) < least]
        return f"it takes at least {least} seeds of {', '.join(short) or 'each arm, in order'}"
    if any(repeated_weights(arm, seeds=tuple(range(1, count + 1))) for arm in compared):
        return "seeds with identical weights settle nothing"
    return ""


def _about_plateau(found: ClaimVerdict, start: float, top: float, margin: str) -> str:
    match found:
        case "holds":
            return f"everything from {start:g} up is within {margin} of {top:g}"
        case "contradicted":
            return f"{top:g} differs from {start:g} by {margin} or more"
        case "not settled":
            return ""


def _said(claim: Claim, verdict: ClaimVerdict, because: str = "") -> JudgedClaim:
    return JudgedClaim(claim=claim, verdict=verdict, because=because)


def _level(apart: Floats, *, margin: float, alpha: float, seeds: Seeds, floor: float) -> ClaimVerdict:
    looks = replay(apart, margin=margin, alpha=alpha, first=seeds.min, horizon=seeds.max, floor=floor)
    for look in looks:
        found = judge_level(0.0, look.sign, margin=margin)
        if found != "not settled":
            return found.value
    return "not settled"


def _plateau(
    table: Floats,
    levels: list[float],
    start: float,
    *,
    margin: float,
    alpha: float,
    seeds: Seeds,
    floor: float,
) -> ClaimVerdict:
    gap = levels.index(start)
    for n in range(seeds.min, len(table) + 1):
        # Identical contrasts mean seeds that change nothing: they neither show a gap nor that there is none.
        if all_equal(table[:n, -1] - table[:n, gap]):
            continue
        statement = plateau(
            table[:n],
            levels,
            margin=margin,
            alpha=alpha,
            first=seeds.min,
            horizon=seeds.max,
            floor=floor,
        )
        found = judge_plateau(start, statement)
        if found != "not settled":
            return found.value
    return "not settled"


def plateau_levels(question: Question, arms: Mapping[str, Arm]) -> dict[float, Arm] | str:
    """The study's arms that differ from the variant in the question's factor alone, by its value.

    Or why there is no plateau to speak of.
    """
    variant, baseline = arms[question.variant], arms[question.baseline]
    apart = differences(variant, baseline)
    if len(apart) != 1:
        return "a plateau is judged where the two arms differ in one setting alone"
    factor = apart[0]
    if not _is_level(factor.variant):
        return f"a plateau is judged over numbers above zero, and {factor.path} has none"
    found: dict[float, Arm] = {float(factor.variant): variant}
    for other in arms.values():
        level = _level_of(other, variant, path=factor.path)
        if level is not None:
            found.setdefault(level, other)
    if max(found) == float(factor.variant):
        return f"no arm goes beyond {factor.path} = {factor.variant}"
    return found


def _level_of(other: Arm, variant: Arm, *, path: str) -> float | None:
    apart = differences(other, variant)
    if len(apart) != 1 or apart[0].path != path or not _is_level(apart[0].variant):
        return None
    return float(apart[0].variant)


def _is_level(setting: object) -> TypeGuard[int | float]:
    return isinstance(setting, int | float) and not isinstance(setting, bool) and setting > 0


def _table(arms: list[ArmTrials], claim: Claim, *, over: Over | None, horizon: int) -> Floats:
    """Values of shape (seeds, arms), on seeds 1, 2, … to the horizon or the first that any arm lacks."""
    by_seed = [{trial.seed: trial for trial in arm.trials} for arm in arms]
    rows: list[list[float]] = []
    while len(rows) < horizon and all(len(rows) + 1 in trials for trials in by_seed):
        row = [
            value(trials[len(rows) + 1], metric=claim.metric, on=claim.on, over=over) for trials in by_seed
        ]
        rows.append([np.nan if one is None else one for one in row])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(arms))
