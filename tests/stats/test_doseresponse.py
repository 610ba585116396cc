"""Slopes, steps, plateaus and curves over an ordered factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairtrial.errors import FairtrialError
from fairtrial.stats.doseresponse import (
    isotonic_curve,
    plateau,
    plateaus,
    slope_contrasts,
    slope_margin,
    steps,
)
from fairtrial.stats.intervals import repeated_interval
from fairtrial.stats.levels import nominal_level

LEVELS = (50, 100, 200, 400, 800)
ROWS = [
    [97, 97.6, 98, 98.2, 98.25],
    [97.1, 97.5, 97.9, 98.15, 98.3],
    [96.9, 97.55, 98.05, 98.1, 98.2],
    [97.05, 97.65, 97.95, 98.25, 98.2],
]
FLAT_FROM_200 = [97.0, 97.5, 98.0, 98.02, 98.01]


def noisy(means: list[float], *, seeds: int, sd: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array(means) + rng.normal(0, sd, size=(seeds, len(means)))


def test_the_published_slope() -> None:
    """0.31 pp per doubling, one contrast per seed, and its repeated interval."""
    slopes = slope_contrasts(ROWS, LEVELS)
    assert slopes == pytest.approx([0.31, 0.305, 0.315, 0.29])
    found = repeated_interval(slopes, nominal=nominal_level(0.05, horizon=30))
    assert (found.low, found.high) == pytest.approx((0.267827, 0.342173), abs=1e-6)


def test_slopes_are_those_of_least_squares_over_unequal_doublings() -> None:
    """50, 200, 1000 are not equally spaced on any scale."""
    levels, values = [50.0, 200.0, 1000.0], [[97.0, 98.1, 98.4]]
    expected = np.polyfit(np.log2(levels), values[0], 1)[0]
    assert slope_contrasts(values, levels)[0] == pytest.approx(expected)
    assert slope_margin(0.1, levels) == pytest.approx(0.1 / math.log2(20))


def test_steps_are_contrasts_of_neighbours() -> None:
    """ "It rises all the way" needs every one of them."""
    found = steps(ROWS, LEVELS, nominal=0.01)
    assert len(found) == 4
    assert found[1] == repeated_interval(np.diff(ROWS, axis=1)[:, 1], nominal=0.01)


def test_a_plateau_starts_where_levels_cease_to_differ() -> None:
    """Every level from 200 up is within the margin of 800; 100 is not."""
    found = plateau(noisy(FLAT_FROM_200, seeds=12, sd=0.03), LEVELS, margin=0.1, alpha=0.05)
    assert found.start == 200
    assert found.gaps[0].low > 0.1
    assert found.n == 12


def test_a_plateau_stops_at_the_first_level_that_is_not_shown() -> None:
    """A fixed sequence: 100 equals 800 by chance of design, but 200 stands between them and does not."""
    dip = [97.0, 98.0, 97.0, 98.0, 98.0]
    found = plateau(noisy(dip, seeds=12, sd=0.03), LEVELS, margin=0.1, alpha=0.05)
    assert found.start == 400


def test_there_is_no_plateau_where_the_largest_level_stands_out() -> None:
    """Up or down: a largest level that falls off is no plateau either."""
    for last in (99.0, 97.0):
        found = plateau(
            noisy([97.0, 98.0, 98.0, 98.0, last], seeds=8, sd=0.03), LEVELS, margin=0.1, alpha=0.05
        )
        assert found.start is None


def test_a_plateau_never_falls_back_as_seeds_are_added() -> None:
    """What was shown at eight seeds stays shown, whatever the ninth brings."""
    calm = noisy(FLAT_FROM_200, seeds=8, sd=0.03)
    wild = np.vstack([calm, [97.0, 97.5, 96.0, 98.9, 98.0]])
    assert plateau(calm, LEVELS, margin=0.1, alpha=0.05).start == 200
    assert plateau(wild, LEVELS, margin=0.1, alpha=0.05).start == 200


def test_equal_levels_on_every_seed_show_no_plateau() -> None:
    """Arms that are secretly one and the same give contrasts of zero without spread."""
    same = np.repeat([[98.0], [98.1], [97.9], [98.2]], 5, axis=1)
    assert plateau(same, LEVELS, margin=0.1, alpha=0.05).start is None


def shown_at(contrasts: np.ndarray, *, margin: float, alpha: float, first: int, horizon: int) -> int | None:
    """The same by the intervals themselves: the first look, not at equal values alone, whose equivalence interval lies within the margin."""
    nominal = nominal_level(2 * alpha, first=first, horizon=horizon)
    for n in range(first, len(contrasts) + 1):
        seen = contrasts[:n]
        if np.ptp(seen) > 0 and repeated_interval(seen, nominal=nominal).within(margin):
            return n
    return None


@pytest.mark.parametrize("first", [2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_a_plateau_grows_at_the_looks_that_the_intervals_say_and_from_the_top_down(
    first: int, seed: int
) -> None:
    """Look by look: a level counts from the look that showed it, and no sooner than the level above it."""
    levels, margin, alpha, horizon = (1, 2, 4, 8), 0.1, 0.05, 40
    rng = np.random.default_rng(seed)
    means, spreads = rng.uniform(-0.02, 0.02, 4), rng.uniform(0.02, 0.15, 4)
    values = means + rng.normal(0, 1, (30, 4)) * spreads
    values[:4, 0] = values[:4, 3]  # equal at first, and shown later all the same
    expected: list[tuple[int, int]] = []
    for place in (2, 1, 0):
        found = shown_at(
            values[:, 3] - values[:, place], margin=margin, alpha=alpha, first=first, horizon=horizon
        )
        if found is None:
            break
        expected.append((levels[place], max(found, expected[-1][1]) if expected else found))
    looks = list(plateaus(values, levels, margin=margin, alpha=alpha, first=first, horizon=horizon))
    assert [look.n for look in looks] == list(range(first, 31))
    for look in looks:
        assert look.start == min((level for level, at in expected if at <= look.n), default=None)
        assert len(look.gaps) == 3
    assert looks[-1] == plateau(values, levels, margin=margin, alpha=alpha, first=first, horizon=horizon)


def test_a_lower_level_that_is_shown_first_waits_for_the_one_above_it() -> None:
    """Level 1 is calm and is known soon; level 2 is noisy and comes between it and the largest."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (40, 3)) * (0.01, 0.12, 0.01)
    starts = [found.start for found in plateaus(values, (1, 2, 4), margin=0.1, alpha=0.05)]
    assert set(starts) == {None, 1}, "never from 1 on while 2 is open, and both at once when it is not"
    assert starts.index(1) > 5


