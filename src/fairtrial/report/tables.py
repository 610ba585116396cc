"""The tables of a report as plain text cells; each kind of document escapes and rules them its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairtrial.analysis.ledger import ledger
from fairtrial.analysis.overview import LEDGER_HEADS, ledger_rows
from fairtrial.analysis.values import Answer, Answers, ArmTrials
from fairtrial.report.spread import Spread, metric_spread, seconds_spread
from fairtrial.study.schema import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`caption` says what the cells are. Rows have as many cells as there are heads."""

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    """Of the columns on paper, as shares of a line; together less than one."""


def answers_table(answers: Answers) -> Table:
    return Table(
        name="answers",
        caption="Answers. Contrasts are variant minus baseline over the seeds both have: of accuracies in percentage "
        "points, of losses as they are, of training times as a ratio. The interval is at the verdict's share of "
        f"the study's error of {1 - answers.declared.confidence:.4g}.",
        widths=(0.11, 0.1, 0.1, 0.1, 0.13, 0.09, 0.09, 0.05, 0.1),
        heads=(
            "question",
            "metric",
            "variant",
            "baseline",
            "means",
            "contrast",
            "interval",
            "seeds",
            "verdict",
        ),
        rows=tuple(answer_row(answer) for answer in answers),
    )


def answer_row(answer: Answer) -> tuple[str, ...]:
    """An answer in the columns of `answers_table`."""
    about = answer.metric if answer.on is None else f"{answer.metric}, {answer.on}"
    means = "–"
    if answer.variant_mean is not None and answer.baseline_mean is not None:
        level = _LEVEL[answer.metric]
        means = f"{level(answer.baseline_mean)} → {level(answer.variant_mean)}"
    return (
        answer.question,
        about,
        answer.variant,
        answer.baseline,
        means,
        _contrast(answer.estimate, answer.metric),
        _interval(answer),
        str(answer.seeds),
        answer.verdict,
    )


_LEVEL: dict[Metric, Callable[[float], str]] = {
    "accuracy": lambda mean: f"{100 * mean:.2f} %",
    "loss": lambda mean: f"{mean:.4f}",
    "time": lambda mean: f"{mean:.2f} s",
}


def _contrast(value: float | None, metric: Metric) -> str:
    if value is None:
        return "–"
    match metric:
        case "accuracy":
            return _minus(f"{100 * value:+.2f} pp")
        case "loss":
            return _minus(f"{value:+.4f}")
        case "time":
            return f"{value:.2f}×"


def _interval(answer: Answer) -> str:
    if answer.low is None or answer.high is None:
        return "–"
    scale, digits, sign = {"accuracy": (100, 2, "+"), "loss": (1, 4, "+"), "time": (1, 2, "")}[answer.metric]
    ends = [scale * end for end in (answer.low, answer.high)]
    # An end that is not zero must not look like it: that is what a direction rests on.
    while digits < 6 and any(end != 0 and float(f"{end:.{digits}f}") == 0 for end in ends):
        digits += 1
    return _minus(" to ".join(f"{end:{sign}.{digits}f}" for end in ends))


def _minus(text: str) -> str:
    return text.replace("-", "−")


def claims_table(answers: Answers) -> Table:
    kept = ledger(answers)
    return Table(
        name="claims",
        caption=f"Claims. {' '.join(kept.sums)}",
        widths=(0.12, 0.13, 0.17, 0.17, 0.29),
        heads=LEDGER_HEADS,
        rows=tuple(ledger_rows(kept)),
    )


def arms_table(answers: Answers) -> Table:
    return Table(
        name="arms",
        caption="Arms: mean over seeds ± standard deviation, means over the last epoch, training time per trial in "
        "seconds; seeds that finished, and those that diverged where there are any.",
        widths=(0.14, 0.09, 0.06, 0.12, 0.12, 0.12, 0.12, 0.09),
        heads=(
            "arm",
            "parameters",
            "seeds",
            "validation accuracy",
            "test accuracy",
            "validation loss",
            "test loss",
            "time",
        ),
        rows=tuple(_arm_row(arm) for arm in answers.arms),
    )


def _arm_row(arm: ArmTrials) -> tuple[str, ...]:
    diverged = sum(trial.outcome.state == "diverged" for trial in arm.trials)
    seeds = str(len(arm.trials) - diverged) + (f", {diverged} diverged" if diverged else "")
    metrics = ("validation_accuracy", "test_accuracy", "validation_loss", "test_loss")
    spreads = [metric_spread(arm.trials, f"{metric}_last_epoch") for metric in metrics]
    return (
        arm.arm.name,
        "–" if arm.parameters is None else f"{arm.parameters}",
        seeds,
        *(
            _spread(one, percent=metric.endswith("accuracy"))
            for metric, one in zip(metrics, spreads, strict=True)
        ),
        _spread(seconds_spread(arm.trials, "train"), digits=2),
    )


def _spread(value: Spread | None, *, percent: bool = False, digits: int = 4) -> str:
    if value is None:
        return "–"
    if percent:
        value = Spread(mean=100 * value.mean, sd=None if value.sd is None else 100 * value.sd, n=value.n)
        digits = 2
    around = "" if value.sd is None else f" ± {value.sd:.{digits}f}"
    return f"{value.mean:.{digits}f}{around}{' %' if percent else ''}"


def markdown_table(table: Table, escape: Callable[[str], str]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(escape(cell) for cell in cells)} |"

    return [line(table.heads), f"|{'---|' * len(table.heads)}", *(line(row) for row in table.rows)]
