"""A statement on arms that differ along one number: how it rises or falls, and where that stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fairtrial.stats.intervals import Interval
from fairtrial.study.schema import Metric, On


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What three or more arms say together that differ in one number alone, `factor`.

    `levels` rise, `arms` and `means` (empty before the first look) are in their order. `slope` is the mean
    change per doubling of the level, in the metric's unit. Every level from `plateau_from` up is
    within `margin` of the largest; None: not even the second-largest is shown to be.
    """

    factor: str
    metric: Metric
    on: On
    over: Literal["last_epoch", "end"]
    arms: tuple[str, ...]
    levels: tuple[float, ...]
    means: tuple[float, ...]
    seeds: int
    slope: float | None
    slope_interval: Interval | None
    plateau_from: float | None
    margin: float | None
    plateau_guaranteed_by: str | None
    """The question whose claim pays for the plateau; None: it is not part of the error guarantee."""
    guarantee: str
    sentence: str = ""

    @property
    def known(self) -> bool:
        """Whether there is anything to say yet."""
        return bool(self.means)

    def as_dict(self) -> dict[str, Any]:
        interval = self.slope_interval
        return {
            "factor": self.factor,
            "metric": self.metric,
            "on": self.on,
            "over": self.over,
            "levels": [
                {"arm": arm, "level": level, "mean": self.means[place] if self.means else None}
                for place, (arm, level) in enumerate(zip(self.arms, self.levels, strict=True))
            ],
            "seeds": self.seeds,
            "slope_per_doubling": self.slope,
            "slope_low": None if interval is None else interval.low,
            "slope_high": None if interval is None else interval.high,
            "plateau_from": self.plateau_from,
            "margin": self.margin,
            "slope_in_guarantee": False,
            "plateau_in_guarantee": self.plateau_guaranteed_by is not None,
            "guarantee": self.guarantee,
            "sentence": self.sentence,
        }
