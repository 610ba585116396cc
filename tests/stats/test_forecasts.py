"""How many seeds an answer needs: arithmetic, known orders of magnitude, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fairtrial.stats.forecast import forecast, planned_spread, price_list, seeds_needed
from fairtrial.stats.levels import nominal_level
from fairtrial.stats.looks import Look, look
from fairtrial.stats.verdict import Better, Goal

LEVEL = nominal_level(0.05, horizon=50)


def scattered(n: int, *, mean: float, sd: float) -> np.ndarray:
    """Contrasts with exactly this mean and spread."""
    values = np.random.default_rng(n).normal(size=n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


def undecided(n: int, *, mean: float, sd: float) -> Look:
    seen = look(scattered(n, mean=mean, sd=sd), margin=0.1, alpha=0.05)
    assert not seen.verdict.settled
    return seen


@given(sd=st.floats(0.01, 2.0), width=st.floats(0.01, 2.0))
def test_the_forecast_is_the_smallest_number_of_seeds_that_is_enough(sd: float, width: float) -> None:
    """One seed fewer would not do; checked with scipy's own t distribution."""

    def left_over(n: int) -> float:
        return width - float(stats.t.isf(LEVEL / 2, n - 1) + stats.norm.ppf(0.8)) * sd / math.sqrt(n)

    n = seeds_needed(sd=sd, width=width, nominal=LEVEL)
    assert n is not None
    assert left_over(n) >= -1e-9
    assert n == 3 or left_over(n - 1) < 1e-9


def test_the_rule_of_thumb_holds_for_one_question_and_for_eight() -> None:
    """About 15 (sd / width)^2, and 23 for eight: what the documentation tells people to expect."""
    squared = (0.3 / 0.1) ** 2
    one = seeds_needed(sd=0.3, width=0.1, nominal=LEVEL)
    eight = seeds_needed(sd=0.3, width=0.1, nominal=nominal_level(0.05 / 8, horizon=50))
    assert one is not None and eight is not None
    assert one / squared == pytest.approx(15, rel=0.15)
    assert eight / squared == pytest.approx(23, rel=0.15)


@pytest.mark.parametrize("width", [0.0, -0.1, 1e-9])
def test_no_number_of_seeds_settles_what_sits_on_the_margin(width: float) -> None:
    """None, rather than a number nobody would train."""
    assert seeds_needed(sd=0.3, width=width, nominal=LEVEL) is None


def test_a_width_of_nothing_is_no_width_even_where_nothing_spreads() -> None:
    """Zero does not lie within zero."""
    assert seeds_needed(sd=0.0, width=0.0, nominal=LEVEL) is None
    assert seeds_needed(sd=0.0, width=1e-9, nominal=LEVEL, first=5) == 5


def test_the_chance_of_being_settled_is_what_the_forecast_says() -> None:
    """At the forecast number of seeds one look finds the effect with about 80 % chance (simulated)."""
    sd, effect, level = 0.2, 0.15, nominal_level(0.05, horizon=50)
    n = seeds_needed(sd=sd, width=effect, nominal=level)
    assert n is not None
    draws = np.random.default_rng(5).normal(effect, sd, size=(4000, n))
    t = math.sqrt(n) * draws.mean(axis=1) / draws.std(axis=1, ddof=1)
    found = np.mean(t > stats.t.isf(level / 2, n - 1))
    assert found == pytest.approx(0.8, abs=0.04)


def test_a_settled_question_needs_nothing_more() -> None:
    """The runner spends no seed on it."""
    seen = look([0.9, 1.1, 1.0, 0.95], margin=0.1, alpha=0.05)
    found = forecast(seen)
    assert (found.seeds, found.more, found.within_horizon, found.chance) == (4, 0, True, 1.0)


def test_an_undecided_question_takes_the_shorter_route() -> None:
    """A large estimate is settled by its direction, a small one by equivalence."""
    large = undecided(6, mean=0.3, sd=0.3)
    assert forecast(large).seeds == seeds_needed(sd=0.3, width=0.3, nominal=LEVEL)
    small = undecided(6, mean=0.01, sd=0.1)
    assert forecast(small).seeds == seeds_needed(sd=0.1, width=0.09, nominal=nominal_level(0.1, horizon=50))


