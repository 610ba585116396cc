"""Intervals, against scipy's own, against arithmetic, and against simulated images."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import (
    EVERYTHING,
    Interval,
    all_equal,
    fresh_images_interval,
    log_margin,
    ratio_interval,
    repeated_interval,
    resolution_floor,
    welch_interval,
)
from fairtrial.stats.levels import nominal_level

VALUES = arrays.arrays(np.float64, st.integers(2, 20), elements=st.floats(-100, 100, width=32))


@given(values=VALUES, nominal=st.floats(1e-6, 0.5))
def test_the_repeated_interval_is_scipys_at_the_nominal_level(values: np.ndarray, nominal: float) -> None:
    """Nothing but the level sets it apart from the interval everybody knows."""
    assume(np.ptp(values) > 1e-3)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(1 - nominal)
    ours = repeated_interval(values, nominal=nominal)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-6)


@given(a=VALUES, b=VALUES, nominal=st.floats(1e-4, 0.5))
def test_the_unpaired_interval_is_scipys_welch(a: np.ndarray, b: np.ndarray, nominal: float) -> None:
    """Unequal spreads and counts, degrees of freedom after Welch and Satterthwaite."""
    assume(np.ptp(a) > 1e-2 and np.ptp(b) > 1e-2)
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(1 - nominal)
    ours = welch_interval(a, b, nominal=nominal)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-6)


def test_times_are_compared_as_ratios() -> None:
    """The published example: B takes 1.317 times as long as A."""
    a, b = np.array([10.1, 10.3, 9.9, 10.2, 10.0]), np.array([13.2, 13.6, 13.0, 13.3, 13.4])
    found = ratio_interval(np.log(b / a), nominal=nominal_level(0.05, horizon=30))
    assert math.exp(np.log(b / a).mean()) == pytest.approx(1.316812, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((1.283580, 1.350904), abs=2e-6)


def test_exchanging_the_arms_inverts_a_ratio() -> None:
    """1.25 times as long one way is 0.8 times as long the other way, and so is the margin."""
    logs = np.log([1.2, 1.3, 1.25, 1.28])
    there, back = ratio_interval(logs, nominal=0.01), ratio_interval(-logs, nominal=0.01)
    assert (1 / back.high, 1 / back.low) == pytest.approx((there.low, there.high))
    assert math.exp(log_margin(0.05)) == pytest.approx(1.05)


def test_two_times_say_nothing_finite_about_a_ratio_that_is_not_known() -> None:
    """The exponential of an infinite or immense bound is infinity and zero, not an overflow."""
    assert EVERYTHING.exp() == Interval(0.0, math.inf)
    assert Interval(-1e6, 1e6).exp() == Interval(0.0, math.inf)


def test_one_contrast_says_nothing() -> None:
    """No spread, no interval: infinite rather than zero width."""
    assert repeated_interval([0.5], nominal=0.05) == EVERYTHING
    assert welch_interval([0.5], [0.1, 0.2], nominal=0.05) == EVERYTHING


def test_the_floor_widens_but_never_narrows() -> None:
    """An accuracy on 10 000 images moves in steps of 0.01 pp; a lucky tie must not look like certainty."""
    floor = resolution_floor(10_000)
    assert floor == pytest.approx(0.0041e-2, rel=0.01)
    tied = repeated_interval([0.001, 0.001, 0.001], nominal=0.05, floor=floor)
    assert tied.high - tied.low == pytest.approx(2 * stats.t.isf(0.025, 2) * floor / math.sqrt(3))
    wide = [0.001, 0.002, 0.004]
    assert repeated_interval(wide, nominal=0.05, floor=floor) == repeated_interval(wide, nominal=0.05)


def test_rounding_of_a_subtraction_does_not_break_a_tie() -> None:
    """0.3 - 0.2 and 0.2 - 0.1 are the same contrast, though not to the last bit."""
    contrasts = np.array([0.3 - 0.2, 0.2 - 0.1, 0.4 - 0.3])
    assert np.ptp(contrasts) > 0
    assert all_equal(contrasts)


@pytest.mark.parametrize("values", [[0.1, math.nan], [0.1, math.inf], [[0.1, 0.2], [0.3, 0.4]]])
def test_intervals_refuse_what_is_no_list_of_finite_numbers(values: list[float]) -> None:
    """A diverged run must be counted by whoever calls, never averaged away."""
    with pytest.raises(FairtrialError, match="finite numbers"):
        repeated_interval(values, nominal=0.05)


def test_the_fresh_images_variance_is_that_of_the_two_way_layout() -> None:
    """The formula written out with an explicit residual matrix."""
    y = np.random.default_rng(1).choice([-1.0, 0.0, 1.0], size=(6, 40), p=[0.1, 0.7, 0.2])
    n, images = y.shape
    residual = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
    mean_square = np.sum(residual**2) / ((n - 1) * (images - 1))
    variance = (
        y.mean(axis=1).var(ddof=1) / n + y.mean(axis=0).var(ddof=1) / images - mean_square / (n * images)
    )
    half = stats.t.isf(0.005, n - 1) * math.sqrt(variance)
    found = fresh_images_interval(y, nominal=0.01)
    assert variance > y.mean(axis=1).var(ddof=1) / n, "this example must not be the clipped case"
    assert (found.low, found.high) == pytest.approx((y.mean() - half, y.mean() + half))


def test_fresh_images_cover_the_truth_where_the_fixed_test_set_does_not() -> None:
    """Images differ in how they like a variant; seeds on one test set know nothing of that."""
    rng = np.random.default_rng(3)
    seeds, images, repetitions = 8, 200, 400
    fresh = fixed = 0
    for _ in range(repetitions):
        taste = rng.normal(0.0, 0.3, size=images)
        y = rng.normal(0.0, 0.02, size=(seeds, 1)) + taste + rng.normal(0.0, 0.3, size=(seeds, images))
        fresh += not fresh_images_interval(y, nominal=0.05).excludes(0.0)
        fixed += not repeated_interval(y.mean(axis=1), nominal=0.05).excludes(0.0)
    assert 0.92 < fresh / repetitions < 0.985
    assert fixed / repetitions < 0.80


@given(y=arrays.arrays(np.float64, (4, 12), elements=st.sampled_from([-1.0, 0.0, 1.0])))
def test_fresh_images_never_make_an_answer_surer(y: np.ndarray) -> None:
    """Where the estimate of the images' part comes out negative it counts as nothing."""
    assume(not all_equal(y.mean(axis=1)))
    fresh = fresh_images_interval(y, nominal=0.05)
    fixed = repeated_interval(y.mean(axis=1), nominal=0.05)
    assert fresh.low <= fixed.low + 1e-12 and fixed.high <= fresh.high + 1e-12
