"""Scales of a search's figures: each parameter of its space, and results, which stand the higher the better they are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fairtrial.report import svg
from fairtrial.study.space import Choice, IntRange, Parameter, parameters, spoken

LEAST_ERROR, LEAST_LOSS = 0.01, 1e-6
"""Percent and nats: a result without a mistake has its place on a logarithmic axis all the same."""
_SHORT = 22
_MOST_TICKS, _FEW_NUMBERS = 8, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One parameter. `field` is what charts call it: no text of a study ever becomes part of an expression."""

    field: str
    name: str
    short: str
    """The end of its name that no other parameter has."""
    parameter: Parameter

    @property
    def title(self) -> str:
        """Its name, and where it stands inside an option of another one, with which.

        Vega-Lite quotes titles in expressions that it makes itself, whose parser takes no line separators.
        """
        within = ", ".join(re.findall(r"=([^.]*)", self.name))
        title = f"{spoken(self.name)} with {within}" if within else self.name
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in title)

    @property
    def options(self) -> tuple[str, ...]:
        """What a choice is from, and whole numbers where they are few; empty for other numbers."""
        match self.parameter:
            case Choice():
                return self.parameter.labels
            case IntRange(log=False) if len(self.parameter.grid()) <= _FEW_NUMBERS:
                return tuple(map(str, self.parameter.grid()))
            case _:
                return ()

    @property
    def log(self) -> bool:
        return not isinstance(self.parameter, Choice) and self.parameter.log

    @property
    def ends(self) -> tuple[float, float]:
        if isinstance(self.parameter, Choice) or self.options:
            return 0.0, float(len(self.options) - 1)
        return float(self.parameter.low), float(self.parameter.high)

    def place(self, value: float) -> float:
        """Where a value stands on the axis: itself, or which of the options it is."""
        if isinstance(self.parameter, IntRange) and self.options:
            return (value - self.parameter.low) / self.parameter.step
        return float(value)

    def share(self, value: float) -> float:
        """The same between the ends, 0 to 1."""
        return self.share_of(self.place(value))

    def share_of(self, place: float) -> float:
        low, high = self.ends
        return (math.log(place / low) / math.log(high / low)) if self.log else (place - low) / (high - low)

    def words(self, value: float) -> str:
        if self.options:
            return self.options[int(self.place(value))]
        return f"{int(value)}" if value == int(value) else f"{value:.4g}"

    @property
    def ticks(self) -> dict[float, str]:
        """Places with what is written there: round numbers between the ends, or every option."""
        if self.options:
            return {float(place): words for place, words in enumerate(self.options)}
        low, high = self.ends
        found = log_ticks(low, high) if self.log else svg.ticks(low, high)
        whole = isinstance(self.parameter, IntRange)
        return {one: self.words(one) for one in found if not whole or one == int(one)}


def axes(space: dict[str, object]) -> tuple[Axis, ...]:
    """The parameters of a space that can take more than one value, in its order."""
    known = [
        (name, one) for name, one in parameters(space) if not isinstance(one, Choice) or len(one.options) > 1
    ]
    shorts = shortened([name for name, _ in known])
    return tuple(
        Axis(field=str(place), name=name, short=shorts[name], parameter=one)
        for place, (name, one) in enumerate(known)
    )


def shortened(names: Sequence[str]) -> dict[str, str]:
    """For each name the shortest end, by whole words, that no other has; cut where it is still long.

    >>> shortened(["network.mlp.width", "layers.1.units", "layers.2.units", "by=adam.rate", "by=sgd.rate"]).values()
    dict_values(['width', '1.units', '2.units', 'adam.rate', 'sgd.rate'])
    """
    found: dict[str, str] = {}
    for name in names:
        starts = [place + 1 for place, letter in enumerate(name) if letter in ".="]
        others = [f".{other}".replace("=", ".") for other in names if other != name]
        ends = (name[start:] for start in reversed(starts))
        end = next(
            (one for one in ends if not any(other.endswith(f".{one}".replace("=", ".")) for other in others)),
            name,
        )
        found[name] = end if len(end) <= _SHORT else f"…{end[1 - _SHORT :]}"
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Upward:
    """Results from the best (`low`) to the worst (`high`) shown: errors in percent, or losses, by their logarithm."""

    metric: Literal["accuracy", "loss"]
    low: float
    high: float

    def share(self, value: float) -> float:
        """How high an error or a loss stands, 0 to 1."""
        return math.log(self.high / value) / math.log(self.high / self.low)

    @property
    def ticks(self) -> tuple[float, ...]:
        return tuple(log_ticks(self.low, self.high))

    def words(self, value: float) -> str:
        """A tick as it is read: of an error the accuracy."""
        return f"{100 - value:g}" if self.metric == "accuracy" else f"{value:g}"

    @property
    def title(self) -> str:
        if self.metric == "accuracy":
            return "Accuracy (%, error logarithmic)"
        return "Loss (nats, log., better upwards)"

    @property
    def label(self) -> str:
        """How Vega writes a tick."""
        return "format(100 - datum.value, '~r')" if self.metric == "accuracy" else "format(datum.value, '~g')"


def upward(metric: Literal["accuracy", "loss"], values: Iterable[float], *, below: float = 0.0) -> Upward:
    """The scale for these errors or losses, with a little room around them and `below` of it at the bottom."""
    known = list(values) or [1.0]
    low, high = min(known) / 1.12, max(known) * 1.12
    return Upward(metric=metric, low=low, high=high * (high / low) ** below)


def magnitude(metric: Literal["accuracy", "loss"], result: float | None) -> float | None:
    """The error in percent, or the loss; None where there is no finite result.

    >>> magnitude("accuracy", 0.75), magnitude("loss", 0.5), magnitude("loss", float("inf"))
    (25.0, 0.5, None)
    """
    if result is None or not math.isfinite(result):
        return None
    return max(100 * (1 - result), LEAST_ERROR) if metric == "accuracy" else max(result, LEAST_LOSS)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers for a logarithmic axis, however narrow or wide.

    >>> log_ticks(16, 2048), log_ticks(1e-4, 0.1), log_ticks(2.2, 3.1)
    ([20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0], [0.0001, 0.001, 0.01, 0.1], [2.2, 2.4, 2.6, 2.8, 3.0])
    >>> log_ticks(8.5, 60)
    [10.0, 15.0, 20.0, 30.0, 50.0]
    """
    if high / low < 6:
        return [one for one in svg.ticks(low, high) if one > 0]
    found: list[float] = []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 1.5, 2, 3, 5), (1, 2, 5), (1,)):
        every = [float(f"{step * 10**power:.12g}") for power in powers for step in steps]
        found = [one for one in every if low * (1 - 1e-9) <= one <= high * (1 + 1e-9)]
        if len(found) <= _MOST_TICKS:
            break
    return found