def test_at_least_one_more_seed_is_forecast_while_undecided() -> None:
    """ "Needs 12 seeds, has 14" would be nonsense."""
    seen = undecided(14, mean=0.06, sd=0.08)
    found = forecast(seen)
    assert found.more is not None and found.more >= 1 and found.seeds == 14 + found.more


def test_what_the_horizon_cannot_settle_is_said() -> None:
    """A spread of 0.3 pp and a margin of 0.1 pp take over a hundred seeds; fifty will not do."""
    found = forecast(undecided(20, mean=0.05, sd=0.3))
    assert found.seeds is not None and found.seeds > 50
    assert not found.within_horizon and found.chance < 0.5


def test_equal_contrasts_forecast_nothing() -> None:
    """A spread of zero is no reason to believe that one more seed will do."""
    found = forecast(look([0.1, 0.1, 0.1], margin=0.1, alpha=0.05))
    assert found.seeds is None and found.more is None and not found.within_horizon
    assert found.chance == 0.0


def test_not_worse_needs_fewer_seeds_than_no_difference_where_the_variant_gains() -> None:
    """The upper bound is nobody's concern."""
    seen = look(scattered(5, mean=0.05, sd=0.12), margin=0.1, alpha=0.05, goal="not_worse")
    assert not seen.verdict.settled
    not_worse = forecast(seen, goal="not_worse").seeds
    change = forecast(seen, goal="change").seeds
    worse = forecast(seen, goal="not_worse", better="lower").seeds
    assert not_worse is not None and change is not None and worse is not None
    assert not_worse < change <= worse


@pytest.mark.parametrize(("effect", "goal"), [(0.0, "change"), (0.08, "change"), (-0.02, "not_worse")])
def test_the_predictive_chance_is_that_of_the_look_at_the_horizon(effect: float, goal: Goal) -> None:
    """Compared with drawing the remaining seeds, and the true mean, many times."""
    n, horizon, sd = 15, 30, 0.15
    seen = look(scattered(n, mean=effect, sd=sd), margin=0.1, alpha=0.05, horizon=horizon, goal=goal)
    assert not seen.verdict.settled
    rng = np.random.default_rng(11)
    settled = 0
    for _ in range(2000):
        truth = effect + sd / math.sqrt(n) * rng.standard_t(n - 1)
        rest = rng.normal(truth, sd, size=horizon - n)
        whole = np.concatenate([scattered(n, mean=effect, sd=sd), rest])
        settled += look(whole, margin=0.1, alpha=0.05, horizon=horizon, goal=goal).verdict.settled
    assert forecast(seen, goal=goal).chance == pytest.approx(settled / 2000, abs=0.07)


def test_the_price_list_grows_as_margins_shrink() -> None:
    """What `check` shows before anybody trains: smaller margins cost quadratically more."""
    prices = price_list([0.0005, 0.001, 0.003, 0.1], sd=0.0013, alpha=0.05)
    seeds = [price.seeds for price in prices if price.seeds is not None]
    assert len(seeds) == 4 and seeds == sorted(seeds, reverse=True)
    assert 20 <= seeds[1] <= 30
    assert seeds[-1] == 3
    assert [price.within_horizon for price in prices] == [False, True, True, True]


def test_the_planned_spread_is_that_of_independent_errors_between_runs() -> None:
    """MNIST at 2 % error on 10 000 images: 0.10 pp a run, 0.14 pp a contrast."""
    assert planned_spread(0.02, 0.02, examples=10_000) == pytest.approx(0.00141, abs=1e-5)
    assert planned_spread(0.02, 0.0, examples=10_000) == pytest.approx(0.0010, abs=1e-5)


