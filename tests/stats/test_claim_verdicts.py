"""What somebody said, against what was found."""

from __future__ import annotations

import math

import pytest

from fairtrial.errors import FairtrialError
from fairtrial.stats.claims import ClaimVerdict, judge_direction, judge_level, judge_plateau
from fairtrial.stats.doseresponse import Plateau
from fairtrial.stats.families import Family, shares
from fairtrial.stats.intervals import EVERYTHING, Interval
from fairtrial.stats.lottery import lottery
from fairtrial.stats.signs import signs
from fairtrial.stats.verdict import Verdict

HOLDS, CONTRADICTED, OPEN = ClaimVerdict.HOLDS, ClaimVerdict.CONTRADICTED, ClaimVerdict.NOT_SETTLED


@pytest.mark.parametrize("verdict", list(Verdict))
def test_directions_are_judged_by_the_direction_of_the_verdict_alone(verdict: Verdict) -> None:
    """Over every verdict: same direction holds, opposite or no difference contradicts, "no change" mirrors."""
    judged = {says: judge_direction(says, verdict) for says in ("increase", "decrease", "no change")}
    expected = {
        1: {"increase": HOLDS, "decrease": CONTRADICTED, "no change": CONTRADICTED},
        -1: {"increase": CONTRADICTED, "decrease": HOLDS, "no change": CONTRADICTED},
    }.get(verdict.direction, dict.fromkeys(judged, OPEN))
    if verdict is Verdict.NO_DIFFERENCE:
        expected = {"increase": CONTRADICTED, "decrease": CONTRADICTED, "no change": HOLDS}
    assert judged == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval(0.981, 0.985), CONTRADICTED),
        (Interval(0.9975, 0.9985), HOLDS),
        (Interval(0.990, 0.9985), OPEN),
        (EVERYTHING, OPEN),
    ],
)
def test_a_level_needs_an_interval_as_narrow_as_the_margin(
    interval: Interval, expected: ClaimVerdict
) -> None:
    """A wide interval that happens to include the claim confirms nothing."""
    assert judge_level(0.998, interval, margin=0.001) is expected


def found_plateau(start: float | None, gaps: tuple[Interval, ...]) -> Plateau:
    return Plateau(levels=(200, 1000, 4000), start=start, gaps=gaps, margin=0.1, n=5)


@pytest.mark.parametrize(
    ("start", "gap", "expected"),
    [
        (200, Interval(-0.05, 0.05), HOLDS),
        (1000, Interval(-0.05, 0.05), HOLDS),
        (None, Interval(-0.15, 0.15), OPEN),
        (None, Interval(0.1, 0.3), CONTRADICTED),
        (None, Interval(-0.3, -0.1), CONTRADICTED),
        (None, EVERYTHING, OPEN),
    ],
)
def test_a_claimed_plateau_is_judged_by_the_plateau_statement(
    start: float | None, gap: Interval, expected: ClaimVerdict
) -> None:
    """ "Above 1000 almost the same": a start at or below 1000 grants it."""
    plateau = found_plateau(start, (Interval(0.2, 0.9), gap))
    assert judge_plateau(1000, plateau) is expected


@pytest.mark.parametrize("level", [4000, 500])
def test_a_plateau_claimed_from_an_untried_or_the_largest_level_is_refused(level: float) -> None:
    """There is nothing such a claim could be held against."""
    with pytest.raises(FairtrialError, match="which is none of"):
        judge_plateau(level, found_plateau(None, (EVERYTHING, EVERYTHING)))


def test_all_families_together_spend_the_promise_and_no_more() -> None:
    """75, 15 and 10 per cent, equal within a family: never above one minus confidence."""
    declared = {Family.VALIDATION: 15, Family.TEST: 8, Family.TIME: 11}
    found = shares(declared, confidence=0.95)
    assert sum(found[family] * count for family, count in declared.items()) == pytest.approx(0.05)
    assert found[Family.VALIDATION] == 0.0025
    assert found[Family.TEST] * 8 == pytest.approx(0.0075)


def test_the_first_time_question_changes_no_share_of_another_family() -> None:
    """Verdicts on accuracy already given must stand when a study grows."""
    before = shares({Family.VALIDATION: 4, Family.TIME: 0}, confidence=0.9)
    after = shares({Family.VALIDATION: 4, Family.TIME: 1}, confidence=0.9)
    assert before == {Family.VALIDATION: after[Family.VALIDATION]}


@pytest.mark.parametrize(("count", "confidence"), [(1, 0.0), (1, 1.0), (-1, 0.95)])
def test_impossible_promises_are_refused(count: int, confidence: float) -> None:
    """Certainty has no interval."""
    with pytest.raises(FairtrialError):
        shares({Family.TEST: count}, confidence=confidence)


def test_the_lottery_counts_all_pairs_of_single_runs() -> None:
    """Of nine readers of one run each, two would have been told the opposite; a tie tells nothing."""
    found = lottery([0.97, 0.98, 0.99], [0.96, 0.975, 0.98], verdict=Verdict.INCREASE_UNSIZED, margin=0.001)
    assert (found.pairs, found.opposite) == (9, 2)
    assert found.share == pytest.approx(2 / 9)
    mirrored = lottery([0.96, 0.975, 0.98], [0.97, 0.98, 0.99], verdict=Verdict.DECREASE_SMALL, margin=0.001)
    assert mirrored == found


def test_the_opposite_of_no_difference_is_a_difference_that_matters() -> None:
    """Either way; within the margin a pair told the truth."""
    found = lottery([0.97, 0.99], [0.9705, 0.96], verdict=Verdict.NO_DIFFERENCE, margin=0.001)
    assert (found.pairs, found.opposite) == (4, 3)


@pytest.mark.parametrize("verdict", [Verdict.UNDECIDED, Verdict.UNSTABLE, Verdict.NOT_WORSE])
def test_a_verdict_without_opposite_has_no_lottery(verdict: Verdict) -> None:
    """No number rather than a misleading one."""
    with pytest.raises(FairtrialError, match="no opposite"):
        lottery([1.0], [0.5], verdict=verdict, margin=0.1)


def test_eight_unanimous_seeds_are_the_first_to_convince_without_a_bell_curve() -> None:
    """2^n / (n + 1): 28.4 at eight of eight, 18.3... at seven; ties count for nothing."""
    assert signs([0.1] * 8).evidence == pytest.approx(2**8 / 9)
    assert signs([-0.1] * 7).evidence == pytest.approx(2**7 / 8)
    assert signs([0.1] * 8 + [0.0] * 5).evidence == pytest.approx(2**8 / 9)
    mixed = signs([0.1, -0.2, 0.3, 0.0])
    assert (mixed.higher, mixed.lower, mixed.same) == (2, 1, 1)
    assert mixed.evidence == pytest.approx(8 * math.factorial(2) / math.factorial(4))


def test_lopsided_contrasts_are_noticed_and_even_ones_are_not() -> None:
    """One seed in eight that falls far off is what makes Student's interval doubtful."""
    assert signs([-0.1, -0.12, -0.09, -0.11, -0.1, -0.13, -0.08, -3.0]).skewed
    assert not signs([-0.1, -0.12, -0.09, -0.11, -0.1, -0.13, -0.08, -0.11]).skewed
    assert not signs([0.1, 0.1, 0.1, 0.1, 0.1]).skewed
