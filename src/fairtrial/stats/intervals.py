"""Intervals for a mean contrast: repeated ones, log ratios for times, fresh images, unpaired runs.

A contrast is variant minus baseline on one seed, in the metric's unit; for times it is the log of
variant over baseline. All intervals assume that contrasts are independent and roughly normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairtrial.errors import FairtrialError
from fairtrial.stats.numerics import student_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, in the unit of what it was computed from; infinite where nothing is known."""

    low: float
    high: float

    @property
    def bound(self) -> float:
        """The largest size, of either sign, that the interval allows."""
        return max(abs(self.low), abs(self.high))

    def excludes(self, value: float) -> bool:
        return not self.low <= value <= self.high

    def within(self, margin: float) -> bool:
        """Whether all of it lies strictly between -margin and margin."""
        return -margin < self.low and self.high < margin

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def exp(self) -> Interval:
        """The interval of a ratio, from that of its logarithm."""
        return Interval(_exp(self.low), _exp(self.high))


EVERYTHING = Interval(-math.inf, math.inf)


def repeated_interval(contrasts: ArrayLike, *, nominal: float, floor: float = 0.0) -> Interval:
    """Student's t interval for the mean contrast at per-look level `nominal`.

    Contrasts are one per seed, in the metric's unit; their order does not matter. A spread below
    `floor` counts as `floor` (see `resolution_floor`). Valid at every look if `nominal` comes from
    `levels.nominal_level`; at one planned look `nominal` is alpha itself. Fewer than two contrasts
    say nothing: the interval is infinite. Source: Jennison & Turnbull (2000), chapter 9.

    >>> repeated_interval([0.9, 1.1, 1.0, 0.95], nominal=0.00628142805)  # doctest: +ELLIPSIS
    Interval(low=0.69362..., high=1.28137...)
    """
    values = finite(contrasts)
    if values.size < 2:
        return EVERYTHING
    return student_interval(
        float(values.mean()), standard_error(values, floor=floor), freedom=values.size - 1, nominal=nominal
    )


def student_interval(centre: float, error: float, *, freedom: float, nominal: float) -> Interval:
    """`centre` and, on either side, the critical value at level `nominal` times the standard error."""
    half = critical_value(nominal, freedom) * error
    return Interval(centre - half, centre + half)


def ratio_interval(log_ratios: ArrayLike, *, nominal: float) -> Interval:
    """The interval of the ratio variant / baseline, from one log ratio per seed.

    >>> ratio_interval(np.log([2.0, 2.1, 1.9, 2.0]), nominal=0.05)  # doctest: +ELLIPSIS
    Interval(low=1.87..., high=2.13...)
    """
    return repeated_interval(log_ratios, nominal=nominal).exp()


def welch_interval(
    variant: ArrayLike, baseline: ArrayLike, *, nominal: float, floor: float = 0.0
) -> Interval:
    """Welch's interval for mean(variant) - mean(baseline), of runs that share no seeds.

    Degrees of freedom after Welch and Satterthwaite. A spread of either group below
    `floor` counts as `floor`. With fewer than two values in a group the interval is infinite.

    >>> welch_interval([5.0, 5.1, 4.9], [4.0, 4.2, 4.1], nominal=0.05)  # doctest: +ELLIPSIS
    Interval(low=0.67..., high=1.12...)
    """
    a, b = finite(variant), finite(baseline)
    if min(a.size, b.size) < 2:
        return EVERYTHING
    centre = float(a.mean() - b.mean())
    error_a, error_b = standard_error(a, floor=floor), standard_error(b, floor=floor)
    error = math.hypot(error_a, error_b)
    if error == 0:
        return Interval(centre, centre)
    # Of shares, not of the errors themselves: the fourth power of a small number is zero.
    share_a, share_b = (error_a / error) ** 2, (error_b / error) ** 2
    freedom = 1 / (share_a**2 / (a.size - 1) + share_b**2 / (b.size - 1))
    return student_interval(centre, error, freedom=freedom, nominal=nominal)


