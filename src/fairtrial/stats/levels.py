"""The per-look level p*: how sure each look must be so that all looks together are as sure as promised.

Looking after every seed and stopping when the interval excludes zero is wrong far more often than
5 %. If each look instead uses Student's interval at level p*, the chance that *any* of the looks
misses the true mean is exactly alpha, whatever rule decides when to stop.
Source: Jennison & Turnbull (1991), Biometrika 78:133-141; (2000), chapter 9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.level_table import LARGEST_ALPHA, SMALLEST_ALPHA, TABLE
from fairtrial.stats.numerics import root, student_quantile

FIRST = 3
HORIZON = 50

# Nodes of one step's integral, and of the state after looks up to n. The first few looks have far
# critical values, so the state bends sharply at its ends, the more so the smaller the levels (FINE
# below 1e-4). More of either changes no crossing probability above SMALLEST_ALPHA by a millionth.
_STEP_NODES = 72
_COARSE = ((4, 160), (8, 80), (16, 48), (math.inf, 32))
_FINE = ((4, 320), (6, 200), (10, 120), (16, 80), (math.inf, 40))
# Beyond the angle at which the step's density falls below this, nothing is left to integrate.
_NEGLIGIBLE = 1e-19

Floats = NDArray[np.float64]
State = tuple[Floats, Floats]


@lru_cache(maxsize=4096)
def nominal_level(alpha: float, *, first: int = FIRST, horizon: int = HORIZON) -> float:
    """The two-sided level p* of each look, when looks follow every seed from `first` to `horizon`.

    With independent normal contrasts the chance that any of these looks' 1 - p* Student intervals
    misses the true mean is `alpha`. With one look (`first` equals `horizon`) it is `alpha` itself.

    >>> round(nominal_level(0.05, horizon=30), 8)
    0.00628143
    """
    _check(alpha, first=first, horizon=horizon)
    if first == horizon:
        return alpha
    coefficients = TABLE.get((first, horizon))
    if coefficients is not None and alpha <= LARGEST_ALPHA:
        return alpha * math.exp(float(np.polynomial.chebyshev.chebval(_position(alpha), coefficients)))
    return solved_level(alpha, first=first, horizon=horizon)


@lru_cache(maxsize=512)
def solved_level(alpha: float, *, first: int, horizon: int) -> float:
    """p* by solving the recursion, without the table; about a tenth of a second at horizon 50."""
    _check(alpha, first=first, horizon=horizon)
    if first == horizon:
        return alpha
    looks = range(first, horizon + 1)

    def excess(log_level: float) -> float:
        crossing = crossing_probability([math.exp(log_level)] * len(looks), looks)[-1]
        return math.log(crossing / alpha)

    # One look alone already crosses with probability p; all together with at most p per look.
    lowest, highest = math.log(alpha / len(looks)), math.log(alpha)
    return math.exp(root(excess, lowest, highest))


def tabulate(first: int, horizon: int, *, degree: int) -> tuple[float, ...]:
    """Chebyshev coefficients of log(p*/alpha) over log alpha, between the table's two ends."""
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    middle, half = _log_range()
    alphas = np.exp(middle + half * nodes)
    values = [math.log(solved_level(float(a), first=first, horizon=horizon) / a) for a in alphas]
    return tuple(float(c) for c in np.polynomial.chebyshev.chebfit(nodes, values, degree))


def crossing_probability(levels: Sequence[float], looks: Sequence[int]) -> Floats:
    """Chance, by each of `looks`, that some look so far had a two-sided t p-value below its level.

    `looks` are counts of contrasts, increasing, from 2; `levels` one per look in [0, 1] (0: that
    look cannot cross). Contrasts are independent and normal with mean zero and unknown spread.

    Method: U_n = sum / root of the sum of squares is a Markov chain whatever the spread (Basu), so
    the chance of no crossing so far is carried forward as a function of U_n, each step one integral
    over the last contrast given U_n. T_n = sqrt(n-1) tan(phi) where U_n = sqrt(n) sin(phi).

    >>> crossing_probability([0.05, 0.05, 0.05], [3, 4, 5]).round(6).tolist()
    [0.05, 0.079211, 0.101043]
    """
    if len(levels) != len(looks) or not looks or looks[0] < 2 or sorted(set(looks)) != list(looks):
        raise ValueError(f"expected increasing looks from 2 and a level for each, got {levels}, {looks}")
    level_at = dict(zip(looks, levels, strict=True))
    nodes = _FINE if min(levels) < 1e-4 else _COARSE
    survival = np.ones(1)
    reach = math.sqrt(looks[0])
    crossed: list[float] = []
    for n in range(looks[0], looks[-1] + 1):
        state = _state(next(count for last, count in nodes if n <= last))
        if n > looks[0]:
            survival = _carried(survival, reach, state, n=n)
            reach = math.hypot(1, reach)
        if n in level_at:
            bound = min(reach, math.sqrt(n) * math.sin(_critical_angle(level_at[n], n)))
            survival = _restricted(survival, reach, bound, state)
            reach = bound
            crossed.append(1 - _mean(survival, reach, n=n))
    return np.array(crossed, dtype=np.float64)


