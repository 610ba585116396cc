"""One question's evidence: a contrast for each seed, and the seconds of each trial."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.analysis.values import Answer
from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Part, Toggle


def contrast_chart(answer: Answer, compared: Contrast) -> Chart | None:
    """Variant minus baseline on each seed, for accuracy in percentage points; None without seeds."""
    if not compared.seeds or answer.metric == "time":
        return None
    scale, unit, digits = (100.0, "pp", 3) if answer.metric == "accuracy" else (1.0, "", 5)
    contrasts = [round(scale * one, digits) for one in compared.differences.tolist()]
    bounds = {
        "minus": _scaled(answer.margin, -scale),
        "plus": _scaled(answer.margin, scale),
        "low": _scaled(answer.low, scale),
        "high": _scaled(answer.high, scale),
        "estimate": _scaled(answer.estimate, scale),
    }
    margin = (
        ""
        if answer.margin is None
        else f", the grey band the margin ({amount(answer.margin, answer.metric)})"
    )
    interval = "" if answer.low is None else ", the coloured band the interval of the mean"
    where = answer.metric if answer.on is None else f"{answer.on} {answer.metric}"
    above = sum(one > 0 for one in contrasts)
    return Chart(
        title=f"Seed by seed: {where}",
        label=(
            f"{answer.variant} minus {answer.baseline}, {where}, one value for each of {len(contrasts)} seeds: "
            f"{', '.join(f'{one:+g}' for one in contrasts[:50])} {unit}."
        ),
        lead=f"{above} of {count_of(len(contrasts), 'seed')} above zero.",
        caption=(
            f"Each dot is one seed, trained once in either arm; the line is their mean{interval}{margin}."
        ),
        drawing=_drawing(answer, compared.seeds, contrasts, bounds, unit, where),
        spec=specs.contrasts(unit, margin=bounds["plus"] is not None, interval=bounds["low"] is not None),
        data={
            "seeds": (
                Part(
                    columns={
                        "seed": list(compared.seeds),
                        "contrast": contrasts,
                        "variant": [round(scale * one, digits) for one in compared.variant.tolist()],
                        "baseline": [round(scale * one, digits) for one in compared.baseline.tolist()],
                    }
                ),
            ),
            "bounds": (Part(columns={name: [value] for name, value in bounds.items()}),),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """What trainings of one arm took; `numbers` are their seeds, or count the pairs timed."""

    arm: str
    numbers: tuple[int, ...]
    seconds: tuple[float, ...]


def seconds_chart(sides: tuple[Seconds, ...], *, timed: bool) -> Chart | None:
    """Training seconds of variant and baseline: of pairs timed in turn, or of the trials; None without any."""
    values = [one for side in sides for one in side.seconds]
    if not values:
        return None
    sample = "pair" if timed else "seed"
    known = [side for side in sides if side.seconds]
    means = " and ".join(f"{side.arm} {sum(side.seconds) / len(side.seconds):.3g} s" for side in known)
    label = f"Training seconds, on average {means}."
    return Chart(
        title="Training time",
        label=label,
        caption=(
            "Each mark is one training as timed, the two arms in turn and nothing of ours beside them."
            if timed
            else "Each mark is one trial, trained beside other work: no verdict rests on these clocks."
        ),
        drawing=_strips(sides, values, sample=sample, label=label),
        spec=specs.seconds(),
        data={
            "seconds": tuple(
                Part(
                    columns={"seed": list(side.numbers), "seconds": [_four(one) for one in side.seconds]},
                    shared={"arm": side.arm, "side": role},
                )
                for side, role in zip(sides, specs.SIDES, strict=True)
            )
        },
        toggles=tuple(
            Toggle(key=f"arm:{side.arm}", label=side.arm, role=role)
            for side, role in zip(sides, specs.SIDES, strict=True)
        ),
    )


def _strips(sides: tuple[Seconds, ...], values: list[float], *, sample: str, label: str) -> str:
    low, high = svg.padded(values, least=1e-3)
    height = 130.0
    x = svg.Scale(low=low, high=high, start=122, end=svg.WIDTH - svg.RIGHT - 6)
    bottom = height - svg.BOTTOM
    parts = [svg.line((x.start, bottom), (x.end, bottom), role="axis")]
    parts += [svg.text(x(tick), bottom + 15, f"{tick:g}", role="tick middle") for tick in x.ticks()]
    parts.append(
        svg.text((x.start + x.end) / 2, bottom + 31, "Training time per trial (s)", role="title middle")
    )
    for row, (side, role) in enumerate(zip(sides, specs.SIDES, strict=True)):
        up = 24.0 + 40 * row
        name = side.arm if len(side.arm) <= 18 else f"{side.arm[:17]}…"
        parts.append(svg.line((x.start, up), (x.end, up), role="grid"))
        parts.append(svg.text(x.start - 8, up + 4, name, role="tick end"))
        parts += [
            svg.mark(
                x(value),
                up,
                role=f"dot {role}",
                shape="circle" if role == "variant" else "square",
                size=4.5,
                hint=f"{sample} {number}: {value:.3g} s",
            )
            for number, value in zip(side.numbers, side.seconds, strict=True)
        ]
    return svg.drawing(parts, width=svg.WIDTH, height=height, label=label)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None or not math.isfinite(value) else round(scale * value, 6)


def _four(value: float) -> float:
    return float(f"{value:.4g}")


def _drawing(
    answer: Answer,
    seeds: tuple[int, ...],
    contrasts: list[float],
    bounds: dict[str, float | None],
    unit: str,
    where: str,
) -> str:
    known = [one for one in bounds.values() if one is not None]
    low, high = svg.padded([0.0, *contrasts, *known])
    x = svg.Scale(low=min(seeds) - 0.5, high=max(seeds) + 0.5, start=svg.LEFT, end=svg.WIDTH - svg.RIGHT)
    y = svg.Scale(low=low, high=high, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP)
    whole = [one for one in x.ticks(8) if one == int(one) and one in seeds]
    up = f"Variant − baseline ({unit})" if unit else "Variant − baseline"
    parts = svg.frame(x, y, across="Seed", up=up, x_ticks=whole)
    for lower, upper, role in (("minus", "plus", "band margin"), ("low", "high", "band variant")):
        bottom, top = bounds[lower], bounds[upper]
        if bottom is not None and top is not None:
            parts.append(svg.rect(x.start, y(top), x.end - x.start, y(bottom) - y(top), role=role))
    parts.append(svg.line((x.start, y(0)), (x.end, y(0)), role="zero"))
    mean = bounds["estimate"]
    if mean is not None:
        parts.append(svg.line((x.start, y(mean)), (x.end, y(mean)), role="mean variant"))
    for seed, value in zip(seeds, contrasts, strict=True):
        parts.append(svg.line((x(seed), y(0)), (x(seed), y(value)), role="stem"))
        parts.append(
            svg.mark(x(seed), y(value), role="dot variant", size=4, hint=f"seed {seed}: {value:+g} {unit}")
        )
    label = f"{answer.variant} minus {answer.baseline} on each of {len(seeds)} seeds, {where}."
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)
