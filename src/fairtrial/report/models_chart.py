"""The study as a whole: what accuracy costs in time and in parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Part
from fairtrial.report.spread import Spread

Across = Literal["seconds", "parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An arm with finished trials: what it reaches (percent) and what it costs."""

    arm: str
    title: str
    accuracy: Spread
    seconds: float
    parameters: int


def models_charts(models: Sequence[Model], *, accuracy: str) -> tuple[Chart, ...]:
    """Two charts: against training time and against parameters. None with fewer than two models."""
    if len(models) < 2:
        return ()
    return tuple(_chart(models, across, accuracy) for across in ("seconds", "parameters"))


def frontier(models: Sequence[Model], across: Across) -> tuple[Model, ...]:
    """Those that no other beats at less cost, cheapest first."""
    best: list[Model] = []
    for model in sorted(models, key=lambda one: (getattr(one, across), -one.accuracy.mean)):
        if not best or model.accuracy.mean > best[-1].accuracy.mean:
            best.append(model)
    return tuple(best)


def _chart(models: Sequence[Model], across: Across, accuracy: str) -> Chart:
    best = frontier(models, across)
    cost = "training time" if across == "seconds" else "number of parameters"
    named = ", ".join(f"{one.arm} ({one.accuracy.mean:.2f} %)" for one in best[:12])
    label = f"Mean {accuracy} accuracy of {len(models)} arms against {cost}. On the frontier: {named}."
    return Chart(
        title=f"Accuracy against {cost}",
        label=label,
        caption=(
            "Round marks joined by the dashed line: no other arm reaches more for less. Whiskers are one standard "
            f"deviation over seeds. The order is one of means, not of verdicts: {named}."
        ),
        drawing=_drawing(models, best, across, accuracy, label),
        spec=specs.models(across, accuracy.capitalize()),
        data={
            "models": (
                Part(
                    columns={
                        "arm": [one.arm for one in models],
                        "title": [one.title for one in models],
                        "mean": [round(one.accuracy.mean, 3) for one in models],
                        "low": [round(one.accuracy.mean - (one.accuracy.sd or 0), 3) for one in models],
                        "high": [round(one.accuracy.mean + (one.accuracy.sd or 0), 3) for one in models],
                        "trials": [one.accuracy.n for one in models],
                        "seconds": [float(f"{one.seconds:.4g}") for one in models],
                        "parameters": [one.parameters for one in models],
                        "best": [one in best for one in models],
                    }
                ),
            )
        },
    )


def _drawing(
    models: Sequence[Model], best: tuple[Model, ...], across: Across, accuracy: str, label: str
) -> str:
    costs = [max(float(getattr(one, across)), 1e-9) for one in models]
    spreads = [one.accuracy.mean + side * (one.accuracy.sd or 0) for one in models for side in (-1, 1)]
    low, high = svg.padded(spreads, least=0.01)
    x = svg.Scale(
        low=min(costs) / 1.4, high=max(costs) * 1.8, start=svg.LEFT, end=svg.WIDTH - svg.RIGHT, log=True
    )
    y = svg.Scale(low=low, high=high, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP)
    titles = {"seconds": "Training time per trial (s, logarithmic)", "parameters": "Parameters (logarithmic)"}
    parts = svg.frame(x, y, across=titles[across], up=f"{accuracy.capitalize()} accuracy (%)", x_text=_short)
    steps: list[svg.Point] = []
    for one in best:
        place = (x(max(float(getattr(one, across)), 1e-9)), y(one.accuracy.mean))
        if steps:
            steps.append((place[0], steps[-1][1]))
        steps.append(place)
    parts.append(svg.path(steps, role="frontier"))
    for one, cost in zip(models, costs, strict=True):
        sd = one.accuracy.sd or 0
        across_at, up = x(cost), y(one.accuracy.mean)
        parts.append(
            svg.line(
                (across_at, y(one.accuracy.mean - sd)), (across_at, y(one.accuracy.mean + sd)), role="stem"
            )
        )
        inside = one in best
        hint = f"{one.arm}: {one.accuracy.mean:.2f} %, {one.seconds:.3g} s, {one.parameters:,} parameters"
        role, shape = ("dot variant", "circle") if inside else ("dot other", "square")
        parts.append(svg.mark(across_at, up, role=role, shape=shape, size=4, hint=hint))
    for one in best:
        parts.append(
            svg.text(
                x(max(float(getattr(one, across)), 1e-9)) + 6,
                y(one.accuracy.mean) - 6,
                one.arm[:24],
                role="tick",
            )
        )
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def _short(value: float) -> str:
    """
    >>> _short(0.5), _short(20.0), _short(3e5), _short(2e6)
    ('0.5', '20', '300k', '2M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
