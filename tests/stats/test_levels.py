"""The per-look level p*: the number every promise of the project rests on."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairtrial.errors import FairtrialError
from fairtrial.stats.level_table import LARGEST_ALPHA, SMALLEST_ALPHA, TABLE
from fairtrial.stats.levels import crossing_probability, nominal_level, solved_level, tabulate

# An independent computation of p* for a first look at 3, printed to six decimals.
ALPHAS = (0.10, 0.05, 0.025, 0.0125, 0.01, 0.00625, 0.005, 0.0025, 0.001)
PUBLISHED = {
    5: (0.049420, 0.022874, 0.010753, 0.005118, 0.004039, 0.002461, 0.001947, 0.000946, 0.000367),
    10: (0.027013, 0.012034, 0.005482, 0.002540, 0.001988, 0.001192, 0.000937, 0.000446, 0.000169),
    15: (0.020749, 0.009134, 0.004119, 0.001891, 0.001477, 0.000881, 0.000690, 0.000326, 0.000122),
    20: (0.017654, 0.007724, 0.003465, 0.001584, 0.001235, 0.000734, 0.000575, 0.000270, 0.000101),
    30: (0.014450, 0.006281, 0.002803, 0.001274, 0.000992, 0.000588, 0.000459, 0.000215, 0.000080),
    50: (0.011625, 0.005025, 0.002231, 0.001010, 0.000785, 0.000464, 0.000362, 0.000169, 0.000062),
}
SHIPPED = sorted({horizon for _, horizon in TABLE})


def levels_of(critical: np.ndarray, looks: range) -> list[float]:
    """Per-look levels of a boundary given as critical |t|."""
    return [float(2 * stats.t.sf(c, n - 1)) for c, n in zip(critical, looks, strict=True)]


@pytest.mark.parametrize("horizon", [10, 20, 30, 50])
@pytest.mark.parametrize("column", range(len(ALPHAS)))
def test_shipped_levels_agree_with_an_independent_computation(horizon: int, column: int) -> None:
    """Six published decimals; the shipped table is what every answer uses."""
    assert nominal_level(ALPHAS[column], horizon=horizon) == pytest.approx(
        PUBLISHED[horizon][column], abs=1e-6
    )


@pytest.mark.parametrize(("horizon", "column"), [(5, 0), (5, 1), (5, 8), (15, 1), (15, 6)])
def test_levels_beyond_the_table_agree_with_an_independent_computation(horizon: int, column: int) -> None:
    """Any horizon may be declared, not those alone that were tabulated."""
    assert nominal_level(ALPHAS[column], horizon=horizon) == pytest.approx(
        PUBLISHED[horizon][column], abs=1e-6
    )


@pytest.mark.parametrize(
    ("alpha", "horizon", "expected"),
    [
        (0.05, 30, 0.0062814623),
        (0.10, 30, 0.0144503474),
        (0.0125, 30, 0.0012743226),
        (0.00625, 30, 0.0005877527),
        (0.04, 30, 0.0048324277),
        (0.05, 50, 0.0050247667),
        (0.05, 100, 0.0038936290),
    ],
)
def test_levels_agree_with_published_digits_to_the_accuracy_of_those(
    alpha: float, horizon: int, expected: float
) -> None:
    """The published digits come from 301 spline nodes and err by up to 2.5e-7; with 2401 they are ours."""
    assert nominal_level(alpha, horizon=horizon) == pytest.approx(expected, abs=3e-7)


@pytest.mark.parametrize(
    ("first", "horizon", "expected"), [(4, 30, 0.006983), (5, 30, 0.007676), (3, 100, 0.003894)]
)
def test_a_later_first_look_or_a_farther_horizon_changes_the_level_as_published(
    first: int, horizon: int, expected: float
) -> None:
    """`seeds.min` of a study may be above three."""
    assert nominal_level(0.05, first=first, horizon=horizon) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("horizon", SHIPPED)
def test_the_shipped_table_equals_the_recursion_at_any_alpha(horizon: int) -> None:
    """Shares of alpha are of no fixed list; the table must be exact between its nodes as well."""
    rng = np.random.default_rng(horizon)
    low, high = math.log(SMALLEST_ALPHA), math.log(LARGEST_ALPHA)
    alpha = float(np.exp(rng.uniform(low, high)))
    solved = solved_level(alpha, first=3, horizon=horizon)
    assert nominal_level(alpha, horizon=horizon) == pytest.approx(solved, rel=1e-6)


@pytest.mark.parametrize("alpha", [SMALLEST_ALPHA, LARGEST_ALPHA])
def test_the_shipped_table_is_exact_at_its_ends(alpha: float) -> None:
    """Where a polynomial goes wrong first."""
    solved = solved_level(alpha, first=3, horizon=20)
    assert nominal_level(alpha, horizon=20) == pytest.approx(solved, rel=1e-6)


@pytest.mark.parametrize(("alpha", "horizon"), [(0.0375, 50), (0.0375 / 25, 50), (0.05, 100), (1e-4, 30)])
def test_looking_at_the_nominal_level_crosses_with_probability_alpha(alpha: float, horizon: int) -> None:
    """What p* is for, checked on the shipped number rather than on how it was found."""
    looks = range(3, horizon + 1)
    crossing = crossing_probability([nominal_level(alpha, horizon=horizon)] * len(looks), looks)
    assert crossing[-1] == pytest.approx(alpha, rel=2e-6)


def test_naive_looks_at_five_percent_are_wrong_in_a_quarter_of_cases() -> None:
    """Published cumulative error of a plain t interval at every look: the reason for all this."""
    crossing = crossing_probability([0.05] * 28, range(3, 31))
    at = dict(zip(range(3, 31), crossing, strict=True))
    expected = {3: 0.05, 4: 0.079211, 5: 0.101043, 10: 0.166844, 20: 0.229776, 30: 0.265133}
    assert {n: at[n] for n in expected} == pytest.approx(expected, abs=1e-6)


def test_a_constant_level_crosses_as_published_at_every_look() -> None:
    """The partial sums too, not the last look alone."""
    crossing = crossing_probability([0.006281462] * 28, range(3, 31))
    assert [crossing[1], crossing[5], crossing[27]] == pytest.approx([0.01116168, 0.02392418, 0.05], abs=1e-6)


def test_looks_may_be_few_and_far_between() -> None:
    """Skipped looks carry the state forward without a boundary.

    Published values come from a spline of 301 nodes, coarse where there is no boundary: at 601,
    1201 and 2401 nodes the first reads .188447, .188465, .188459, and ours .188458.
    """
    assert crossing_probability([0.05] * 6, [3, 5, 8, 12, 20, 30])[-1] == pytest.approx(0.188458, abs=1e-6)
    assert crossing_probability([0.011015] * 6, [3, 5, 8, 12, 20, 30])[-1] == pytest.approx(0.05, abs=3e-5)
    assert crossing_probability([0.05] * 5, [20, 40, 60, 80, 100])[-1] == pytest.approx(0.143517, abs=5e-6)
    pocock = crossing_probability([0.015821820] * 5, [20, 40, 60, 80, 100])
    assert pocock[-1] == pytest.approx(0.050958, abs=5e-6)


def test_crossing_agrees_with_simulation_where_looks_are_skipped() -> None:
    """An oracle without any quadrature: a hundred thousand random walks."""
    looks, level = [3, 5, 8, 12], 0.05
    walks = np.random.default_rng(7).normal(size=(100_000, 12))
    crossed = np.zeros(len(walks), dtype=bool)
    for n in looks:
        t = math.sqrt(n) * walks[:, :n].mean(axis=1) / walks[:, :n].std(axis=1, ddof=1)
        crossed |= np.abs(t) > stats.t.isf(level / 2, n - 1)
    expected = crossing_probability([level] * len(looks), looks)[-1]
    assert crossed.mean() == pytest.approx(expected, abs=4 * math.sqrt(expected / len(walks)))


def test_an_unequal_boundary_crosses_as_published() -> None:
    """Lai's boundary for ever from the third look: never above 5 %, and the published values."""
    alpha, m = 0.05, 3
    a = 7.582406
    assert 2 * (stats.t.sf(a, m - 1) + a * stats.t.pdf(a, m - 1)) == pytest.approx(alpha, abs=1e-7)
    b = (1 + a * a / (m - 1)) ** m / m
    looks = range(3, 101)
    n = np.array(looks)
    crossing = crossing_probability(levels_of(np.sqrt((n - 1) * ((b * n) ** (1 / n) - 1)), looks), looks)
    at = dict(zip(looks, crossing, strict=True))
    expected = {3: 0.016952, 4: 0.021558, 5: 0.024009, 10: 0.028671, 20: 0.031244, 30: 0.032274}
    assert {n: at[n] for n in expected} == pytest.approx(expected, abs=1e-6)
    assert at[100] == pytest.approx(0.034247, abs=1e-4)


