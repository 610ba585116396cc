"""What a text says of its models against the figures that the same file prints of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fairtrial.audit.differences import differences
from fairtrial.audit.experiment import Asked, Experiments, Figure, ModelSeen, Statement
from fairtrial.audit.figures import final_figures
from fairtrial.audit.finding import Finding

_MATTERS = "A conclusion drawn from the text is not what the file's own output shows."
_RERUN = "Train both again over several seeds, and write the text from the figures that are printed then."


def contradicted(experiments: Experiments) -> tuple[Finding, ...]:
    """Changes that the text states and the figures printed of the same two models do not show.

    Without figures of its own a statement is held against a pair only if the text names the pair, or if every model
    shown before gives the opposite: what it is compared with is then no matter of guessing.
    """
    models = {model.name: model for model in experiments.models}
    return tuple(
        finding
        for asked in experiments.asked
        for statement in asked.statements
        if (finding := _against_itself(statement) or _against_tables(statement, asked, models)) is not None
    )


def _against_itself(statement: Statement) -> Finding | None:
    """`increased from 0.98 to 0.97`."""
    if statement.before is None or statement.after is None or statement.before == statement.after:
        return None
    moved = "increase" if statement.after > statement.before else "decrease"
    if statement.says not in ("increase", "decrease") or statement.says == moved:
        return None
    return Finding(
        kind="contradicted",
        place=statement.place,
        said=quoted(statement.text),
        sentence=f"The text says {named(statement)} {_PAST[statement.says]}, but its own figures are {_article(moved)} "
        f"({pair(statement.before, statement.after, statement)}).",
        matters="One of the two is a mistake, and no reader can tell which.",
        advice="Look up the figures in the output and correct the sentence.",
        sure="certain",
        serious=True,
    )


def _against_tables(statement: Statement, asked: Asked, models: dict[str, ModelSeen]) -> Finding | None:
    variant, baseline = models.get(statement.variant or ""), models.get(statement.baseline or "")
    if statement.says not in ("increase", "decrease") or variant is None or baseline is None:
        return None
    if _own_history(statement, variant):
        return None
    shown = _shown(statement, variant, baseline)
    if not shown or any(one.direction == statement.says for one in shown):
        return None
    told = asked.basis != "previous" or statement.baseline != asked.baseline
    if not told and not _whichever(statement, variant, models):
        return None
    one = shown[0]
    was = (
        ""
        if statement.before is None or statement.after is None
        else f" ({pair(statement.before, statement.after, statement)})"
    )
    figures = _figures(one.before, one.after, statement)
    tables = (
        f"show {figures} for both"
        if one.direction == "no change"
        else f"show {_article(one.direction)} ({figures})"
    )
    how = _BASES[asked.basis] if statement.baseline == asked.baseline else _BASES["named"]
    return Finding(
        kind="contradicted",
        place=statement.place,
        said=quoted(statement.text),
        sentence=f"The text says {named(statement)} {_PAST[statement.says]}{was}; the tables beside it {tables}. "
        f"Compared: {called(variant)} with {called(baseline)}, {how}.",
        matters=_MATTERS,
        advice=_RERUN,
        sure="certain" if told else "likely",
        serious=True,
    )


@dataclass(frozen=True)
class _Shown:
    direction: str
    before: Figure
    after: Figure


def _shown(statement: Statement, variant: ModelSeen, baseline: ModelSeen) -> tuple[_Shown, ...]:
    """What the tables show, for each part of the data that the statement may mean."""
    there = {figure.on: figure for figure in final_figures(baseline, statement.metric, statement.on)}
    return tuple(
        _Shown(_direction(there[figure.on], figure), there[figure.on], figure)
        for figure in final_figures(variant, statement.metric, statement.on)
        if figure.on in there
    )


def _own_history(statement: Statement, variant: ModelSeen) -> bool:
    """Whether both figures are of the model's own epochs: the text tells how it learnt, and compares it with none."""
    epochs = [
        figure.value
        for figure in variant.figures
        if figure.metric == statement.metric
        and figure.epoch is not None
        and statement.on in (None, figure.on)
    ]
    return (
        statement.before is not None
        and statement.after is not None
        and all(
            any(round(value, written(given, statement.text)) == given for value in epochs)
            for given in (statement.before, statement.after)
        )
    )


