"""Small cases worked out by hand or by another library, at the edges where a slip of the pen would show."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from fairtrial.errors import FairtrialError
from fairtrial.stats import calibration, levels
from fairtrial.stats.calibration import Calibration, is_false
from fairtrial.stats.claims import ClaimVerdict, judge_plateau
from fairtrial.stats.compare import compare_paired, compare_unpaired, pair, pairing
from fairtrial.stats.doseresponse import Plateau, isotonic_curve, plateau, plateaus, steps
from fairtrial.stats.families import Family, later, shares
from fairtrial.stats.forecast import forecast, price_list, seeds_needed
from fairtrial.stats.interaction import interaction_contrasts, interaction_floor
from fairtrial.stats.intervals import (
    EVERYTHING,
    Interval,
    critical_value,
    fresh_images_interval,
    log_margin,
    ratio_interval,
    resolution_floor,
    spread,
    spread_about,
    standard_error,
    welch_interval,
)  # fmt: skip
from fairtrial.stats.levels import nominal_level, solved_level, tabulate
from fairtrial.stats.looks import look, replay
from fairtrial.stats.lottery import lottery
from fairtrial.stats.signs import signs
from fairtrial.stats.verdict import Verdict, judge

RNG = np.random.default_rng(20)


# --- signs


def test_skewed_is_beyond_two_standard_errors_of_scipys_skewness() -> None:
    """The warning that a bell curve is far off: it must come where it should, and nowhere else."""
    answers = {True: 0, False: 0}
    for size in (4, 5, 6, 8, 12, 20):
        for values in RNG.exponential(size=(40, size)):
            expected = abs(scipy_stats.skew(values)) > 2 * math.sqrt(
                6 * (size - 2) / ((size + 1) * (size + 3))
            )
            assert signs(values).skewed is bool(expected)
            assert signs(7 - values).skewed is bool(expected), "the same for a tail to the other side"
            answers[bool(expected)] += 1
    assert min(answers.values()) > 20


@pytest.mark.parametrize("values", [[0.1, 0.1, 5.0], [0.1], [2.0] * 9])
def test_too_few_or_equal_contrasts_are_not_called_skewed(values: list[float]) -> None:
    """Three points are always lopsided, and equal ones have no shape."""
    assert signs(values).skewed is False


def test_evidence_stays_a_number_and_ties_are_counted_apart() -> None:
    """Two thousand unanimous seeds are more than e^700 to one."""
    found = signs([1.0] * 1990 + [0.0] * 10)
    assert (found.higher, found.lower, found.same) == (1990, 0, 10)
    assert found.evidence == math.exp(700)
    assert signs([1.0, -1.0, 1.0, 0.0]).evidence == pytest.approx(
        2**3 * math.factorial(2) / math.factorial(4)
    )


# --- calibration


def test_the_error_of_a_simulated_share_is_the_binomial_one() -> None:
    """What decides whether a simulation contradicts the promise."""
    found = Calibration(studies=400, questions=1, effect=0.0, sd=1.0, false=0.1, seeds=5.0, undecided=0.0)
    assert found.error == pytest.approx(0.015)
    assert replace(found, false=0.0).error == pytest.approx(math.sqrt(1 / 400 * 399 / 400 / 400))
    limit = 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)
    assert not replace(found, false=limit).exceeds(0.05)
    assert replace(found, false=limit + 1e-9).exceeds(0.05)


@pytest.mark.parametrize(
    ("verdict", "effect", "expected"),
    [
        (Verdict.INCREASE_MATTERS, 0.1, False), (Verdict.INCREASE_MATTERS, 0.099, True), (Verdict.DECREASE_MATTERS, -0.1, False),
        (Verdict.DECREASE_MATTERS, 0.1, True), (Verdict.INCREASE_UNSIZED, 0.0, True), (Verdict.INCREASE_SMALL, 0.099, False),
        (Verdict.NO_DIFFERENCE, 0.1, True), (Verdict.NO_DIFFERENCE, -0.099, False), (Verdict.NO_DIFFERENCE, 0.0, False),
        (Verdict.NOT_WORSE, -0.1, True), (Verdict.NOT_WORSE, -0.099, False), (Verdict.NOT_WORSE, 5.0, False),
        (Verdict.UNDECIDED, 0.1, False), (Verdict.UNSTABLE, 0.1, False), (Verdict.DECREASE_SMALL, -0.1, True),
    ],
)  # fmt: skip
def test_what_a_verdict_says_is_held_against_the_truth(
    verdict: Verdict, effect: float, expected: bool
) -> None:
    """The margin itself counts as mattering."""
    assert is_false(verdict, effect=effect, margin=0.1) is expected


@pytest.mark.parametrize("stopping", [calibration.fair, calibration.peeking])
def test_asking_ends_at_the_first_verdict_or_at_the_horizon(stopping: Any) -> None:
    """From three seeds on, every seed."""
    clear = np.array([1.0, 1.01, 0.99, 1.0, 1.02, 0.98])
    assert stopping(margin=0.1, alpha=0.05, horizon=6)(clear).n == 3
    later_clear = np.array([9.0, -9.0, 0.5, -0.5, 1.0, -1.0])
    assert stopping(margin=0.1, alpha=0.05, horizon=5)(later_clear).n == 5
    assert calibration.sharpened(margin=0.1, alpha=0.05, horizon=5)(clear).n == 5


def test_a_simulation_counts_questions_and_seeds_of_every_study() -> None:
    """Shares of studies and of questions are not the same thing."""
    found = calibration.calibrate(
        calibration.fair(margin=5.0, alpha=0.05, horizon=4), studies=3, effect=100.0, sd=0.5, margin=5.0, horizon=4, questions=2,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert (found.studies, found.questions, found.effect, found.sd) == (3, 2, 100.0, 0.5)
    assert (found.false, found.seeds, found.undecided) == (0.0, 3.0, 0.0)
    none = calibration.calibrate(
        calibration.fair(margin=1e-9, alpha=1e-4, horizon=4), studies=4, effect=0.0, sd=1.0, margin=1e-9, horizon=4, rng=np.random.default_rng(1)
    )  # fmt: skip
    assert (none.seeds, none.undecided) == (4.0, 1.0)


def test_a_simulated_study_is_false_if_any_of_its_questions_is() -> None:
    """One true answer does not make up for a false one; the rates are per study and per question."""
    rise = look([1.0, 1.01, 0.99], margin=0.1, alpha=0.05)
    open_ = look([1.0, -1.0, 0.5], margin=0.1, alpha=0.05)
    given = iter([rise, open_, open_, open_, rise, rise])
    found = calibration.calibrate(
        lambda contrasts: next(given), studies=3, effect=0.0, sd=1.0, margin=0.1, horizon=3, questions=2, rng=np.random.default_rng(1)
    )  # fmt: skip
    assert found.false == pytest.approx(2 / 3)
    assert found.undecided == pytest.approx(3 / 6)
    assert found.seeds == 3.0
    alone = calibration.calibrate(
        lambda contrasts: open_, studies=2, effect=0.0, sd=1.0, margin=0.1, horizon=3, rng=np.random.default_rng(1)
    )  # fmt: skip
    assert alone.questions == 1


def test_simulated_contrasts_are_a_variants_runs_minus_the_baselines() -> None:
    """Drawn again from the same stream: the first row is the baseline of every question."""
    seen: list[np.ndarray] = []

    def keep(contrasts: np.ndarray) -> Any:
        seen.append(contrasts)
        return look([1.0, 2.0, 3.0], margin=1.0, alpha=0.05)

    calibration.calibrate(
        keep, studies=1, effect=3.0, sd=2.0, margin=1.0, horizon=7, questions=2, rng=np.random.default_rng(8)
    )
    runs = np.random.default_rng(8).normal(0.0, math.sqrt(2), size=(3, 7))
    assert np.allclose(seen, [3.0 + runs[1] - runs[0], 3.0 + runs[2] - runs[0]])


def test_questions_that_share_a_baseline_move_together_by_half() -> None:
    """Their contrasts have the baseline's runs in common, and the spread that was asked for."""
    seen: list[np.ndarray] = []

    def keep(contrasts: np.ndarray) -> Any:
        seen.append(contrasts)
        return look([1.0, 2.0, 3.0], margin=1.0, alpha=0.05)

    calibration.calibrate(
        keep,
        studies=5,
        effect=3.0,
        sd=2.0,
        margin=1.0,
        horizon=400,
        questions=2,
        rng=np.random.default_rng(2),
    )
    first, second = np.concatenate(seen[0::2]), np.concatenate(seen[1::2])
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.5, abs=0.06)
    assert first.std() == pytest.approx(2.0, rel=0.06)
    assert first.mean() == pytest.approx(3.0, abs=0.2)