def fresh_images_interval(contrasts: ArrayLike, *, nominal: float, floor: float = 0.0) -> Interval:
    """Approximate interval for the mean contrast had the test images been drawn anew as well.

    `contrasts` has shape (seeds, images): variant right minus baseline right, each in [-1, 1] (right
    in a share of several evaluations, if there were several). Same centre as the interval over seeds
    alone; the variance is that of a two-way layout with both ways random,
        s_seed^2 / n + s_image^2 / N - MS_residual / (n N),
    and never less than the first term, for fresh images cannot make an answer surer. Label it
    approximate: its degrees of freedom are those of the seeds, and looks enter through `nominal` alone.
    """
    values = np.asarray(contrasts, dtype=np.float64)
    if values.ndim != 2:
        raise FairtrialError(f"expected contrasts by seed and image, got an array of shape {values.shape}")
    seeds, images = values.shape
    if seeds < 2 or images < 2:
        return EVERYTHING
    by_seed, by_image = values.mean(axis=1), values.mean(axis=0)
    # Sums of squares of the layout; the residual by subtraction, so that no (seeds, images) copy is made.
    total = float(np.sum(np.square(values))) - seeds * images * float(by_seed.mean()) ** 2
    seed_variance, image_variance = float(by_seed.var(ddof=1)), float(by_image.var(ddof=1))
    residual = total - images * (seeds - 1) * seed_variance - seeds * (images - 1) * image_variance
    residual_mean_square = max(residual, 0.0) / ((seeds - 1) * (images - 1))
    seed_part = max(seed_variance, floor**2) / seeds
    image_part = image_variance / images - residual_mean_square / (seeds * images)
    error = math.sqrt(seed_part + max(image_part, 0.0))
    return student_interval(float(by_seed.mean()), error, freedom=seeds - 1, nominal=nominal)


def resolution_floor(examples: int) -> float:
    """The least spread a contrast of two accuracies on `examples` images is credited with.

    An accuracy moves in steps of 1 / examples; two rounding errors have a spread of a step / sqrt(6).
    """
    return 1 / examples / math.sqrt(6)


def log_margin(share: float) -> float:
    """A margin on a ratio as a margin on its logarithm: 0.05 means 5 % longer, or as much shorter."""
    return math.log1p(share)


def spread(values: Floats, *, floor: float = 0.0) -> float:
    """Standard deviation (n - 1 below), no less than `floor`; values that are all equal give `floor`."""
    if all_equal(values):
        return floor
    return spread_about(float(np.add.reduce(values)) / values.size, values, floor=floor)


def spread_about(mean: float, values: Floats, *, floor: float = 0.0) -> float:
    """The same of values that are known not to be all equal, and whose mean is known."""
    centred = values - mean
    return max(math.sqrt(float(centred @ centred) / (values.size - 1)), floor)


def all_equal(values: Floats) -> bool:
    """Whether values agree but for the rounding of a subtraction; true for one value."""
    return _agree(np.minimum.reduce(values), np.maximum.reduce(values))


def all_equal_so_far(values: Floats) -> list[bool]:
    """`all_equal` of the first value, of the first two, and so on to all of them."""
    lows, highs = np.minimum.accumulate(values).tolist(), np.maximum.accumulate(values).tolist()
    return [_agree(low, high) for low, high in zip(lows, highs, strict=True)]


def _agree(low: float, high: float) -> bool:
    return bool(high - low <= 1e-9 * max(abs(low), abs(high)))


def standard_error(values: Floats, *, floor: float = 0.0) -> float:
    return spread(values, floor=floor) / math.sqrt(values.size)


@lru_cache(maxsize=65_536)
def critical_value(nominal: float, freedom: float) -> float:
    """The |t| exceeded with probability `nominal` by Student's t of `freedom` degrees of freedom."""
    if not 0 < nominal < 1:
        raise FairtrialError(f"a level must lie between 0 and 1, got {nominal}")
    return -student_quantile(nominal / 2, freedom)


def finite(values: ArrayLike | Sequence[float]) -> Floats:
    """The values as a flat array; refuses anything but finite numbers."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.all(np.isfinite(array)):
        raise FairtrialError(f"expected a list of finite numbers, one per seed, got {values!r}")
    return array


def _exp(value: float) -> float:
    # A log ratio beyond 709 is no longer a number one can say; infinite is what it means.
    return math.exp(value) if value < 700 else math.inf