@pytest.mark.parametrize(
    ("contrasts", "first", "starts"),
    [
        ([0.0, 1e-9, 5.0, -5.0, 5.0, -5.0], 5, [None, None]),  # calm before the first look counts for nothing
        ([0.0, 1e-9, 5.0, -5.0], 2, [1, 1, 1]),  # a first look at two seeds is a look
        ([0.0, 0.0, 0.0, 1e-3], 3, [None, 1]),  # the seed that ends their equality is enough
    ],
)
def test_a_level_is_looked_at_from_the_first_look_on_once_its_contrasts_are_not_all_equal(
    contrasts: list[float], first: int, starts: list[int | None]
) -> None:
    """Neither before it nor a seed late."""
    values = np.stack([np.zeros(len(contrasts)), contrasts], axis=1)
    found = plateaus(values, (1, 2), margin=0.1, alpha=0.05, first=first, horizon=20)
    assert [one.start for one in found] == starts


def test_a_false_plateau_is_as_rare_as_promised() -> None:
    """Simulated at the edge: 400 truly differs from 800 by the margin, looked at after every seed."""
    rng = np.random.default_rng(17)
    studies, margin, alpha = 400, 0.1, 0.05
    false = 0
    for _ in range(studies):
        values = rng.normal([0.0, 0.0, margin], 0.05, size=(20, 3))
        false += plateau(values, (200, 400, 800), margin=margin, alpha=alpha, horizon=20).start is not None
    assert false / studies <= alpha + 4 * math.sqrt(alpha * (1 - alpha) / studies)
    assert false > 0, "at the edge it must happen sometimes, or the rule is far from its level"