# --- comparing


def test_pairing_is_that_of_numpy_and_needs_three_seeds_that_move() -> None:
    """Two points always lie on a line."""
    a, b = [1.0, 2.5, 3.0, 2.0], [1.5, 2.0, 3.5, 1.0]
    found = pairing(a, b)
    assert found is not None
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert found.variance_ratio == pytest.approx(
        np.var(np.subtract(a, b), ddof=1) / (np.var(a, ddof=1) + np.var(b, ddof=1))
    )
    assert pairing(a[:3], b[:3]) is not None
    assert pairing(a[:2], b[:2]) is None
    assert pairing([1.0] * 4, b) is None and pairing(a, [1.0] * 4) is None
    with pytest.raises(FairtrialError, match="got 4 and 3"):
        pairing(a, b[:3])


def test_the_horizon_itself_is_allowed_in_either_comparison() -> None:
    """It was declared; one run more was not."""
    values = [0.1, 0.3, 0.2, 0.4, 0.2]
    assert compare_paired(values, margin=1.0, horizon=5).n == 5
    assert compare_paired(values, margin=1.0, planned=5).nominal == 0.05
    with pytest.raises(FairtrialError, match="--horizon 5 or more"):
        compare_paired(values, margin=1.0, horizon=4)
    with pytest.raises(FairtrialError, match="4 seeds were planned but 5 are here"):
        compare_paired(values, margin=1.0, planned=4)
    assert compare_unpaired(values, values[:3], margin=1.0, horizon=5).nominal == nominal_level(
        0.05, horizon=5
    )
    with pytest.raises(FairtrialError, match=r"5 runs, but .* at most 4"):
        compare_unpaired(values[:3], values, margin=1.0, horizon=4)
    assert compare_unpaired(values[:3], values, margin=1.0, horizon=4, planned=True).nominal == 0.05


