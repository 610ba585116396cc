"""Two groups of runs, judged once on all that is there."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.comparison import margins
from fairtrial.comparison.sentences import Found, caveats, method, sentence
from fairtrial.comparison.values import LARGEST, Comparison, Runs, known
from fairtrial.errors import FairtrialError
from fairtrial.stats.compare import compare_paired, compare_unpaired, pair, pairing
from fairtrial.stats.forecast import forecast
from fairtrial.stats.intervals import EVERYTHING
from fairtrial.stats.levels import FIRST, HORIZON
from fairtrial.stats.verdict import Better, Goal, Verdict

LARGEST_HORIZON = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a comparison is judged; the same for all comparisons made together."""

    margin: float | str = margins.DEFAULT
    confidence: float = 0.95
    comparisons: int = 1
    horizon: int = HORIZON
    planned: int | None = None
    unpaired: bool = False
    goal: Goal = "change"
    better: Better = "higher"

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise FairtrialError(
                f"confidence must lie between 0.5 and 1, such as 0.95, got {self.confidence}"
            )
        if not FIRST <= self.horizon <= LARGEST_HORIZON:
            raise FairtrialError(
                f"the horizon must be {FIRST} to {LARGEST_HORIZON} seeds, got {self.horizon}; with more rows than "
                f"that, only a number fixed beforehand can be judged (--planned)"
            )
        if self.planned is not None and self.planned < 2:
            raise FairtrialError(f"a plan needs at least 2 seeds to say anything, got {self.planned}")
        if self.goal not in ("change", "not_worse"):
            raise FairtrialError(f"goal must be change or not_worse, got {self.goal!r}")
        if self.better not in ("higher", "lower"):
            raise FairtrialError(f"better must be higher or lower, got {self.better!r}")

    @property
    def alpha(self) -> float:
        """This comparison's share of the allowed error."""
        return round(1 - self.confidence, 12) / self.comparisons


def rules_from(*, margin: str | None, **settings: Any) -> Rules:
    """The rules with a margin as a command line has it: a plain number in words is a number."""
    return Rules(margin=margins.DEFAULT if margin is None else margins.read(margin), **settings)


def compare(
    variant: Any,
    baseline: Any,
    margin: float | str = margins.DEFAULT,
    *,
    metric: str = "value",
    names: tuple[str, str] = ("variant", "baseline"),
    confidence: float = 0.95,
    horizon: int = HORIZON,
    planned: int | None = None,
    unpaired: bool = False,
    goal: Goal = "change",
    better: Better = "higher",
) -> Comparison:
    """What `variant` does compared with `baseline`: one number per run, from anywhere.

    Both are sequences paired by position, or mappings (a pandas Series too) from seed to number; NaN
    stands for a run that failed. `margin` is the smallest difference that matters: a plain number,
    `"0.1pp"` or `"2%"` of the baseline. All rows are judged by one look, as strictly as one of looks after
    every seed up to `horizon`; `planned` says that just this many seeds were fixed beforehand and
    makes it a plain t interval. Raises FairtrialError for what cannot be compared.

    >>> compare([0.9, 1.1, 1.0, 0.95], [0.0, 0.0, 0.0, 0.0], margin=0.1).verdict.value
    'increase that matters'
    """
    rules = Rules(
        margin=margin,
        confidence=confidence,
        horizon=horizon,
        planned=planned,
        unpaired=unpaired,
        goal=goal,
        better=better,
    )
    groups = [
        runs_from(values, name=name, paired=not unpaired)
        for values, name in zip((variant, baseline), names, strict=True)
    ]
    by_seed = [hasattr(given, "items") for given in (variant, baseline)]
    if not unpaired and any(by_seed) and not all(by_seed):
        raise FairtrialError(
            "one is by seed, the other by position: give two mappings (or Series) from seed to number, "
            "two sequences, or unpaired=True"
        )
    if not unpaired and not any(by_seed):
        counts = [len(group.values) for group in groups]
        if counts[0] != counts[1]:
            raise FairtrialError(
                f"{counts[0]} numbers against {counts[1]}: sequences are paired by position; give as many of "
                f"one as of the other, mappings from seed to number, or unpaired=True"
            )
    return judged(*groups, metric=metric, rules=rules)


def runs_from(given: Any, *, name: str, paired: bool) -> Runs:
    """Runs from a mapping by seed, or from a sequence: seeds 1, 2, … by position."""
    if hasattr(given, "items"):
        pairs: list[tuple[Any, Any]] = list(given.items())
        if not paired:
            return Runs(name=name, values=_numbers([value for _, value in pairs], name=name), seeds=None)
        seeds = tuple(_seed(seed, name=name) for seed, _ in pairs)
        twice = [seed for seed, count in Counter(seeds).items() if count > 1]
        if twice:
            raise FairtrialError(
                f"{name}: seed {twice[0]} is there more than once; give each seed one number"
            )
        return Runs(name=name, values=_numbers([value for _, value in pairs], name=name), seeds=seeds)
    values = _numbers(given, name=name)
    return Runs(name=name, values=values, seeds=tuple(range(1, len(values) + 1)) if paired else None)