def _direction(before: Figure, after: Figure) -> str:
    if before.value == after.value:
        return "no change"
    return "increase" if after.value > before.value else "decrease"


def _whichever(statement: Statement, variant: ModelSeen, models: dict[str, ModelSeen]) -> bool:
    """Whether the tables oppose a statement for every earlier model that it may be about.

    With figures these are the models that differ as little as the one taken, and all for which its first figure was
    printed; without any it is each model shown before.
    """
    earlier = list(models.values())[: list(models).index(variant.name)]
    possible = earlier
    if statement.before is not None:
        least = min(len(differences(variant, model)) for model in earlier)
        possible = [
            model
            for model in earlier
            if len(differences(variant, model)) == least or _printed(statement.before, statement, model)
        ]
    shown = [one for model in possible for one in _shown(statement, variant, model)]
    return bool(shown) and all(one.direction != statement.says for one in shown)


def _printed(value: float, statement: Statement, model: ModelSeen) -> bool:
    digits = decimals_of(value)
    return any(
        round(figure.value, digits) == value
        for figure in final_figures(model, statement.metric, statement.on)
    )


_PAST = {"increase": "increased", "decrease": "decreased"}
_BASES = {
    "named": "which the text names",
    "figures": "for which the text gives the figures it starts from",
    "previous": "the earlier model whose settings differ least",
    "": "the model before it",
}


def _article(direction: str) -> str:
    return "an increase" if direction == "increase" else "a decrease"


def named(statement: Statement) -> str:
    """`validation accuracy`, `training time`."""
    if statement.metric == "time":
        return "training time"
    part = {"train": "training ", "validation": "validation ", "test": "test ", None: ""}[statement.on]
    return f"{part}{statement.metric}"


def called(model: ModelSeen) -> str:
    """A model by its name, and by its title where it has another: `model-7 (use tanh)`."""
    title = quoted(model.title, 60)
    return model.name if title in ("", model.name) else f"{model.name} ({title})"


def pair(before: float, after: float, statement: Statement) -> str:
    """Two figures of the text with equally many digits: `7.396 to 7.856 s`."""
    digits = max(written(before, statement.text), written(after, statement.text))
    unit = " s" if statement.metric == "time" else ""
    return f"{before:.{digits}f} to {after:.{digits}f}{unit}"


def _figures(before: Figure, after: Figure, statement: Statement) -> str:
    unit = " s" if statement.metric == "time" else ""
    if before.value == after.value:
        return f"{after.value:.{after.decimals}f}{unit}"
    return f"{before.value:.{before.decimals}f} to {after.value:.{after.decimals}f}{unit}"


def decimals_of(value: float) -> int:
    """Digits after the point that a number needs.

    >>> decimals_of(0.987), decimals_of(450.0)
    (3, 0)
    """
    return len(f"{value:.9f}".rstrip("0").partition(".")[2])


def written(value: float, text: str) -> int:
    """Digits after the point with which a text gives a value; a percent has two more as a fraction.

    >>> written(0.97, "increased from 0.970 to 98.8 %"), written(0.988, "increased from 0.970 to 98.8 %")
    (3, 3)
    """
    digits = decimals_of(value)
    for number in re.findall(r"\d*\.\d+", text[:4000]):
        places = len(number.partition(".")[2])
        if float(number) == value:
            digits = max(digits, places)
        elif round(float(number) / 100, 9) == value:
            digits = max(digits, places + 2)
    return digits


def quoted(text: str, most: int = 160) -> str:
    """A sentence on one line, shortened in the middle of nothing."""
    line = " ".join(text.split()).lstrip(",;:. ")
    return line if len(line) <= most else f"{line[: most - 1].rsplit(' ', 1)[0]} …"