def test_an_unpaired_comparison_carries_its_terms_and_both_intervals() -> None:
    """A direction at alpha, equivalence at twice that, as for pairs."""
    a, b = [1.0, 1.1, 0.9, 1.2], [0.5, 0.7, 0.6]
    found = compare_unpaired(a, b, margin=0.25, alpha=0.04, horizon=20)
    assert (found.n_variant, found.n_baseline, found.margin, found.alpha) == (4, 3, 0.25, 0.04)
    assert found.estimate == pytest.approx(1.05 - 0.6)
    assert found.sign == welch_interval(a, b, nominal=nominal_level(0.04, horizon=20))
    assert found.equivalence == welch_interval(a, b, nominal=nominal_level(0.08, horizon=20))
    planned = compare_unpaired(a, b, margin=0.25, alpha=0.04, planned=True)
    assert planned.sign == welch_interval(a, b, nominal=0.04)
    assert planned.equivalence == welch_interval(a, b, nominal=0.08)
    assert (
        compare_unpaired(b, a, margin=0.25, goal="not_worse", better="lower", planned=True).verdict
        is Verdict.NOT_WORSE
    )


def test_how_many_unpaired_runs_are_enough() -> None:
    """Three a group, as pairs; two where the number was planned; a group that does not move is no hindrance."""
    assert compare_unpaired([1.0, 2.0, 3.0], [0.0, 0.1, 0.2], margin=1.0).sign != EVERYTHING
    assert compare_unpaired([1.0, 2.0], [0.0, 0.1, 0.2], margin=1.0).sign == EVERYTHING
    assert compare_unpaired([1.0, 2.0], [0.0, 0.1], margin=1.0, planned=True).sign != EVERYTHING
    assert compare_unpaired([1.0], [0.0, 0.1], margin=1.0, planned=True).equivalence == EVERYTHING
    assert compare_unpaired([1.0, 1.0, 1.0], [0.0, 0.1, 0.2], margin=1.0).sign != EVERYTHING
    assert compare_unpaired([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], margin=1.0).sign == EVERYTHING
    with pytest.raises(FairtrialError, match="at least one run"):
        compare_unpaired([], [1.0], margin=1.0)


