"""Accuracy along an ordered setting, and from where on more of it brings nothing that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairtrial.analysis.sentences import amount
from fairtrial.analysis.values import Answers, ArmTrials
from fairtrial.report import specs, svg
from fairtrial.report.charts import Chart, Part
from fairtrial.report.ladders import Ladder
from fairtrial.stats.doseresponse import isotonic_curve, plateau
from fairtrial.stats.intervals import resolution_floor
from fairtrial.study.schema import On, Study
from fairtrial.trial import StoredTrial


def ladder_chart(
    ladder: Ladder, arms: Mapping[str, ArmTrials], study: Study, answers: Answers, *, on: On, alpha: float
) -> Chart | None:
    """None where fewer than two levels were trained."""
    values = {
        level: found
        for level, name in ladder.arms
        if (found := {trial.seed: _accuracy(trial, on) for trial in arms[name].trials if _finished(trial)})
    }
    if len(values) < 2:
        return None
    names = dict(ladder.arms)
    levels = sorted(values)
    means = {level: 100 * float(np.mean(list(values[level].values()))) for level in levels}
    table = _common(values, levels)
    said = _plateau(table, levels, ladder, study, on=on, alpha=alpha)
    claimed = _claims(ladder, answers)
    lacking = [name for level, name in ladder.arms if level not in values]
    if lacking:
        claimed.append(f"Not trained yet: {', '.join(lacking)}.")
    listed = ", ".join(f"{level:g}: {means[level]:.2f} %" for level in levels)
    label = f"Mean {on} accuracy by {ladder.path}: {listed}."
    top = means[levels[-1]]
    rising = top >= means[levels[0]]
    fit = (100 * isotonic_curve(table, levels, rising=rising)).tolist() if len(table) else []
    margin = 100 * study.margins.accuracy
    return Chart(
        title=f"{on.capitalize()} accuracy by {ladder.path}",
        label=label,
        caption=" ".join([said, *claimed, "The grey band is the margin around the largest level's mean."]),
        drawing=_drawing(values, means, fit, ladder.path, on, label, band=(top - margin, top + margin)),
        spec=specs.levels(ladder.path, tuple(levels), on.capitalize(), fitted=bool(fit)),
        data={
            "levels": tuple(
                Part(
                    columns={
                        "level": [level] * len(values[level]),
                        "seed": list(values[level]),
                        "value": [round(100 * one, 3) for one in values[level].values()],
                    },
                    shared={"arm": names[level]},
                )
                for level in levels
            ),
            "fit": (Part(columns={"level": levels[: len(fit)], "value": [round(one, 3) for one in fit]}),),
            "bounds": (Part(columns={"minus": [round(top - margin, 4)], "plus": [round(top + margin, 4)]}),),
        },
    )


def _finished(trial: StoredTrial) -> bool:
    return trial.outcome.state == "finished"


def _accuracy(trial: StoredTrial, on: On) -> float:
    return trial.outcome.metrics[f"{on}_accuracy_last_epoch"]


def _common(values: Mapping[float, Mapping[int, float]], levels: Sequence[float]) -> np.ndarray:
    """Shape (seeds, levels), on seeds 1, 2, … to the first that any level lacks."""
    rows: list[list[float]] = []
    while all(len(rows) + 1 in values[level] for level in levels):
        rows.append([values[level][len(rows) + 1] for level in levels])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(levels))


def _plateau(
    table: np.ndarray, levels: Sequence[float], ladder: Ladder, study: Study, *, on: On, alpha: float
) -> str:
    """The plateau statement in words, at the level of one of the study's verdicts."""
    seeds = min(len(table), study.seeds.max)
    if seeds < study.seeds.min:
        return f"From where on it stops paying takes at least {study.seeds.min} seeds of every level."
    data = study.arms[ladder.arms[0][1]].settings.data
    images = data.validation if on == "validation" else data.facts.test_images
    found = plateau(
        table[:seeds],
        levels,
        margin=study.margins.accuracy,
        alpha=alpha,
        first=study.seeds.min,
        horizon=study.seeds.max,
        floor=resolution_floor(images),
    )
    margin = amount(study.margins.accuracy, "accuracy")
    if found.start is None:
        return f"After {seeds} seeds no level is shown to be within {margin} of {levels[-1]:g}."
    return f"Every level from {found.start:g} up is within {margin} of {levels[-1]:g} ({seeds} seeds)."


def _claims(ladder: Ladder, answers: Answers) -> list[str]:
    """What was claimed of a plateau along these arms, and what came of it."""
    names = {name for _, name in ladder.arms}
    return [
        f"Claimed in {answer.question}: a plateau from {answer.variant} on; {one.verdict}."
        for answer in answers
        for one in answer.claims
        if one.claim.says == "plateau" and {answer.variant, answer.baseline} <= names
    ]


def _drawing(
    values: Mapping[float, Mapping[int, float]],
    means: Mapping[float, float],
    fit: Sequence[float],
    path: str,
    on: On,
    label: str,
    *,
    band: tuple[float, float],
) -> str:
    levels = sorted(values)
    points = [100 * one for level in levels for one in values[level].values()]
    low, high = svg.padded([*points, *band], least=0.05)
    x = svg.Scale(
        low=levels[0] / 1.15, high=levels[-1] * 1.15, start=svg.LEFT, end=svg.WIDTH - svg.RIGHT, log=True
    )
    y = svg.Scale(low=low, high=high, start=svg.HEIGHT - svg.BOTTOM, end=svg.TOP)
    up = f"{on.capitalize()} accuracy (%)"
    parts = svg.frame(x, y, across=f"{path} (logarithmic)", up=up, x_ticks=_apart(levels, x))
    parts.append(svg.rect(x.start, y(band[1]), x.end - x.start, y(band[0]) - y(band[1]), role="band margin"))
    lines = [
        [(x(level), y(100 * values[level][seed])) for level in levels if seed in values[level]]
        for seed in sorted({seed for level in levels for seed in values[level]})
    ]
    parts.append(svg.path(*lines, role="seed variant validation", whole=True))
    parts.append(svg.path([(x(at), y(one)) for at, one in zip(levels, fit, strict=False)], role="frontier"))
    parts.append(svg.path([(x(level), y(means[level])) for level in levels], role="mean variant validation"))
    for level in levels:
        hint = f"{level:g}: {means[level]:.2f} %, {len(values[level])} seeds"
        parts.append(svg.mark(x(level), y(means[level]), role="dot variant", size=4, hint=hint))
    return svg.drawing(parts, width=svg.WIDTH, height=svg.HEIGHT, label=label)


def _apart(levels: Sequence[float], x: svg.Scale) -> list[float]:
    """The levels with room for their numbers."""
    kept: list[float] = []
    for level in levels:
        if not kept or x(level) - x(kept[-1]) > 30:
            kept.append(level)
    return kept
