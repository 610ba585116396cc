"""The study as a whole: what accuracy costs in time and in parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Part
from fairtrial.report.spread import Spread

Across = Literal["seconds", "parameters"]
_TITLES: dict[Across, str] = {
    "seconds": "Training time per trial (s, logarithmic)",
    "parameters": "Parameters (logarithmic)",
}
_LEAST_ERROR = 0.01
"""Percent: an arm without a mistake has its place on a logarithmic axis all the same."""
_MOST_NAMES = 40
"""Names of arms beside the frontier, as far as they have room; the others tell theirs to the pointer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An arm with finished trials: what it reaches (percent) and what it costs.

    `leaked`: its accuracy is one on images it was trained on, so that it is compared with no other.
    """

    arm: str
    title: str
    accuracy: Spread
    seconds: float
    parameters: int | None
    leaked: bool = False

    @property
    def error(self) -> float:
        return max(100 - self.accuracy.mean, _LEAST_ERROR)

    def whisker(self, side: int) -> float:
        """Error one standard deviation away."""
        return max(100 - self.accuracy.mean + side * (self.accuracy.sd or 0.0), _LEAST_ERROR)

    def cost(self, across: Across) -> float:
        return max(self.seconds if across == "seconds" else float(self.parameters or 0), 1e-6)


def counted(parameters: int | None) -> str:
    """How many parameters, in words."""
    return "parameters unknown" if parameters is None else f"{parameters:,} parameters"


def models_charts(models: Sequence[Model], *, accuracy: str) -> tuple[Chart, ...]:
    """Two charts: against training time and against parameters. None with fewer than two models that have it."""
    if len(models) < 2:
        return ()
    counted = [one for one in models if one.parameters is not None]
    charts = [_chart(models, "seconds", accuracy)]
    return tuple([*charts, _chart(counted, "parameters", accuracy)] if len(counted) > 1 else charts)


def frontier(models: Sequence[Model], across: Across) -> tuple[Model, ...]:
    """Those that no other beats at less cost, cheapest first; leaked ones do not compete."""
    best: list[Model] = []
    for model in sorted(models, key=lambda one: (one.cost(across), -one.accuracy.mean)):
        if not model.leaked and (not best or model.accuracy.mean > best[-1].accuracy.mean):
            best.append(model)
    return tuple(best)


def _chart(models: Sequence[Model], across: Across, accuracy: str) -> Chart:
    best = frontier(models, across)
    x, y = _scales(models, across)
    labels = _labels(models, best, across, x, y)
    ticks = _ticks(y)
    cost = "training time" if across == "seconds" else "number of parameters"
    named = ", ".join(f"{one.arm} ({one.accuracy.mean:.2f} %)" for one in best[:12])
    leaked = [one.arm for one in models if one.leaked]
    apart = f" Trained on validation images and so not compared: {', '.join(leaked[:6])}." if leaked else ""
    label = f"Mean {accuracy} accuracy of {len(models)} arms against {cost}. On the frontier: {named}."
    return Chart(
        title=f"Accuracy against {cost}",
        label=label,
        caption=(
            "Round marks joined by the dashed line: no other arm reaches more for less. Whiskers are one standard "
            f"deviation over seeds. The order is one of means, not of verdicts: {named}.{apart}"
        ),
        drawing=_drawing(models, best, labels, across, accuracy, label),
        spec=specs.models(across, accuracy.capitalize(), ticks),
        data={
            "models": (
                Part(
                    columns={
                        "arm": [one.arm for one in models],
                        "title": [one.title for one in models],
                        "mean": [round(one.accuracy.mean, 3) for one in models],
                        "error": [round(one.error, 4) for one in models],
                        "low": [round(one.whisker(1), 4) for one in models],
                        "high": [round(one.whisker(-1), 4) for one in models],
                        "trials": [one.accuracy.n for one in models],
                        "seconds": [float(f"{one.cost('seconds'):.4g}") for one in models],
                        "parameters": [one.parameters for one in models],
                        "best": [one in best for one in models],
                        "label": [one.arm if labels.get(one.arm) == "right" else "" for one in models],
                        "label_left": [one.arm if labels.get(one.arm) == "left" else "" for one in models],
                    }
                ),
            )
        },
    )


def _scales(models: Sequence[Model], across: Across) -> tuple[svg.Scale, svg.Scale]:
    costs = [one.cost(across) for one in models]
    errors = [one.whisker(side) for one in models for side in (-1, 1)]
    x = svg.Scale(
        low=min(costs) / 1.4, high=max(costs) * 1.8, start=svg.LEFT, end=svg.WIDTH - svg.RIGHT, log=True
    )
    # Upside down: a smaller error stands higher.
    y = svg.Scale(
        low=max(errors) * 1.15, high=min(errors) / 1.15, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP, log=True
    )
    return x, y


def _ticks(y: svg.Scale) -> tuple[float, ...]:
    return tuple(error for error in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if y.high <= error <= y.low)


def _labels(
    models: Sequence[Model], best: Sequence[Model], across: Across, x: svg.Scale, y: svg.Scale
) -> dict[str, str]:
    """On which side of its mark each name has room; those on the frontier choose first, the best of them before."""
    marks = [(x(one.cost(across)), y(one.error)) for one in models]
    taken: list[tuple[float, float, float]] = []
    sides: dict[str, str] = {}
    others = sorted((one for one in models if one not in best), key=lambda one: -one.accuracy.mean)
    for one in (*reversed(best), *others[:_MOST_NAMES]):
        at, up, width = x(one.cost(across)), y(one.error), 6.2 * min(len(one.arm), 24) + 6
        for side, left in (("right", at), ("left", at - width)):
            right = left + width
            inside = x.start <= left and right <= x.end
            free = all(abs(up - other) > 12 or right < start or end < left for start, end, other in taken)
            # The name stands a little above its mark; no other mark may stand in it.
            hit = any(left + 5 < along < right - 3 and 1 < up - down < 16 for along, down in marks)
            if inside and free and (one in best or not hit):
                taken.append((left, right, up))
                sides[one.arm] = side
                break
    return sides


def _drawing(
    models: Sequence[Model],
    best: tuple[Model, ...],
    labels: dict[str, str],
    across: Across,
    accuracy: str,
    label: str,
) -> str:
    x, y = _scales(models, across)
    up = f"{accuracy.capitalize()} accuracy (%, error logarithmic)"
    parts = svg.frame(
        x,
        y,
        across=_TITLES[across],
        up=up,
        x_text=_short,
        y_text=lambda error: f"{100 - error:g}",
        y_ticks=_ticks(y),
    )
    steps: list[svg.Point] = []
    for one in best:
        place = (x(one.cost(across)), y(one.error))
        steps += [(place[0], steps[-1][1]), place] if steps else [place]
    parts.append(svg.path(steps, role="frontier"))
    for one in models:
        at = x(one.cost(across))
        parts.append(svg.line((at, y(one.whisker(-1))), (at, y(one.whisker(1))), role="stem"))
        hint = f"{one.arm}: {one.accuracy.mean:.2f} %, {one.seconds:.3g} s, {counted(one.parameters)}"
        role, shape = ("dot variant", "circle") if one in best else ("dot other", "square")
        parts.append(svg.mark(at, y(one.error), role=role, shape=shape, size=4, hint=hint))
        if one.arm in labels:
            kind = "name best" if one in best else "name"
            dx, role = (6, kind) if labels[one.arm] == "right" else (-6, f"{kind} end")
            parts.append(svg.text(at + dx, y(one.error) - 6, one.arm[:24], role=role))
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