# --- looks


def test_the_margin_itself_is_not_within_it() -> None:
    """Strictly: a bound that touches the margin excludes nothing."""
    seen = look([0.5, 0.6, 0.55, 0.52], margin=0.1, alpha=0.05)
    assert seen.bound == max(-seen.sign.low, seen.sign.high)
    assert not replace(seen, margin=seen.sign.high).not_higher_by_margin
    assert replace(seen, margin=math.nextafter(seen.sign.high, 9)).not_higher_by_margin
    below = replace(seen, sign=Interval(-0.1, 0.2))
    assert not below.not_lower_by_margin
    assert replace(below, margin=0.1000001).not_lower_by_margin


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"margin": 0.0}, "margin must be above 0, got 0"),
        ({"alpha": 0.5}, r"alpha must be below 0\.5"),
        ({"contrasts": []}, r"shape \(0,\)"),
        ({"contrasts": [[1.0]]}, r"shape \(1, 1\)"),
        ({"horizon": 3}, "4 seeds, but the guarantee ends at 3"),
    ],
)
def test_what_no_look_can_be_taken_at_is_refused(changes: dict[str, Any], match: str) -> None:
    """Each bound by itself."""
    terms: dict[str, Any] = {
        "contrasts": [1.0, 2.0, 3.0, 4.0],
        "margin": 0.1,
        "alpha": 0.05,
        "horizon": 4,
    } | changes
    with pytest.raises(FairtrialError, match=match):
        look(terms.pop("contrasts"), **terms)
    assert look([1.0, 2.0, 3.0, 4.0], margin=1e-9, alpha=0.49, horizon=4).n == 4


def test_a_look_begins_at_the_first_count_of_seeds_that_have_values() -> None:
    """A spread from two on, an interval from `first` on; a failed seed is counted and not used."""
    two = look([1.0, 2.0], margin=0.1, alpha=0.05)
    assert two.sd == pytest.approx(math.sqrt(0.5)) and two.sign == EVERYTHING
    assert math.isnan(look([1.0], margin=0.1, alpha=0.05).sd)
    three = look([1.0, 2.0, 3.0], margin=0.1, alpha=0.05)
    half = critical_value(nominal_level(0.05, horizon=levels.HORIZON), 2) / math.sqrt(3)
    assert three.sign == Interval(2 - half, 2 + half)
    failed = look([1.0, math.nan, 3.0, 2.0], margin=0.1, alpha=0.05)
    assert (failed.n, failed.failed, failed.estimate, failed.verdict) == (4, 1, 2.0, Verdict.UNSTABLE)
    assert failed.sign == three.sign
    none = look([math.nan] * 3, margin=0.1, alpha=0.05)
    assert math.isnan(none.estimate) and none.failed == 3


