"""What a comparison found, in a sentence to be read aloud, with the reasons to trust it less."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context

import numpy as np
from numpy.typing import NDArray

from fairtrial.comparison.values import Runs
from fairtrial.stats.compare import Paired
from fairtrial.stats.forecast import Forecast
from fairtrial.stats.intervals import Interval, all_equal
from fairtrial.stats.levels import FIRST
from fairtrial.stats.signs import signs
from fairtrial.stats.verdict import Verdict

_MOST = 9
"""Decimals shown at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one comparison found, before words. Means are over finished runs, NaN where there are none."""

    variant: Runs
    baseline: Runs
    used: Paired | None
    """The pairs; None where runs are unpaired."""
    n: int
    variant_mean: float
    baseline_mean: float
    estimate: float
    sign: Interval
    verdict: Verdict
    correlation: float | None
    contrasts: NDArray[np.float64]
    """Of finished pairs; empty where runs are unpaired."""
    forecast: Forecast | None

    @property
    def failed(self) -> tuple[str, ...]:
        """`1 of 7 runs of lr=0.1 failed`, for either group that this is true of."""
        said: list[str] = []
        for group in (self.variant, self.baseline):
            count = sum(math.isnan(value) for value in group.values)
            if count:
                said.append(f"{count} of {_counted(len(group.values), 'run')} of {_the(group)} failed")
        return tuple(said)


def sentence(found: Found, *, metric: str, margin: float, percent: float | None, rules_end: str) -> str:
    """From what to what, by how much, how surely, and what that is worth.

    `percent` is the factor by which the numbers become percentages; None where they are none.
    """
    scale, unit, apart = (1.0, "", "") if percent is None else (percent, " %", " pp")
    shown = scale * found.sign.low, scale * found.sign.high
    bounded = all(map(math.isfinite, shown))
    digits = _digits(*shown, margin=scale * margin)
    if math.isnan(found.estimate):
        return (
            f"{metric} of {_role(found.variant, 'variant')} and {_role(found.baseline, 'baseline')} cannot be "
            f"compared: {found.verdict}: {', '.join(found.failed)}."
        )
    before, after = (_figure(scale * mean, digits) for mean in (found.baseline_mean, found.variant_mean))
    size = _figure(abs(scale * found.estimate), digits)
    variant, baseline = _role(found.variant, "variant"), _role(found.baseline, "baseline")
    if float(size) == 0:
        happened = f"{metric} stayed at {after}{unit} from {baseline} to {variant}"
    else:
        verb = "rose" if found.estimate > 0 else "fell"
        happened = f"{metric} {verb} from {before}{unit} with {baseline} to {after}{unit} with {variant}, by {size}{apart}"
    unstable = found.verdict is Verdict.UNSTABLE
    interval = f"{_interval(*shown, digits, apart)}, " if bounded and not unstable else ""
    worth = _worth(found, bound=f"{_up(scale * found.sign.bound, digits)}{apart}", rules_end=rules_end)
    over = _runs(found)
    if unstable:
        over = (
            f"over the {found.contrasts.size} of {over} where both finished"
            if found.used
            else "the others of " + over
        )
    return f"{happened} ({interval}{over}): {worth} (margin {_plain(scale * margin)}{apart})."


def _interval(low: float, high: float, digits: int, apart: str) -> str:
    """A change with its signs where there may be none; its size where there is one, for "fell" says the sign."""
    if low <= 0 <= high:
        return f"a change of {_signed(low, digits)} to {_signed(high, digits)}{apart}"
    near, far = sorted((abs(low), abs(high)))
    return f"{_figure(near, digits)} to {_figure(far, digits)}"


def _role(group: Runs, role: str) -> str:
    """`A.csv (variant)`; `the variant` where it has no other name."""
    return _the(group) if group.name == role else f"{group.name} ({role})"


def _the(group: Runs) -> str:
    return f"the {group.name}" if group.name in ("variant", "baseline") else group.name


def _worth(found: Found, *, bound: str, rules_end: str) -> str:
    verdict = found.verdict
    if verdict is Verdict.UNSTABLE:
        return f"{verdict}, {' and '.join(found.failed)}"
    if verdict is not Verdict.UNDECIDED:
        article = {1: "an ", -1: "a ", 0: ""}[verdict.direction]
        return f"{article}{verdict}"
    reasons: list[str] = []
    if math.isfinite(found.sign.bound):
        reasons.append(f"any difference is smaller than {bound}")
    if found.used is not None and found.n < FIRST and not rules_end:
        reasons.append(f"at least {FIRST} seeds are needed")
    elif found.used is not None and all_equal(found.contrasts):
        reasons.append("the difference is the same on every seed, which chance does not bring about")
    elif found.used is None and not math.isfinite(found.sign.bound):
        reasons.append(f"at least {FIRST} runs of each that are not all equal are needed")
    elif found.forecast is not None:
        reasons.append(_outlook(found.forecast))
    elif rules_end:
        reasons.append(rules_end)
    return ", ".join([verdict.value, *reasons])


def _outlook(expected: Forecast) -> str:
    if expected.within_horizon and expected.more is not None:
        return f"about {_counted(expected.more, 'more seed')} would likely settle it"
    return "the seeds up to the horizon are unlikely to settle it"


def method(found: Found, *, planned: int | None, horizon: int, confidence: float, comparisons: int) -> str:
    """How the verdict was reached, in one line."""
    how = "paired by seed" if found.used is not None else "unpaired (Welch)"
    judged = "as planned beforehand" if planned is not None else f"judged as one of many, up to {horizon}"
    shared = "" if comparisons == 1 else f", shared equally by {comparisons} comparisons"
    return f"{how}; one look at {_runs(found)}, {judged}; confidence {_plain(100 * confidence)} %{shared}"


def caveats(found: Found, *, unsuited_margin: bool, two_units: str) -> tuple[str, ...]:
    """Everything that makes the verdict weaker than its numbers look."""
    said: list[str] = [f"failed: {text}" for text in found.failed]
    if found.used is None:
        said.append("unpaired: the interval is approximate, and what seeds share is not taken out")
    elif found.used.left_out:
        said.append(_left_out(found.variant, found.baseline))
    if found.contrasts.size:
        counted = signs(found.contrasts)
        if counted.skewed:
            said.append(
                f"skewed: the differences are too lopsided for their mean to say it all; {_the(found.variant)} "
                f"was higher on {counted.higher} and lower on {counted.lower} of {found.contrasts.size} seeds"
            )
    if two_units:
        said.append(f"units: {two_units}: if these are shares and percentages, bring them to one unit")
    if unsuited_margin:
        said.append(
            "margin: 0.001 is meant for accuracies between 0 and 1, which these numbers are not; "
            "say what matters in their own unit (--margin)"
        )
    return tuple(said)


def _left_out(variant: Runs, baseline: Runs) -> str:
    alone = [
        f"{_counted(len(only), 'seed')} of {_the(group)} ({_listed(only)})"
        for group, other in ((variant, baseline), (baseline, variant))
        if (only := sorted(set(group.seeds or ()) - set(other.seeds or ())))
    ]
    return f"left out: {' and '.join(alone)}, which the other does not have"


def _listed(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds[:5])) + (", …" if len(seeds) > 5 else "")


def _runs(found: Found) -> str:
    if found.used is not None:
        return _counted(found.n, "seed")
    return f"{len(found.variant.values)} against {_counted(len(found.baseline.values), 'run')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _figure(value: float, digits: int) -> str:
    """With that many decimals, in powers of ten where that would be a row of zeros."""
    if _in_powers(value, digits):
        return f"{value:.3g}"
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    shown = _figure(value, digits)
    return f"+{shown}" if value > 0 and float(shown) else shown


def _in_powers(value: float, digits: int) -> bool:
    return digits > _MOST or abs(value) >= 10.0**_MOST


def _digits(low: float, high: float, *, margin: float) -> int:
    """Decimals that show two figures of the interval's half width, and never an end other than 0 as 0."""
    half = (high - low) / 2
    digits = _figures(half if 0 < half < math.inf else margin)
    while digits <= _MOST and any(
        end and math.isfinite(end) and not float(f"{end:.{digits}f}") for end in (low, high)
    ):
        digits += 1
    return digits


def _up(value: float, digits: int) -> str:
    """Rounded up: "smaller than this" must stay true of the rounded figure."""
    if not math.isfinite(value):
        return ""
    if _in_powers(value, digits):
        return f"{Context(prec=3, rounding=ROUND_CEILING).create_decimal_from_float(value):.3g}"
    step = 10.0**-digits
    return _figure(math.ceil(value / step) * step, digits)


def _figures(size: float) -> int:
    return max(1 - math.floor(math.log10(size)), 0)


def _plain(value: float) -> str:
    return f"{value:.6g}"
