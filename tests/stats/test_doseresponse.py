"""Slopes, steps, plateaus and curves over an ordered factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairtrial.errors import FairtrialError
from fairtrial.stats.doseresponse import isotonic_curve, plateau, slope_contrasts, slope_margin, steps
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


def test_one_seed_still_draws_a_curve() -> None:
    """Before any spread is known all levels weigh the same."""
    assert isotonic_curve([[1.0, 3.0, 2.0]], (1, 2, 4)) == pytest.approx([1.0, 2.5, 2.5])


@pytest.mark.parametrize(
    ("values", "levels", "said"),
    [
        ([[1.0, 2.0]], (2, 1), "increasing"),
        ([[1.0, 2.0]], (0, 1), "above zero"),
        ([[1.0]], (1,), "at least two levels"),
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