def test_a_replay_goes_on_from_known_looks_and_remembers_when_it_settled() -> None:
    """Looks already taken are not taken again, and what follows is the same."""
    values = [0.5, 0.6, 0.5, 0.6, 0.55, 0.52]
    whole = replay(values, margin=0.1, alpha=0.05)
    assert [seen.n for seen in whole] == [3, 4, 5, 6]
    assert [seen.settled_at for seen in whole] == [3, 4, 4, 4]
    for known in range(len(whole) + 1):
        assert replay(values, margin=0.1, alpha=0.05, known=whole[:known]) == whole
    assert replay(values[:2], margin=0.1, alpha=0.05) == ()
    undecided = replay([1.0, -1.0, 0.5], margin=0.1, alpha=0.05)
    assert [seen.settled_at for seen in undecided] == [None]


# --- intervals


def test_ends_that_touch_a_value_do_not_exclude_it() -> None:
    """And an interval as wide as the margin is not within it."""
    one = Interval(-1.0, 2.0)
    assert not one.excludes(-1.0) and not one.excludes(2.0) and one.excludes(2.0001) and one.excludes(-1.0001)
    assert not one.within(2.0) and one.within(2.0001) and not Interval(-2.0, 1.0).within(2.0)
    assert one.bound == 2.0 and (-one) == Interval(-2.0, 1.0) and (-one).bound == 2.0
    assert Interval(0.0, math.log(3)).exp().high == pytest.approx(3.0)
    assert Interval(-800.0, 800.0).exp() == Interval(0.0, math.inf)
    assert Interval(0.0, 699.0).exp().high == math.exp(699)


def test_welch_is_scipys_and_two_groups_that_do_not_move_have_a_point() -> None:
    """With two values a group at least; the floor stands for the spread of either."""
    a, b = [5.0, 5.5, 4.9, 5.2], [4.0, 4.2]
    expected = scipy_stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = welch_interval(a, b, nominal=0.1)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert welch_interval([1.0, 1.0], [0.25, 0.25], nominal=0.05) == Interval(0.75, 0.75)
    assert welch_interval([1.0], b, nominal=0.05) == welch_interval(a, [1.0], nominal=0.05) == EVERYTHING
    floored = welch_interval([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], nominal=0.05, floor=0.2)
    assert floored.high - 1 == pytest.approx(scipy_stats.t.isf(0.025, 6) * 0.2 * math.sqrt(2 / 4))


def test_fresh_images_need_two_of_each() -> None:
    """A variance of one thing is not known."""
    assert fresh_images_interval([[0.0, 1.0]], nominal=0.05) == EVERYTHING
    assert fresh_images_interval([[0.0], [1.0]], nominal=0.05) == EVERYTHING
    assert fresh_images_interval([[0.0, 1.0], [1.0, 0.0]], nominal=0.05) != EVERYTHING
    with pytest.raises(FairtrialError, match=r"shape \(2,\)"):
        fresh_images_interval([0.0, 1.0], nominal=0.05)
    # Nothing moves between images: what is left is the interval over seeds, and the floor where seeds do not move either.
    apart = fresh_images_interval([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], nominal=0.2)
    assert apart.high - 1.5 == pytest.approx(scipy_stats.t.isf(0.1, 1) * math.sqrt(0.5 / 2))
    still = fresh_images_interval([[1.0, 1.0], [1.0, 1.0]], nominal=0.2, floor=0.5)
    assert still.high - 1.0 == pytest.approx(scipy_stats.t.isf(0.1, 1) * 0.5 / math.sqrt(2))


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    """Zero would be an infinite interval without saying so."""
    with pytest.raises(FairtrialError, match="a level must lie between 0 and 1"):
        critical_value(level, 5)


