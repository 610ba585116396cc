"""How many seeds an answer needs: before any data, from measured spread, and while it is undecided.

Forecasts steer and inform; no promise rests on them. They use the per-look level of the study's own
horizon, and seeds beyond it are named only to say that this study cannot settle the question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fairtrial.stats.intervals import critical_value
from fairtrial.stats.levels import FIRST, HORIZON, nominal_level
from fairtrial.stats.looks import Look
from fairtrial.stats.numerics import normal_quantile, student_cdf
from fairtrial.stats.verdict import Better, Goal, Verdict

CHANCE = 0.8
"""The chance of being settled by the forecast number of seeds, at one look and if the estimate is true."""
_FARTHEST = 10_000_000
"""No forecast looks beyond this many seeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an undecided question still needs; for a settled one, nothing."""

    seeds: int | None
    """Seeds in all (not further ones) it is likely to need; None where no number would do, as when the
    estimate sits on the margin."""
    more: int | None
    """Of these, those still to come."""
    within_horizon: bool
    """False: "cannot be settled with the declared number of seeds", if the estimate is true."""
    chance: float
    """Rough chance that it is settled by the horizon, given the contrasts so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one margin would cost: seeds, None beyond ten million."""

    margin: float
    seeds: int | None
    within_horizon: bool


def planned_spread(error_variant: float, error_baseline: float, *, examples: int) -> float:
    """Spread of an accuracy contrast to expect before any run, from two error rates in [0, 1].

    Converged networks make nearly independent errors between runs, which gives a variance of
    error / (2 examples) each (Jordan, ICLR 2024). Much more afterwards: noise of the last batches,
    or unfinished training. Much less: seeds that are not wired.

    >>> round(planned_spread(0.02, 0.02, examples=10_000), 5)
    0.00141
    """
    return math.sqrt((error_variant + error_baseline) / (2 * examples))


def seeds_needed(*, sd: float, width: float, nominal: float, first: int = FIRST) -> int | None:
    """The smallest n whose half-width at per-look level `nominal` leaves `width` with 80 % chance.

    `sd` is the contrasts' spread; `width` the distance to overcome: the effect itself for a
    direction, margin - |effect| for equivalence. About 13 to 15 (sd / width)^2 for one question.

    >>> seeds_needed(sd=0.3, width=0.1, nominal=0.0062814)
    119
    """
    if not width > 0:
        return None

    def enough(n: int) -> bool:
        return (critical_value(nominal, n - 1) + _RESERVE) * sd / math.sqrt(n) <= width

    high = first
    while not enough(high):
        high *= 2
        if high > _FARTHEST:
            return None
    low = first - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


_RESERVE = normal_quantile(CHANCE)


def forecast(seen: Look, *, first: int = FIRST, goal: Goal = "change", better: Better = "higher") -> Forecast:
    """How many seeds the question of this look is likely to need, taking estimate and spread as true.

    It is settled by whichever route is shorter: a direction, or equivalence. `goal` and `better` are those
    the look was judged by.
    """
    if seen.standing is not Verdict.UNDECIDED:
        return Forecast(seeds=seen.n, more=0, within_horizon=True, chance=1.0)
    if not seen.sd > 0:
        return Forecast(seeds=None, more=None, within_horizon=False, chance=0.0)
    by_sign = nominal_level(seen.alpha, first=first, horizon=seen.horizon)
    by_equivalence = nominal_level(2 * seen.alpha, first=first, horizon=seen.horizon)
    candidates = [
        seeds_needed(
            sd=seen.sd, width=width, nominal=by_sign if route == "sign" else by_equivalence, first=first
        )
        for route, width in _routes(seen, goal, better)
    ]
    # More than there are: what fewer would settle is settled.
    seeds = min((seeds for seeds in candidates if seeds is not None), default=None)
    return Forecast(
        seeds=seeds,
        more=None if seeds is None else seeds - seen.n,
        within_horizon=seeds is not None and seeds <= seen.horizon,
        chance=_chance(seen, by_sign, by_equivalence, goal, better),
    )


def price_list(
    margins: Sequence[float], *, sd: float, alpha: float, first: int = FIRST, horizon: int = HORIZON
) -> tuple[Price, ...]:
    """What each margin would cost in seeds, for contrasts of spread `sd`.

    Enough, with 80 % chance each, to show a direction where the effect is as large as the margin, and
    that no difference matters where there is none.

    >>> [price.seeds for price in price_list([0.001, 0.003], sd=0.0013, alpha=0.05)]
    [26, 6]
    """
    by_sign = nominal_level(alpha, first=first, horizon=horizon)
    prices: list[Price] = []
    for margin in margins:
        seeds = seeds_needed(sd=sd, width=margin, nominal=by_sign, first=first)
        prices.append(
            Price(margin=margin, seeds=seeds, within_horizon=seeds is not None and seeds <= horizon)
        )
    return tuple(prices)


def _routes(seen: Look, goal: Goal, better: Better) -> list[tuple[str, float]]:
    """Each way to settle the question, with the width its interval has to fall below."""
    if goal == "change":
        return [("sign", abs(seen.estimate)), ("equivalence", seen.margin - abs(seen.estimate))]
    gain = seen.estimate if better == "higher" else -seen.estimate
    return [("sign", -gain), ("equivalence", gain + seen.margin)]


def _chance(seen: Look, by_sign: float, by_equivalence: float, goal: Goal, better: Better) -> float:
    """Predictive chance of being settled at the look at the horizon, spread taken as known.

    The mean at the horizon N, given that at n, is spread about it with variance sd^2 (1/n - 1/N)
    (flat prior); Student's t with n - 1 degrees of freedom stands for that in place of the normal.
    """
    if seen.n >= seen.horizon:
        return 0.0
    scale = seen.sd * math.sqrt(1 / seen.n - 1 / seen.horizon)
    error = seen.sd / math.sqrt(seen.horizon)
    centre = seen.estimate if better == "higher" else -seen.estimate

    def below(value: float) -> float:
        return student_cdf((value - centre) / scale, seen.n - 1)

    direction = critical_value(by_sign, seen.horizon - 1) * error
    inside = seen.margin - critical_value(by_equivalence, seen.horizon - 1) * error
    if goal == "not_worse":
        return below(-direction) + 1 - max(below(-inside), below(-direction))
    if inside >= direction:
        return 1.0
    return below(-direction) + 1 - below(direction) + max(below(inside) - below(-inside), 0.0)
