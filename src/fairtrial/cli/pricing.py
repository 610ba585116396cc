"""The price list of `fairtrial check` in words."""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.analysis.prices import ArmError, MarginPrice, Prices
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.durations import roughly
from fairtrial.study.schema import Metric

HEAD = (
    "What each margin would cost, in seeds of both arms (80 % chance of showing an effect as large as the margin, "
    "or that there is none):"
)


def price_line(one: Prices, *, horizon: int) -> str:
    """The prices of one verdict, and what they rest on."""
    what = f"{one.question}, {one.metric} on {one.on}"
    if not one.margins:
        return f"{what}: known once both arms have their least number of seeds: no formula plans it before"
    return f"{what}: {listed(one.margins, one.metric, horizon=horizon)} ({_basis(one)})"


def listed(margins: Sequence[MarginPrice], metric: Metric, *, horizon: int) -> str:
    """`0.1 pp: about 40 seeds, 50 min; 0.3 pp: about 6 seeds, 6 min`"""
    return "; ".join(f"{amount(one.margin, metric)}: {_price(one, horizon)}" for one in margins)


def _price(one: MarginPrice, horizon: int) -> str:
    if one.seeds is None or one.seconds is None:
        return "more seeds than can be counted"
    beyond = "" if one.within_horizon else f", beyond the {horizon} of this study"
    return f"about {count_of(one.seeds, 'seed')}, {roughly(one.seconds)}{beyond}"


def _basis(one: Prices) -> str:
    if one.basis == "measured":
        return f"measured: spread {_spread(one)} over {count_of(one.seeds, 'seed')}"
    errors = " and ".join(dict.fromkeys(_error(error) for error in one.errors))
    return f"planned: spread {_spread(one)}, from an error of {errors}"


def _spread(one: Prices) -> str:
    sd = one.spread or 0.0
    return f"{100 * sd:.2f} pp" if one.metric == "accuracy" else f"{sd:.2g}"


def _error(one: ArmError) -> str:
    known = f"measured, {one.arm}" if one.seeds else "assumed"
    return f"{100 * one.error:.2g} % [{known}]"