def test_small_formulas() -> None:
    """Worked out by hand."""
    assert critical_value(0.05, 10) == pytest.approx(2.2281388519649385)
    assert resolution_floor(10_000) == pytest.approx(1e-4 / math.sqrt(6))
    assert log_margin(0.05) == pytest.approx(math.log(1.05), rel=1e-14)
    assert spread(np.array([1.0, 3.0])) == pytest.approx(math.sqrt(2))
    assert spread(np.array([1.0, 1.0 + 1e-12]), floor=0.3) == 0.3
    assert spread(np.array([1.0, 1.0 + 1e-6])) > 0
    assert ratio_interval([800.0, 900.0], nominal=0.05).high == math.inf


# --- families, lottery, interaction, levels


def test_shares_are_refused_at_the_ends_and_given_to_who_asks() -> None:
    """No promise, and a certain one, can be kept by nobody."""
    for confidence in (0.0, 1.0):
        with pytest.raises(FairtrialError, match="between 0 and 1"):
            shares({Family.TIME: 1}, confidence=confidence)
    with pytest.raises(FairtrialError, match="fewer than no verdicts"):
        shares({Family.TIME: -1}, confidence=0.95)
    assert shares({Family.TIME: 0, Family.TEST: 1}, confidence=0.95) == {Family.TEST: 0.0075}
    for number, count in ((0, 1), (1, 0)):
        with pytest.raises(FairtrialError, match=f"got number {number}, {count} verdicts"):
            later([], number=number, count=count, confidence=0.95)
    assert later([], number=1, count=1, confidence=0.95).alpha == 0.025
    assert later([Family.VALIDATION], number=3, count=2, confidence=0.9).alpha == pytest.approx(
        0.1 * 0.25 / 8 / 2
    )


def test_a_lottery_without_runs_or_opposite_is_refused() -> None:
    """And a pair exactly the margin apart tells no difference that matters."""
    with pytest.raises(FairtrialError, match="at least one run of each arm"):
        lottery([], [1.0], verdict=Verdict.INCREASE_MATTERS, margin=0.1)
    found = lottery([1.0, 2.0], [1.5], verdict=Verdict.NO_DIFFERENCE, margin=0.5)
    assert (found.pairs, found.opposite, found.share) == (2, 0, 0.0)
    assert lottery([1.0, 2.0], [1.5], verdict=Verdict.NO_DIFFERENCE, margin=0.4).share == 1.0
    assert lottery([1.0, 1.5, 2.0], [1.5], verdict=Verdict.DECREASE_SMALL, margin=0.5).opposite == 1


def test_the_sum_of_the_parts_is_held_against_the_whole() -> None:
    """(whole - none) - sum of (part - none), and the spread that this contrast has if each arm has the same."""
    assert interaction_contrasts([[10.0, 1.0, 2.0, 3.0, 4.0]]).tolist() == [10 - 1 - (1 + 2 + 3)]
    for shape in ((4,), (1, 3)):
        with pytest.raises(FairtrialError, match="of two parts or more"):
            interaction_contrasts(np.zeros(shape))
    assert interaction_contrasts(np.zeros((1, 4))).tolist() == [0.0]
    # Arms of spread 1 / sqrt(2) give a contrast of two arms the spread 1.
    assert interaction_floor(1.0, parts=3) == pytest.approx(math.sqrt((1 + 4 + 3) / 2))


def test_one_planned_look_has_the_whole_level() -> None:
    """There is nothing to share it with."""
    assert nominal_level(0.03, first=7, horizon=7) == 0.03
    assert solved_level(0.03, first=7, horizon=7) == 0.03
    assert 0.03 / 4 < solved_level(0.03, first=3, horizon=6) < 0.03