# The chance of no crossing so far, as a function of u on [-reach, reach], is even and may fall to zero
# like a square root at the ends. In theta, u = reach sin(theta), it is smooth: it is held as
# Chebyshev coefficients in 2 (2 theta / pi)^2 - 1, that is as the even polynomial of theta.


def _evaluated(survival: Floats, reach: float, u: Floats) -> Floats:
    theta = np.arcsin(np.clip(u / reach, -1, 1))
    values = np.polynomial.chebyshev.chebval(2 * (2 * theta / np.pi) ** 2 - 1, survival)
    return np.asarray(values, dtype=np.float64)


@lru_cache(maxsize=16)
def _state(nodes: int) -> State:
    """Points u >= 0 of a function on [-1, 1], and the matrix from values there to its coefficients."""
    j = np.arange(nodes)
    matrix = np.cos(np.pi * np.outer(j, j + 0.5) / nodes) * 2 / nodes
    matrix[0] /= 2
    position = np.cos(np.pi * (j + 0.5) / nodes)
    return np.sin(np.pi / 2 * np.sqrt((position + 1) / 2)), matrix


@lru_cache(maxsize=1)
def _rule() -> tuple[Floats, Floats]:
    """Points in [-1, 1] and weights, gathered at the ends, where integrands may bend sharply."""
    points, weights = np.polynomial.legendre.leggauss(_STEP_NODES)
    return np.sin(np.pi / 2 * points), weights * np.pi / 2 * np.cos(np.pi / 2 * points)


def _restricted(survival: Floats, reach: float, bound: float, state: State) -> Floats:
    if bound == reach:
        return survival
    points, fit = state
    return fit @ _evaluated(survival, reach, bound * points)


def _carried(survival: Floats, reach: float, state: State, *, n: int) -> Floats:
    """The chance of no crossing before look `n` given U_n, from the same given U_(n-1).

    Given U_n = v the last contrast over the root sum of squares is v/n + width sin(theta), theta of
    density proportional to cos(theta)^(n-3); then U_(n-1) = (v - y) / sqrt(1 - y^2), which stays
    within `reach` for y in one interval, empty for v beyond the new reach.
    """
    sampled, fit = state
    wider = math.hypot(1, reach)
    v = wider * sampled[:, None]
    centre = v / n
    width = np.sqrt((1 - v * v / n) * (n - 1) / n)
    half = reach * np.sqrt(np.maximum(wider**2 - v * v, 0))
    cut = _cut(n - 3)
    low = np.maximum(np.arcsin(np.clip(((v - half) / wider**2 - centre) / width, -1, 1)), -cut)
    high = np.minimum(np.arcsin(np.clip(((v + half) / wider**2 - centre) / width, -1, 1)), cut)
    points, weights = _rule()
    theta = (low + high) / 2 + (high - low) / 2 * points
    y = centre + width * np.sin(theta)
    u = (v - y) / np.sqrt(np.maximum(1 - y * y, 1e-300))
    density = _density_constant(n - 1) * np.cos(theta) ** (n - 3)
    inside = np.maximum(high - low, 0)[:, 0] / 2
    return fit @ (inside * np.sum(weights * density * _evaluated(survival, reach, u), axis=1))


def _mean(survival: Floats, reach: float, *, n: int) -> float:
    """The expectation of `survival` over |U_n| <= reach, T_n being Student's t with n - 1 df."""
    points, weights = _rule()
    limit = min(math.asin(min(reach / math.sqrt(n), 1)), _cut(n - 2))
    phi = limit * points
    values = _evaluated(survival, reach, math.sqrt(n) * np.sin(phi))
    return limit * float(np.sum(weights * _density_constant(n) * np.cos(phi) ** (n - 2) * values))


def _density_constant(n: int) -> float:
    return math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2)) / math.sqrt(math.pi)


def _cut(power: int) -> float:
    return math.acos(_NEGLIGIBLE ** (1 / power)) if power > 0 else math.pi / 2


def _critical_angle(level: float, n: int) -> float:
    return math.atan(-student_quantile(level / 2, n - 1) / math.sqrt(n - 1)) if level > 0 else math.pi / 2


def _log_range() -> tuple[float, float]:
    low, high = math.log(SMALLEST_ALPHA), math.log(LARGEST_ALPHA)
    return (low + high) / 2, (high - low) / 2


def _position(alpha: float) -> float:
    middle, half = _log_range()
    return (math.log(alpha) - middle) / half


def _check(alpha: float, *, first: int, horizon: int) -> None:
    if not SMALLEST_ALPHA <= alpha < 1:
        raise FairtrialError(
            f"a verdict's share of the allowed error must lie between {SMALLEST_ALPHA:g} and 1, got {alpha:g}; "
            f"ask fewer questions in one study, or ask for less confidence"
        )
    if not 2 <= first <= horizon:
        raise FairtrialError(
            f"the first look must come after at least 2 seeds and no later than the horizon, "
            f"got a first look at {first} and a horizon of {horizon}"
        )