def test_the_curve_is_monotone_and_keeps_monotone_means() -> None:
    """Only what bends back is flattened; unequal noise weighs."""
    assert isotonic_curve(ROWS, LEVELS) == pytest.approx(np.mean(ROWS, axis=0))
    bent = np.array(ROWS)[:, [0, 2, 1, 3, 4]]
    curve = isotonic_curve(bent, LEVELS)
    assert np.all(np.diff(curve) >= 0)
    assert curve[1] == curve[2]
    falling = isotonic_curve(-np.array(ROWS), LEVELS, rising=False)
    assert falling == pytest.approx(-np.mean(ROWS, axis=0))


def test_the_curve_trusts_the_level_that_is_known_best() -> None:
    """Two levels out of order meet near the one of small spread."""
    values = np.array([[1.00, 0.0], [1.01, 1.8], [0.99, -1.8], [1.00, 0.2]])
    assert isotonic_curve(values, (1, 2)) == pytest.approx([1.0, 1.0], abs=0.01)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_levels_weigh_by_the_inverse_of_their_variance(scale: float) -> None:
    """Two seeds are enough for a spread, whatever the unit."""
    values = scale * np.array([[1.0, 0.0], [1.2, 0.8]])
    (high, low), (sure, unsure) = values.mean(axis=0), 1 / values.var(axis=0, ddof=1)
    expected = (sure * high + unsure * low) / (sure + unsure)
    assert isotonic_curve(values, (1, 2)) == pytest.approx([expected, expected])


def test_a_level_without_spread_weighs_as_much_as_the_surest_other() -> None:
    """By chance of few seeds: it must not pull everything to itself."""
    values = np.array([[1.0, 0.4, 9.0], [1.0, 0.6, 8.0]])
    assert isotonic_curve(values, (1, 2, 4))[:2] == pytest.approx([0.75, 0.75])


def test_one_seed_still_draws_a_curve() -> None:
    """Before any spread is known all levels weigh the same."""
    assert isotonic_curve([[1.0, 3.0, 2.0]], (1, 2, 4)) == pytest.approx([1.0, 2.5, 2.5])


@pytest.mark.parametrize(
    ("values", "levels", "said"),
    [
        ([[1.0, 2.0]], (2, 1), "increasing"),
        ([[1.0, 2.0]], (0, 1), "above zero"),
        ([[1.0]], (1,), "at least two levels"),
        ([[1.0, 2.0, 3.0]], (1, 3, 2), "increasing"),
        ([[1.0, 2.0, 3.0]], (1, 2, 2), "increasing"),
        (np.zeros((0, 2)), (1, 2), "one row per seed"),
        ([[1.0, 2.0, 3.0]], (1, 2), "one row per seed of 2 levels"),
        ([[1.0, math.nan]], (1, 2), "every level on every seed"),
    ],
)
def test_curves_refuse_levels_without_order_or_values(
    values: list[list[float]], levels: tuple[float, ...], said: str
) -> None:
    """A width of zero has no logarithm; a missing seed must not shift the rows."""
    with pytest.raises(FairtrialError, match=said):
        slope_contrasts(values, levels)


def test_a_plateau_beyond_the_horizon_is_refused() -> None:
    """The same end of the guarantee as for any other look."""
    with pytest.raises(FairtrialError, match="ends at 10"):
        plateau(noisy([1.0, 2.0], seeds=11, sd=1.0), (1, 2), margin=0.1, alpha=0.05, horizon=10)
