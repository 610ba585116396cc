"""Learning curves: every seed, their mean, and the band between the lowest and the highest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.values import ArmTrials
from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Columns, Part, Toggle

Measure = Literal["accuracy", "loss"]
MEASURES: tuple[Measure, ...] = ("accuracy", "loss")
SETS = ("validation", "train")
MOST_EPOCHS = 20_000
"""Epochs of all trials together that a page shows seed by seed; above it means and bands alone."""
MOST_POINTS = 30
"""Epochs at which a mean and its band are drawn where each seed is not: a page must stay small enough to open."""

_FIELDS = {("accuracy", "validation"): "va", ("accuracy", "train"): "ta",
           ("loss", "validation"): "vl", ("loss", "train"): "tl"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """One arm's `epochs`. `values[field]` has shape (trials, epochs), NaN where a trial has no such epoch.

    Accuracies are in percent. `columns` are the same rows for a chart; `seeds` is empty where only the
    lowest, the mean and the highest are kept, three rows in this order.
    """

    arm: str
    seeds: tuple[int, ...]
    trials: int
    epochs: tuple[int, ...]
    values: dict[str, NDArray[np.float64]]
    columns: Columns

    def mean(self, field: str) -> NDArray[np.float64]:
        """Per epoch, over the trials that reached it."""
        table = self.values[field]
        return _over(table, np.mean) if self.seeds else table[_MEAN]


def curves(arm: ArmTrials, *, each_seed: bool) -> Curves | None:
    """None for an arm without a single epoch."""
    trials = [trial for trial in arm.trials if trial.outcome.history]
    if not trials:
        return None
    epochs = max(len(trial.outcome.history) for trial in trials)
    values = {field: np.full((len(trials), epochs), math.nan) for field in ("va", "ta", "vl", "tl")}
    for row, trial in enumerate(trials):
        for place, record in enumerate(trial.outcome.history):
            values["va"][row, place] = 100 * record.validation_accuracy
            values["ta"][row, place] = 100 * record.train_accuracy
            values["vl"][row, place] = record.validation_loss
            values["tl"][row, place] = record.train_loss
    seeds = tuple(trial.seed for trial in trials)
    places = np.arange(epochs)
    if not each_seed:
        places = np.unique(np.linspace(0, epochs - 1, MOST_POINTS).round().astype(np.int64))
        values = {field: _summary(table[:, places]) for field, table in values.items()}
        seeds = ()
    numbers = tuple((places + 1).tolist())
    return Curves(
        arm=arm.arm.name,
        seeds=seeds,
        trials=len(trials),
        epochs=numbers,
        values=values,
        columns=_columns(values, seeds, numbers),
    )


def learning_charts(shown: Sequence[Curves]) -> tuple[Chart, ...]:
    """Accuracy and loss over the epochs, as far as there are any; the first arm of two is the variant."""
    return tuple(
        _chart(shown, measure)
        for measure in MEASURES
        if any(np.isfinite(one.values[_FIELDS[measure, of]]).any() for one in shown for of in SETS)
    )


_MEAN = 1


def _summary(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([_over(table, np.min), _over(table, np.mean), _over(table, np.max)])


def _over(table: NDArray[np.float64], what: object) -> NDArray[np.float64]:
    """Per epoch over the trials that reached it; every epoch has been reached by one of them."""
    assert callable(what)
    known = [column[np.isfinite(column)] for column in table.T]
    return np.array([what(column) if column.size else math.nan for column in known])


def _columns(values: dict[str, NDArray[np.float64]], seeds: Sequence[int], epochs: Sequence[int]) -> Columns:
    rows = [(row, place) for row in range(len(values["va"])) for place in range(len(epochs))]
    # The lowest and the highest belong to the band and to no mean.
    own: dict[str, list[object]] = (
        {"seed": [seeds[row] for row, _ in rows]} if seeds else {"edge": [row != _MEAN for row, _ in rows]}
    )
    columns: dict[str, list[object]] = {**own, "epoch": [epochs[place] for _, place in rows]}
    for field, table in values.items():
        digits = 2 if field in ("va", "ta") else 4
        columns[field] = [_rounded(float(table[row, place]), digits) for row, place in rows]
    return columns


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _chart(shown: Sequence[Curves], measure: Measure) -> Chart:
    names = " and ".join(one.arm for one in shown)
    unit = specs.UNITS[measure]
    ends = "; ".join(
        f"{one.arm} {_end(one, measure, 'validation')} on validation, {_end(one, measure, 'train')} on training images"
        for one in shown
    )
    lines = "every seed thin, their mean thick" if all(one.seeds for one in shown) else "their mean thick"
    return Chart(
        title="Accuracy" if measure == "accuracy" else "Loss",
        label=f"Learning curves of {names}, {unit}. Mean after the last epoch: {ends}.",
        caption=f"Validation solid, training dashed; {lines}, the band from lowest to highest.",
        drawing=_drawing(
            shown, measure, f"Learning curves of {names}, {unit}. After the last epoch: {ends}."
        ),
        spec=specs.curves(measure),
        data={
            "curves": tuple(
                Part(columns=one.columns, shared={"arm": one.arm, "side": side})
                for one, side in zip(shown, specs.SIDES, strict=False)
            )
        },
        toggles=(
            *(
                (
                    Toggle(key=f"arm:{one.arm}", label=one.arm, role=side)
                    for one, side in zip(shown, specs.SIDES, strict=False)
                )
                if len(shown) > 1
                else ()
            ),
            *(Toggle(key=f"set:{one}", label=one, role=one) for one in SETS),
        ),
    )


def _end(one: Curves, measure: Measure, of: str) -> str:
    last = float(one.mean(_FIELDS[measure, of])[-1])
    if not math.isfinite(last):
        return "unknown"
    return f"{last:.2f} %" if measure == "accuracy" else f"{last:.4f}"


def _drawing(shown: Sequence[Curves], measure: Measure, label: str) -> str:
    fields = [(one, of, _FIELDS[measure, of]) for one in shown for of in SETS]
    epochs = max(one.epochs[-1] for one in shown)
    low, high = svg.padded(
        (value for one, _, field in fields for value in one.values[field].flat), least=1e-6
    )
    x = svg.Scale(low=1, high=max(epochs, 2), start=svg.LEFT + 8, end=svg.WIDTH - svg.RIGHT - 8)
    y = svg.Scale(low=low, high=high, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP)
    whole = sorted({round(tick) for tick in x.ticks()} & set(range(1, epochs + 1)))
    parts = svg.frame(x, y, across="Epoch", up=specs.UNITS[measure], x_ticks=whole)
    for one, of, field in fields:
        side = specs.SIDES[shown.index(one)]
        shape = "circle" if side == "variant" else "square"
        parts += _lines(one, field, x, y, role=f"{side} {of}", shape=shape)
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def _lines(one: Curves, field: str, x: svg.Scale, y: svg.Scale, *, role: str, shape: str) -> Iterator[str]:
    def points(values: NDArray[np.float64]) -> list[svg.Point]:
        return [
            (x(epoch), y(value))
            for epoch, value in zip(one.epochs, values.tolist(), strict=True)
            if math.isfinite(value)
        ]

    if one.trials > 1:
        table = one.values[field]
        lowest, highest = _over(table, np.min), _over(table, np.max)
        yield svg.area(points(lowest), points(highest), role=f"band {role}")
        if one.seeds:
            yield svg.path(*(points(row) for row in table), role=f"seed {role}", whole=True)
    mean = points(one.mean(field))
    yield svg.path(mean, role=f"mean {role}")
    # Where there are many epochs the dots would hide the line.
    dotted = mean if len(mean) <= 12 else mean[-1:]
    yield svg.group((svg.mark(x, y, shape=shape, size=2.8) for x, y in dotted), role=f"dot {role}")