def test_a_tabulated_level_is_the_solved_one() -> None:
    """What is shipped was made like this, of a higher degree."""
    coefficients = tabulate(3, 4, degree=7)
    assert len(coefficients) == 8
    for alpha in (0.002, 0.04, 0.2):
        approximated = alpha * math.exp(
            float(np.polynomial.chebyshev.chebval(levels._position(alpha), coefficients))
        )  # pyright: ignore[reportPrivateUsage]
        assert approximated == pytest.approx(solved_level(alpha, first=3, horizon=4), rel=1e-3)


# --- doses and forecasts


def test_plateaus_are_the_plateau_after_each_seed() -> None:
    """The curve of a report and the statement under it must be one."""
    table = 0.9 + 0.0005 * RNG.normal(size=(8, 4)) + np.array([-0.1, 0.0, 0.0, 0.0])
    terms: dict[str, Any] = {"margin": 0.005, "alpha": 0.05, "horizon": 12}
    found = list(plateaus(table, [1, 2, 4, 8], **terms))
    assert [one.n for one in found] == [3, 4, 5, 6, 7, 8]
    assert found == [plateau(table[:n], [1, 2, 4, 8], **terms) for n in range(3, 9)]
    assert found[-1].start == 2
    assert plateau(table, [1, 2, 4, 8], margin=0.005, alpha=0.05, horizon=8).n == 8
    with pytest.raises(FairtrialError, match="8 seeds, but the guarantee ends at 7"):
        plateau(table, [1, 2, 4, 8], margin=0.005, alpha=0.05, horizon=7)


def test_the_gaps_of_a_plateau_and_its_steps_have_their_signs() -> None:
    """The largest level minus each other; each level minus the one before it."""
    table = np.array([[1.0, 2.0, 4.0], [1.1, 2.0, 4.2], [0.9, 2.1, 4.1], [1.0, 2.2, 4.0]])
    found = plateau(table, [1, 2, 4], margin=0.01, alpha=0.05)
    middles = [(one.low + one.high) / 2 for one in found.gaps]
    assert middles == [pytest.approx(3.075), pytest.approx(2.0)]
    assert found.start is None
    assert [(one.low + one.high) / 2 for one in steps(table, [1, 2, 4], nominal=0.05)] == [
        pytest.approx(1.075),
        pytest.approx(2.0),
    ]
    assert isotonic_curve(table[:, ::-1], [1, 2, 4], rising=False).tolist() == pytest.approx(
        table.mean(axis=0)[::-1].tolist()
    )


def test_a_forecast_is_as_small_as_it_can_be() -> None:
    """One seed fewer is not enough, at either end of the search."""
    for sd in (0.01, 0.05, 0.3, 1.0, 3.0):
        n = seeds_needed(sd=sd, width=0.1, nominal=0.01)
        assert n is not None

        def enough(count: int, sd: float = sd) -> bool:
            need = scipy_stats.t.isf(0.005, count - 1) + scipy_stats.norm.ppf(0.8)
            return bool(need * sd / math.sqrt(count) <= 0.1)

        assert enough(n)
        assert n == 3 or not enough(n - 1)
    assert seeds_needed(sd=1e-9, width=0.1, nominal=0.01, first=7) == 7
    assert seeds_needed(sd=1.0, width=0.0, nominal=0.01) is None
    assert seeds_needed(sd=1.0, width=1e-9, nominal=0.01) is None


def test_prices_say_whether_they_are_within_reach() -> None:
    """The horizon itself is."""
    (price,) = price_list([0.1], sd=0.1, alpha=0.05)
    assert price.seeds is not None and price.within_horizon
    level = nominal_level(0.05, horizon=price.seeds)
    assert seeds_needed(sd=0.1, width=0.1, nominal=level) is not None
    (far,) = price_list([1e-12], sd=1.0, alpha=0.05)
    assert (far.seeds, far.within_horizon) == (None, False)


