"""What the figures show, as plain rows: one dictionary per mark, names of columns fixed, values only data.

Accuracies are in percent and their contrasts in percentage points; losses as they are; times in seconds
and their contrasts in percent of the baseline's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from fairtrial.analysis.clocks import clock_of, seconds_of
from fairtrial.analysis.contrast import value
from fairtrial.analysis.levels import Doses
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.values import Answer, ArmTrials
from fairtrial.study.schema import Metric

Row = dict[str, Any]
UNITS: dict[Metric, str] = {
    "accuracy": "percentage points",
    "loss": "nats",
    "time": "% of the baseline",
}
"""Of contrasts."""


def drawable(text: str) -> str:
    """Text without characters that no XML may hold, not even escaped, and halves of characters.

    >>> drawable("a\\x01b")
    'a\ufffdb'
    """
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def place(answer: Answer) -> str:
    """What an answer is about beside its metric: `validation`, `test` or `training time`."""
    return answer.on or "training time"


def sample(answer: Answer) -> str:
    """What one contrast comes from."""
    return "pair" if answer.metric == "time" else "seed"


def shown(figure: float | None, metric: Metric) -> float | None:
    """A contrast as the figures show it; of times, which come as ratios, the change in percent."""
    if figure is None:
        return None
    match metric:
        case "accuracy":
            return 100 * figure
        case "time":
            return 100 * (figure - 1)
        case "loss":
            return figure


def interval_row(answer: Answer, *, named: bool) -> Row:
    """One answer against zero and its margin. `named`: whether the label names the question."""
    about = f"{answer.question}, {place(answer)}" if named else place(answer)
    margin = answer.margin
    ratio = answer.metric == "time"
    lower = None if margin is None else 1 / (1 + margin) if ratio else -margin
    upper = None if margin is None else 1 + margin if ratio else margin
    return {
        "label": f"{about} ({count_of(answer.seeds, sample(answer))}): {answer.verdict}",
        "estimate": shown(answer.estimate, answer.metric),
        "low": shown(answer.low, answer.metric),
        "high": shown(answer.high, answer.metric),
        "lower": shown(lower, answer.metric),
        "upper": shown(upper, answer.metric),
    }


def reach(intervals: Sequence[Row]) -> float:
    """How far from zero an axis for all of these has to go, so that one very wide interval hides no other."""
    estimates = [abs(row["estimate"]) for row in intervals if row["estimate"] is not None]
    margins = [row["upper"] for row in intervals if row["upper"] is not None]
    bounds = sorted(max(-row["low"], row["high"]) for row in intervals if row["low"] is not None)
    middle = bounds[len(bounds) // 2] if bounds else 0.0
    return max(1.15 * max(estimates, default=0.0), 3 * max(margins, default=0.0), 1.15 * middle) or 1.0


def contrast_rows(answer: Answer) -> list[Row]:
    """One row per seed both arms have, or pair timed: what the variant has more than the baseline."""
    ratio = answer.metric == "time"
    return [
        {"seed": seed, "contrast": shown(math.exp(one) if ratio else one, answer.metric)}
        for seed, one in answer.contrasts
    ]


def learning_rows(arms: Iterable[ArmTrials]) -> list[Row]:
    """One row per arm, seed, epoch and set of images; diverged trials up to their last whole epoch."""
    return [
        {
            "arm": arm.arm.name,
            "seed": trial.seed,
            "epoch": record.epoch,
            "images": images,
            "accuracy": _known(100 * getattr(record, f"{images}_accuracy")),
            "loss": _known(getattr(record, f"{images}_loss")),
            "line": f"{arm.arm.name}\n{images}\n{trial.seed}",
        }
        for arm in arms
        for trial in arm.trials
        for record in trial.outcome.history
        for images in ("train", "validation")
    ]


def _known(value: float) -> float | None:
    """None for what a program of the user's own did not tell of an epoch."""
    return value if math.isfinite(value) else None


def over_seeds(rows: Sequence[Row], metric: str) -> list[Row]:
    """Mean, least and largest over seeds for each arm, set of images and epoch."""

    def group(row: Row) -> tuple[str, str, int]:
        return row["arm"], row["images"], row["epoch"]

    found: list[Row] = []
    for (arm, images, epoch), some in groupby(sorted(rows, key=group), key=group):
        values = [row[metric] for row in some if row[metric] is not None]
        if not values:
            continue
        found.append(
            {
                "arm": arm,
                "images": images,
                "epoch": epoch,
                "line": f"{arm}\n{images}",
                "mean": sum(values) / len(values),
                "least": min(values),
                "largest": max(values),
                "seeds": len(values),
            }
        )
    return found


def dose_rows(doses: Doses, group: Sequence[Answer]) -> list[Row]:
    """One row per level, seed and set of images, of the metric of `group`, the answers on one metric."""
    rows: list[Row] = []
    for level, arm in doses.arms.items():
        for answer in group:
            for trial in arm.trials:
                measured = value(trial, metric=answer.metric, on=answer.on, over=answer.over)
                if measured is not None:
                    scale = 100 if answer.metric == "accuracy" else 1
                    rows.append(
                        {
                            "level": level,
                            "seed": trial.seed,
                            "images": place(answer),
                            "value": scale * measured,
                        }
                    )
    return rows


def frontier_rows(arms: Iterable[ArmTrials]) -> list[Row]:
    """One row per arm that has finished a trial: validation accuracy, training time, parameters.

    Times are of one machine; an arm that has none of its trials is left out.
    """
    rows: list[Row] = []
    shown = list(arms)
    clock = clock_of(trial for arm in shown for trial in arm.trials)
    for arm in shown:
        done = [trial.outcome for trial in arm.trials if trial.outcome.state == "finished"]
        seconds = seconds_of(arm.trials, "train", clock=clock)
        if not done or not seconds:
            continue
        name = "validation_accuracy_last_epoch"
        accuracies = [100 * one.metrics[name] for one in done if name in one.metrics]
        if not accuracies:
            continue
        rows.append(
            {
                "arm": arm.arm.name,
                "accuracy": float(np.mean(accuracies)),
                "least": min(accuracies),
                "largest": max(accuracies),
                "seconds": float(np.mean(seconds)),
                "parameters": arm.parameters,
                "seeds": len(done),
            }
        )
    return rows


def named(rows: Sequence[Row], field: str) -> list[Row]:
    """The rows with the `name` to print beside each, empty where it would lie over that of a better arm.

    `field` and the error are shown on logarithmic axes.
    """
    if not rows:
        return []
    across = [math.log(max(row[field], 1e-9)) for row in rows]
    upward = [-math.log(max(100 - row["accuracy"], 0.01)) for row in rows]
    width, height = (max(values) - min(values) or 1.0 for values in (across, upward))
    taken: list[tuple[float, float]] = []
    found: list[Row] = []
    for x, up, row in sorted(zip(across, upward, rows, strict=True), key=lambda one: -one[1]):
        free = all(
            abs(x - other) > width * _NAME_WIDTH or abs(up - y) > height * _NAME_HEIGHT for other, y in taken
        )
        if free:
            taken.append((x, up))
        found.append({**row, "name": row["arm"] if free else ""})
    return found


_NAME_WIDTH, _NAME_HEIGHT = 0.25, 0.05
"""A name's size as a share of the chart's."""