def test_looks_that_cannot_cross_count_for_nothing() -> None:
    """The mixture boundary (g = 1) is infinite at three and four contrasts: level zero there."""
    looks = range(3, 31)
    n, g = np.array(looks), 1.0
    q = (0.05**2 * g / (g + n)) ** (1 / n)
    room = q * (n + g) - g
    critical = np.where(room > 0, np.sqrt((n - 1) * (n + g) * (1 - q) / np.where(room > 0, room, 1)), np.inf)
    crossing = crossing_probability(levels_of(critical, looks), looks)
    assert crossing[:2] == pytest.approx([0, 0], abs=1e-13)
    assert crossing[[2, 7, 17, 27]] == pytest.approx([0.001073, 0.010588, 0.018341, 0.021858], abs=1e-6)


@pytest.mark.parametrize("n", [2, 3, 7, 50, 400])
def test_one_look_crosses_with_exactly_its_level(n: int) -> None:
    """Nothing to correct where nobody looks twice, at two seeds or at four hundred."""
    assert crossing_probability([0.05], [n])[0] == pytest.approx(0.05, rel=1e-9)
    assert nominal_level(0.05, first=n, horizon=n) == 0.05


@settings(max_examples=25, deadline=None)
@given(
    alpha=st.floats(2e-5, 0.24),
    factor=st.floats(1.01, 2.0),
    horizon=st.sampled_from([10, 20, 30, 50]),
)
def test_the_level_grows_with_alpha_shrinks_with_the_horizon_and_beats_bonferroni(
    alpha: float, factor: float, horizon: int
) -> None:
    """Orderings that hold for any correct p*, wherever alpha falls in the table."""
    level = nominal_level(alpha, horizon=horizon)
    assert level < nominal_level(alpha * factor, horizon=horizon)
    assert nominal_level(alpha, horizon=100) < level
    assert alpha / (horizon - 2) < level < alpha


