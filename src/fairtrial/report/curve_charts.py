"""Arms along one number: each seed, their means, and what is said of all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairtrial.analysis.contrast import value
from fairtrial.analysis.curve import Curve
from fairtrial.analysis.values import ArmTrials
from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Part
from fairtrial.stats.doseresponse import isotonic_curve

Values = Mapping[float, Mapping[int, float]]
"""By level and seed, in the unit that is drawn."""


def curve_chart(curve: Curve, arms: Mapping[str, ArmTrials]) -> Chart | None:
    """The values of each arm by its level; None where fewer than two levels were trained."""
    scale = 100.0 if curve.metric == "accuracy" else 1.0
    values = {
        level: found
        for level, name in zip(curve.levels, curve.arms, strict=True)
        if (found := _values(curve, arms[name], scale))
    }
    if len(values) < 2:
        return None
    levels = sorted(values)
    means = {level: float(np.mean(list(values[level].values()))) for level in levels}
    fit = _fit(values, levels, rising=means[levels[-1]] >= means[levels[0]])
    top = means[levels[-1]]
    band = None if curve.margin is None else (top - scale * curve.margin, top + scale * curve.margin)
    unit = " %" if curve.metric == "accuracy" else ""
    listed = ", ".join(f"{level:g}: {means[level]:.4g}{unit}" for level in levels)
    what = f"{curve.on.capitalize()} {curve.metric}"
    names = dict(zip(curve.levels, curve.arms, strict=True))
    lacking = [name for level, name in names.items() if level not in values]
    label = f"{what} by {curve.factor}, means over seeds: {listed}."
    up = f"{what} (%)" if curve.metric == "accuracy" else f"{what} (cross-entropy, nats)"
    digits = 3 if curve.metric == "accuracy" else 5
    return Chart(
        title=f"{what} by {curve.factor}",
        label=label,
        lead=curve.sentence,
        caption=" ".join(
            [
                f"({curve.guarantee[:1].upper()}{curve.guarantee[1:]}.)" if curve.known else "",
                f"Not trained yet: {', '.join(lacking)}." if lacking else "",
                "The grey band is the margin around the largest level's mean." if band else "",
            ]
        ),
        drawing=_drawing(
            values, means, fit, across=f"{curve.factor} (logarithmic)", up=up, label=label, band=band
        ),
        spec=specs.levels(curve.factor, tuple(levels), up, fitted=bool(fit), margin=band is not None),
        data={
            "levels": tuple(
                Part(
                    columns={
                        "level": [level] * len(values[level]),
                        "seed": list(values[level]),
                        "value": [round(one, digits) for one in values[level].values()],
                    },
                    shared={"arm": names[level]},
                )
                for level in levels
            ),
            "fit": (
                Part(columns={"level": levels[: len(fit)], "value": [round(one, digits) for one in fit]}),
            ),
            "bounds": (
                Part(columns={"minus": [round(band[0], 6)], "plus": [round(band[1], 6)]} if band else {}),
            ),
        },
    )


def _values(curve: Curve, arm: ArmTrials, scale: float) -> dict[int, float]:
    measured = {
        trial.seed: value(trial, metric=curve.metric, on=curve.on, over=curve.over) for trial in arm.trials
    }
    return {seed: scale * one for seed, one in measured.items() if one is not None}


def _fit(values: Values, levels: Sequence[float], *, rising: bool) -> list[float]:
    """The closest curve that rises (or falls) all the way, over the seeds that every level has; empty without any."""
    seeds = sorted(set[int].intersection(*(set(values[level]) for level in levels)))
    if not seeds:
        return []
    table = np.array([[values[level][seed] for level in levels] for seed in seeds])
    return isotonic_curve(table, levels, rising=rising).tolist()


def _drawing(
    values: Values,
    means: Mapping[float, float],
    fit: Sequence[float],
    *,
    across: str,
    up: str,
    label: str,
    band: tuple[float, float] | None,
) -> str:
    levels = sorted(values)
    points = [one for level in levels for one in values[level].values()]
    low, high = svg.padded([*points, *(band or ())], least=1e-6)
    x = svg.Scale(
        low=levels[0] / 1.15, high=levels[-1] * 1.15, start=svg.LEFT, end=svg.WIDTH - svg.RIGHT, log=True
    )
    y = svg.Scale(low=low, high=high, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP)
    parts = svg.frame(x, y, across=across, up=up, x_ticks=_apart(levels, x))
    if band is not None:
        parts.append(
            svg.rect(x.start, y(band[1]), x.end - x.start, y(band[0]) - y(band[1]), role="band margin")
        )
    lines = [
        [(x(level), y(values[level][seed])) for level in levels if seed in values[level]]
        for seed in sorted({seed for level in levels for seed in values[level]})
    ]
    parts.append(svg.path(*lines, role="seed variant validation", whole=True))
    parts.append(svg.path([(x(at), y(one)) for at, one in zip(levels, fit, strict=False)], role="frontier"))
    parts.append(svg.path([(x(level), y(means[level])) for level in levels], role="mean variant validation"))
    for level in levels:
        hint = f"{level:g}: {means[level]:.4g}, {len(values[level])} seeds"
        parts.append(svg.mark(x(level), y(means[level]), role="dot variant", size=4, hint=hint))
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def _apart(levels: Sequence[float], x: svg.Scale) -> list[float]:
    """The levels with room for their numbers."""
    kept: list[float] = []
    for level in levels:
        if not kept or x(level) - x(kept[-1]) > 30:
            kept.append(level)
    return kept