def test_a_forecast_counts_seeds_in_all_and_those_to_come() -> None:
    """And never fewer than one more, while nothing is settled."""
    values = (0.02 + 0.1 * np.random.default_rng(3).normal(size=6)).tolist()
    seen = look(values, margin=0.01, alpha=0.05)
    found = forecast(seen)
    assert found.seeds is not None and found.more == found.seeds - 6 >= 1
    assert found.within_horizon == (found.seeds <= seen.horizon)
    settled = forecast(look([1.0, 1.01, 0.99], margin=0.1, alpha=0.05))
    assert (settled.seeds, settled.more, settled.within_horizon, settled.chance) == (3, 0, True, 1.0)
    at_the_end = forecast(look(values, margin=0.01, alpha=0.05, horizon=6))
    assert at_the_end.chance == 0.0 and not at_the_end.within_horizon


# --- found by mutants


def test_an_upper_bound_at_nothing_is_no_decrease() -> None:
    """Not worse by the margin is not settled, and a difference of zero is not excluded."""
    wide, touching = Interval(-9.0, 9.0), Interval(-1.0, 0.0)
    assert judge(touching, wide, margin=0.5, goal="not_worse") is Verdict.UNDECIDED
    assert judge(Interval(-1.0, -1e-9), wide, margin=0.5, goal="not_worse") is Verdict.DECREASE_UNSIZED
    assert judge(touching, wide, margin=0.5) is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        ((-0.3, -0.1), ClaimVerdict.CONTRADICTED), ((-0.3, -0.09), ClaimVerdict.NOT_SETTLED), ((0.1, 0.4), ClaimVerdict.CONTRADICTED),
        ((0.09, 0.4), ClaimVerdict.NOT_SETTLED), ((-0.05, 0.05), ClaimVerdict.NOT_SETTLED),
    ],
)  # fmt: skip
def test_a_plateau_is_contradicted_by_a_gap_of_the_margin_to_either_side(
    gap: tuple[float, float], expected: ClaimVerdict
) -> None:
    """More that does harm is no plateau either."""
    found = Plateau(levels=(1.0, 2.0), start=None, gaps=(Interval(*gap),), margin=0.1, n=5)
    assert judge_plateau(1.0, found) is expected


def test_one_family_with_fewer_than_no_verdicts_is_enough_to_refuse() -> None:
    """Beside others that are in order."""
    with pytest.raises(FairtrialError, match="fewer than no verdicts"):
        shares({Family.TIME: -1, Family.TEST: 2}, confidence=0.95)


def test_intervals_scale_with_their_values_however_small_these_are() -> None:
    """Nothing in the formulas has a unit: a thousandth of the values is a thousandth of the interval."""
    values = np.random.default_rng(4).normal(size=(4, 6))
    for scale in (1e-3, 1e3):
        one, other = (fresh_images_interval(factor * values, nominal=0.05) for factor in (1.0, scale))
        assert (other.low, other.high) == (pytest.approx(scale * one.low), pytest.approx(scale * one.high))
    assert spread_about(0.2, np.array([0.1, 0.3])) == pytest.approx(math.sqrt(0.02))
    assert standard_error(np.array([0.1, 0.3])) == pytest.approx(0.1)


@pytest.mark.parametrize("value", [700.0, 700.5, 720.0])
def test_a_ratio_beyond_all_numbers_is_infinite_from_one_place_on(value: float) -> None:
    """The same on every machine: where it overflows is not left to chance."""
    assert Interval(0.0, value).exp() == Interval(1.0, math.inf)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({3: 0.1, 1: 0.2}, {4: 0.3}, r"seeds 1 to 3 against seeds 4 to 4"),
        ({}, {7: 0.1, 9: 0.1}, r"no seeds against seeds 7 to 9"),
    ],
)
def test_seeds_that_were_not_found_in_common_are_named(
    one: dict[int, float], other: dict[int, float], said: str
) -> None:
    """Whoever numbered one file from 0 and the other from 1 sees it at once."""
    with pytest.raises(FairtrialError, match=said):
        pair(one, other)
