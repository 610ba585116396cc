"""Claims held against what was found: directions, levels, plateaus."""

from __future__ import annotations

from collections.abc import Mapping

from fairtrial.analysis.contrast import Over
from fairtrial.analysis.judgement import Judgement
from fairtrial.analysis.ordered import Floats, Unsound, is_number, lacking, levels_of, values_by_seed
from fairtrial.analysis.sentences import amount
from fairtrial.analysis.values import ArmTrials, ClaimVerdict, JudgedClaim
from fairtrial.stats.claims import judge_direction, judge_level, judge_plateau
from fairtrial.stats.doseresponse import plateaus
from fairtrial.stats.intervals import all_equal
from fairtrial.stats.looks import replay
from fairtrial.study.factors import differences
from fairtrial.study.schema import Arm, Claim, Question, Seeds


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
    unsound: Unsound,
) -> JudgedClaim:
    """Whether the claim stands.

    A direction is read off the question's verdict. A level and a plateau are judged by intervals of
    their own at `alpha`, at every look in seed order; the first look that settles them stands.
    `unsound` says of an arm that one of its runs diverged or failed.
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
    table = values_by_seed(compared, metric=claim.metric, on=claim.on, over=over, horizon=seeds.max)
    if why := lacking(compared, len(table), least=seeds.min, unsound=unsound):
        return _said(claim, "not settled", why)
    if claim.says == "level":
        # The mean contrast with the claimed level is zero where the claim is true.
        apart = table[:, 0] - (claim.level or 0.0)
        return _said(claim, _level(apart, margin=margin, alpha=alpha, seeds=seeds, floor=floor))
    start = next(level for level in levels if chosen[level] is arms[question.variant])
    found = _plateau(table, levels, start, margin=margin, alpha=alpha, seeds=seeds, floor=floor)
    return _said(claim, found, _about_plateau(found, start, levels[-1], amount(margin, claim.metric)))


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
    gap = table[:, -1] - table[:, levels.index(start)]
    for statement in plateaus(
        table, levels, margin=margin, alpha=alpha, first=seeds.min, horizon=seeds.max, floor=floor
    ):
        # Identical contrasts mean seeds that change nothing: they neither show a gap nor that there is none.
        if all_equal(gap[: statement.n]):
            continue
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
    if not is_number(factor.variant) or factor.variant <= 0:
        return f"a plateau is judged over numbers above zero, and {factor.path} has none"
    others = levels_of(factor.path, variant, arms.values())
    found = {float(factor.variant): variant, **{level: arm for level, arm in others.items() if level > 0}}
    if max(found) == float(factor.variant):
        return f"no arm goes beyond {factor.path} = {factor.variant}"
    return found