def judged(variant: Runs, baseline: Runs, *, metric: str, rules: Rules) -> Comparison:
    """The comparison of two groups under `rules`."""
    margin = margins.margin_of(rules.margin, variant=variant, baseline=baseline)
    _kept_to_plan(variant, baseline, rules.planned)
    found = (_unpaired if rules.unpaired else _paired)(variant, baseline, margin=margin, rules=rules)
    void = found.verdict is Verdict.UNSTABLE
    return Comparison(
        metric=metric,
        variant=variant.name,
        baseline=baseline.name,
        verdict=found.verdict,
        variant_mean=known(found.variant_mean),
        baseline_mean=known(found.baseline_mean),
        estimate=known(found.estimate),
        low=None if void else known(found.sign.low),
        high=None if void else known(found.sign.high),
        margin=margin,
        confidence=rules.confidence,
        comparisons=rules.comparisons,
        paired=not rules.unpaired,
        n=found.n,
        n_variant=len(variant.values),
        n_baseline=len(baseline.values),
        pairing_correlation=found.correlation,
        method=method(
            found,
            planned=rules.planned,
            horizon=rules.horizon,
            confidence=rules.confidence,
            comparisons=rules.comparisons,
        ),
        caveats=caveats(
            found,
            unsuited_margin=margins.unsuited(rules.margin, variant=variant, baseline=baseline),
            two_units=margins.two_units(variant, baseline),
        ),
        sentence=sentence(
            found,
            metric=metric,
            margin=margin,
            percent=margins.percent_scale(rules.margin, variant=variant, baseline=baseline),
            rules_end=_end(rules),
        ),
    )


def _paired(variant: Runs, baseline: Runs, *, margin: float, rules: Rules) -> Found:
    both = pair(variant.by_seed, baseline.by_seed)
    seen = compare_paired(
        both.contrasts,
        margin=margin,
        alpha=rules.alpha,
        horizon=rules.horizon,
        planned=rules.planned,
        goal=rules.goal,
        better=rules.better,
    )
    finished = np.isfinite(both.contrasts)
    a, b = both.variant[finished], both.baseline[finished]
    moved = pairing(a, b)
    # A run that failed says what its group is like, whether the other group has its seed or not.
    failed = not np.all(np.isfinite([*variant.values, *baseline.values]))
    verdict = Verdict.UNSTABLE if failed else seen.verdict
    undecided = verdict is Verdict.UNDECIDED and rules.planned is None
    return Found(
        variant=variant,
        baseline=baseline,
        used=both,
        n=seen.n,
        variant_mean=_mean(a),
        baseline_mean=_mean(b),
        estimate=seen.estimate,
        sign=seen.sign,
        verdict=verdict,
        correlation=None if moved is None else moved.correlation,
        contrasts=a - b,
        forecast=forecast(seen, goal=rules.goal, better=rules.better) if undecided else None,
    )


def _unpaired(variant: Runs, baseline: Runs, *, margin: float, rules: Rules) -> Found:
    a, b = (group.in_order[np.isfinite(group.in_order)] for group in (variant, baseline))
    given = len(variant.values), len(baseline.values)
    if not min(given):
        raise FairtrialError("each group needs at least one run")
    sign, verdict, estimate = EVERYTHING, Verdict.UNSTABLE, math.nan
    if a.size and b.size:
        seen = compare_unpaired(
            a,
            b,
            margin=margin,
            alpha=rules.alpha,
            horizon=rules.horizon,
            planned=rules.planned is not None,
            goal=rules.goal,
            better=rules.better,
        )
        sign, estimate = seen.sign, seen.estimate
        verdict = seen.verdict if a.size + b.size == sum(given) else Verdict.UNSTABLE
    return Found(
        variant=variant,
        baseline=baseline,
        used=None,
        n=sum(given),
        variant_mean=_mean(a),
        baseline_mean=_mean(b),
        estimate=estimate,
        sign=sign,
        verdict=verdict,
        correlation=None,
        contrasts=np.empty(0),
        forecast=None,
    )


def _kept_to_plan(variant: Runs, baseline: Runs, planned: int | None) -> None:
    """A plan holds for all rows: choosing five of seven afterwards would not be one."""
    for group in (variant, baseline):
        if planned is not None and len(group.values) != planned:
            raise FairtrialError(
                f"{planned} seeds were planned but {group.name} has {len(group.values)}: a plan counts only if it "
                f"was kept; leave out --planned and the look is judged as one of many"
            )


def _end(rules: Rules) -> str:
    """What there is to say of further seeds where no forecast is made."""
    return "" if rules.planned is None else f"the plan of {rules.planned} ends here"


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else math.nan


def _numbers(given: Iterable[Any], *, name: str) -> tuple[float, ...]:
    try:
        array = np.asarray(given if hasattr(given, "__len__") else list(given), dtype=np.float64)
    except (TypeError, ValueError):
        raise FairtrialError(f"{name}: expected one number per run, got {str(given)[:80]!r}") from None
    if array.ndim != 1:
        raise FairtrialError(f"{name}: expected one number per run, got an array of shape {array.shape}")
    if not array.size:
        raise FairtrialError(f"{name}: there are no runs to compare")
    if np.any(np.isfinite(array) & (np.abs(array) > LARGEST)):
        raise FairtrialError(f"{name}: numbers beyond {LARGEST:g} cannot be compared; choose another unit")
    # An infinite loss is a run that diverged, as NaN is; and infinite minus infinite would warn.
    return tuple(float(value) if math.isfinite(value) else math.nan for value in array)


def _seed(given: Any, *, name: str) -> int:
    try:
        return operator.index(given)
    except TypeError:
        raise FairtrialError(f"{name}: a seed is a whole number, got {given!r}") from None