def chance_by_scipy(seen: Look, goal: Goal, better: Better) -> float:
    """The predictive chance written down once more, from the docstring and scipy's distributions alone."""
    towards = seen.estimate if better == "higher" else -seen.estimate
    moves = stats.t(seen.n - 1, loc=towards, scale=seen.sd * math.sqrt(1 / seen.n - 1 / seen.horizon))
    error = seen.sd / math.sqrt(seen.horizon)
    sign = stats.t.isf(nominal_level(seen.alpha, horizon=seen.horizon) / 2, seen.horizon - 1) * error
    half = stats.t.isf(nominal_level(2 * seen.alpha, horizon=seen.horizon) / 2, seen.horizon - 1) * error
    inside = seen.margin - half
    if goal == "not_worse":
        # Settled by the lower bound lying above minus the margin, or by the upper one lying below zero.
        return float(1 - (moves.cdf(max(-inside, -sign)) - moves.cdf(-sign)))
    if inside >= sign:
        return 1.0
    return float(moves.cdf(-sign) + moves.sf(sign) + max(moves.cdf(inside) - moves.cdf(-inside), 0))


@pytest.mark.parametrize("goal", ["change", "not_worse"])
@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("mean", [-0.08, -0.03, 0.0, 0.05, 0.08])
@pytest.mark.parametrize(("n", "horizon", "sd"), [(4, 9, 0.1), (8, 12, 0.2), (5, 50, 0.15), (9, 200, 0.3)])
def test_the_chance_is_the_formula_of_its_docstring(
    goal: Goal, better: Better, mean: float, n: int, horizon: int, sd: float
) -> None:
    """For either goal and direction, near the horizon and far from it."""
    seen = look(
        scattered(n, mean=mean, sd=sd), margin=0.1, alpha=0.05, horizon=horizon, goal=goal, better=better
    )
    if not seen.standing.settled:
        expected = chance_by_scipy(seen, goal, better)
        assert forecast(seen, goal=goal, better=better).chance == pytest.approx(expected, abs=1e-9)


def test_where_one_route_or_the_other_is_sure_to_end_it_the_chance_is_one() -> None:
    """At fifty seeds the two routes overlap: whatever the mean, one of them settles it."""
    seen = look(scattered(4, mean=0.05, sd=0.08), margin=0.1, alpha=0.05, horizon=50)
    assert not seen.standing.settled
    assert forecast(seen).chance == 1.0


@pytest.mark.parametrize(("better", "factor"), [("higher", 1.0), ("lower", -1.0)])
def test_not_worse_is_settled_by_a_loss_at_the_level_of_directions_and_by_a_gain_at_that_of_equivalence(
    better: Better, factor: float
) -> None:
    """Each route has its own level and its own distance to go."""
    by_sign, by_equivalence = nominal_level(0.05, horizon=50), nominal_level(0.1, horizon=50)
    for mean, level, width in ((-0.3, by_sign, 0.3), (0.03, by_equivalence, 0.13)):
        seen = look(
            factor * scattered(5, mean=mean, sd=0.3), margin=0.1, alpha=0.05, goal="not_worse", better=better
        )
        assert not seen.standing.settled
        found = forecast(seen, goal="not_worse", better=better)
        assert found.seeds == seeds_needed(sd=seen.sd, width=width, nominal=level)
        assert found.within_horizon is (found.seeds is not None and found.seeds <= 50)


def test_the_horizon_itself_is_within_it() -> None:
    """The last seed that is allowed may be the one that settles it."""
    sds = np.geomspace(0.02, 0.3, 4000)
    level = nominal_level(0.05, horizon=20)
    sd = next(sd for sd in sds if seeds_needed(sd=sd, width=0.1, nominal=level) == 20)
    (price,) = price_list([0.1], sd=sd, alpha=0.05, horizon=20)
    assert price.seeds == 20 and price.within_horizon
    assert not price_list([0.09], sd=sd, alpha=0.05, horizon=20)[0].within_horizon
    seen = look(scattered(5, mean=0.1, sd=sd), margin=0.001, alpha=0.05, horizon=20)
    found = forecast(seen)
    assert found.seeds == 20 and found.within_horizon
