"""Two columns of numbers from anywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fairtrial.errors import FairtrialError
from fairtrial.stats.compare import compare_paired, compare_unpaired, pair, pairing
from fairtrial.stats.intervals import repeated_interval
from fairtrial.stats.levels import nominal_level
from fairtrial.stats.verdict import Verdict


def test_rows_are_paired_by_seed_whatever_their_order() -> None:
    """Two files written by two programs list seeds as they please."""
    found = pair({3: 0.99, 1: 0.97, 2: 0.98, 7: 0.5}, {2: 0.96, 3: 0.97, 1: 0.96, 9: 0.1})
    assert found.seeds == (1, 2, 3)
    assert found.contrasts == pytest.approx([0.01, 0.02, 0.02])
    assert found.left_out == (7, 9)


@pytest.mark.parametrize(("a", "b"), [({1: 0.9}, {2: 0.9}), ({}, {1: 0.9})])
def test_arms_without_a_common_seed_are_refused(a: dict[int, float], b: dict[int, float]) -> None:
    """Pairing row by row would be a guess."""
    with pytest.raises(FairtrialError, match=r"share no seed .*--unpaired"):
        pair(a, b)
    if not a:
        with pytest.raises(FairtrialError, match=r"\(no seeds against seeds 1 to 1\)"):
            pair(a, b)


def test_one_look_is_judged_as_one_of_many_unless_planned() -> None:
    """Nobody knows whether the fifth row came because the fourth disappointed."""
    contrasts = [0.02, 0.25, 0.2, 0.1, 0.13]
    unplanned = compare_paired(contrasts, margin=0.1)
    assert unplanned.sign == repeated_interval(contrasts, nominal=nominal_level(0.05, horizon=50))
    planned = compare_paired(contrasts, margin=0.1, planned=5)
    theirs = stats.ttest_1samp(contrasts, 0).confidence_interval(0.95)
    assert (planned.sign.low, planned.sign.high) == pytest.approx((theirs.low, theirs.high))
    assert planned.nominal == 0.05
    assert unplanned.verdict is Verdict.UNDECIDED
    assert planned.verdict is Verdict.INCREASE_UNSIZED


def test_a_plan_that_was_not_kept_is_refused() -> None:
    """Planned five and stopped at three, or went on to seven: not one look any more."""
    for n in (3, 7):
        with pytest.raises(FairtrialError, match=f"5 seeds were planned but {n} are here"):
            compare_paired([0.1 * i for i in range(n)], margin=0.1, planned=5)


def test_more_rows_than_the_horizon_are_refused_with_the_way_out() -> None:
    """The option to give is named, with its value."""
    rows = np.linspace(0, 1, 60)
    with pytest.raises(FairtrialError, match="--horizon 60 or more"):
        compare_paired(rows, margin=0.1)
    with pytest.raises(FairtrialError, match="--horizon 60 or more"):
        compare_unpaired(rows, rows[:5], margin=0.1)
    assert compare_paired(rows, margin=0.1, horizon=100).verdict is Verdict.INCREASE_MATTERS


def test_unpaired_groups_are_compared_by_welch() -> None:
    """The plain interval where the numbers of runs were planned, a wider one where not."""
    a, b = [0.98, 0.975, 0.982, 0.979], [0.96, 0.97, 0.965]
    planned = compare_unpaired(a, b, margin=0.001, planned=True)
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (planned.sign.low, planned.sign.high) == pytest.approx((theirs.low, theirs.high))
    assert (planned.n_variant, planned.n_baseline) == (4, 3)
    assert planned.verdict is Verdict.INCREASE_MATTERS
    unplanned = compare_unpaired(a, b, margin=0.001)
    assert unplanned.sign.low < planned.sign.low and unplanned.sign.high > planned.sign.high
    assert unplanned.verdict is Verdict.UNDECIDED


def test_unpaired_groups_too_small_or_without_spread_settle_nothing() -> None:
    """Two runs a group are below the first look; equal values are no certainty."""
    assert compare_unpaired([0.9, 0.91], [0.1, 0.11], margin=0.1).verdict is Verdict.UNDECIDED
    assert compare_unpaired([0.9] * 4, [0.1] * 4, margin=0.1).verdict is Verdict.UNDECIDED
    with pytest.raises(FairtrialError, match="at least one run"):
        compare_unpaired([], [0.1], margin=0.1)


def test_peeking_at_unpaired_groups_stays_within_the_promise() -> None:
    """p* is exact for paired contrasts; here it is simulated, after every pair of runs up to thirty."""
    rng = np.random.default_rng(23)
    studies, alpha = 4000, 0.05
    nominal = nominal_level(alpha, horizon=30)
    a, b = rng.normal(size=(2, studies, 30))
    wrong = np.zeros(studies, dtype=bool)
    for n in range(3, 31):
        _, p_values = stats.ttest_ind(a[:, :n], b[:, :n], axis=1, equal_var=False)
        wrong |= np.asarray(p_values) < nominal
    assert wrong.mean() <= alpha + 4 * math.sqrt(alpha * (1 - alpha) / studies)


def test_pairing_says_what_it_brought() -> None:
    """Correlation near one and a small ratio of variances: seeds were shared indeed."""
    a = np.array([0.97, 0.98, 0.96, 0.99])
    close = pairing(a, a - 0.01 + np.array([0.0, 0.001, 0.0, -0.001]))
    assert close is not None and close.correlation > 0.95 and close.variance_ratio < 0.1
    assert close.variance_ratio == pytest.approx(
        np.var([0, 0.001, 0, -0.001]) / (a.var() + (a - 0.01 + [0, 0.001, 0, -0.001]).var())
    )
    assert pairing(a, [0.5] * 4) is None
    assert pairing(a[:2], a[:2]) is None
    with pytest.raises(FairtrialError, match="got 4 and 3"):
        pairing(a, a[:3])
