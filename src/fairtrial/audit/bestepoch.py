"""The best epoch's score given as the result."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.audit.contradictions import decimals_of, named, quoted
from fairtrial.audit.experiment import Experiments, Figure, ModelSeen, Statement
from fairtrial.audit.finding import Finding
from fairtrial.audit.words import On

_FEWEST_EPOCHS = 3


def best_epoch(experiments: Experiments) -> tuple[Finding, ...]:
    """Figures of the text that are the best of a printed history and not its last, nor printed after it."""
    models = {model.name: model for model in experiments.models}
    found: list[Finding] = []
    for asked in experiments.asked:
        for statement in asked.statements:
            variant = models.get(statement.variant or "")
            if statement.after is not None and variant is not None:
                found.extend(_best(statement, variant))
    return tuple(found)


def _best(statement: Statement, model: ModelSeen) -> Iterator[Finding]:
    value, metric = statement.after, statement.metric
    if value is None or metric == "time" or statement.on == "train":
        return
    digits = decimals_of(value)
    parts: tuple[On, ...] = (statement.on,) if statement.on else ("validation", "test")
    for part in parts:
        printed = [one for one in model.figures if one.metric == metric and one.on == part]
        history = [one for one in printed if one.epoch is not None]
        after_training = [one for one in printed if one.epoch is None]
        if len(history) < _FEWEST_EPOCHS or any(round(one.value, digits) == value for one in after_training):
            continue
        best = (max if metric == "accuracy" else min)(history, key=lambda one: one.value)
        last = history[-1]
        if round(best.value, digits) != value or round(last.value, digits) == value:
            continue
        yield _finding(statement, model, best, last, len(history))
        return


def _finding(statement: Statement, model: ModelSeen, best: Figure, last: Figure, epochs: int) -> Finding:
    return Finding(
        kind="best-epoch",
        place=statement.place,
        said=quoted(statement.text),
        sentence=f"The text gives {best.value:.{best.decimals}f} as {named(statement)} of {model.name}: that is epoch {best.epoch}, the best of {epochs}; "
        f"training ended with {last.value:.{last.decimals}f}.",
        matters="The best of many noisy values is too good, the more so the more epochs there are, and no network was kept from that epoch.",
        advice="Report the last epoch, or a mean over the last few; or stop by one set of images and report another.",
        sure="likely",
        serious=True,
    )