@pytest.mark.parametrize(
    ("alpha", "first", "horizon", "said"),
    [
        (0.0, 3, 30, "between 1e-05 and 1"),
        (1e-7, 3, 30, "ask fewer questions"),
        (1.0, 3, 30, "got 1"),
        (0.05, 1, 30, "a first look at 1"),
        (0.05, 31, 30, "a horizon of 30"),
    ],
)
def test_impossible_requests_are_refused_with_what_was_given(
    alpha: float, first: int, horizon: int, said: str
) -> None:
    """A study with a thousand questions must hear it, not get a level computed to no digit."""
    with pytest.raises(FairtrialError, match=said):
        nominal_level(alpha, first=first, horizon=horizon)
    with pytest.raises(FairtrialError, match=said):
        solved_level(alpha, first=first, horizon=horizon)


@pytest.mark.parametrize(
    ("levels", "looks"), [([0.05], [3, 4]), ([0.05, 0.05], [4, 3]), ([0.05], [1]), ([], [])]
)
def test_looks_out_of_order_are_refused(levels: list[float], looks: list[int]) -> None:
    """A recursion over seeds has no meaning for looks that go back."""
    with pytest.raises(ValueError, match="increasing looks"):
        crossing_probability(levels, looks)


def test_a_table_is_the_polynomial_through_the_chebyshev_points_between_its_ends() -> None:
    """A low degree, where any other points would give another polynomial."""
    low, high = math.log(SMALLEST_ALPHA), math.log(LARGEST_ALPHA)

    def log_ratio(position: Any) -> Any:
        alphas = np.exp((low + high) / 2 + (high - low) / 2 * position)
        return np.array([math.log(solved_level(float(one), first=3, horizon=4) / one) for one in alphas])

    expected = np.polynomial.chebyshev.chebinterpolate(cast(Any, log_ratio), 2)
    assert tabulate(3, 4, degree=2) == pytest.approx(expected, abs=1e-9)
