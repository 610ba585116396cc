"""Models that were built and are shown nowhere: a number left out between two printed names, a model never fitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from fairtrial.audit.document import Document, Place
from fairtrial.audit.experiment import Experiments, ModelSeen
from fairtrial.audit.finding import Finding
from fairtrial.audit.lines import lines_of, order_of

_NUMBERED = re.compile(r"^(?P<stem>sequential|model|functional)(?:_(?P<number>\d{1,4}))?$")
_LAYER = re.compile(r"^[│|\s]*(?P<stem>[a-z][a-z0-9_]*?)(?:_(?P<number>\d{1,5}))?\s*\((?P<type>\w+)")
_BUILDS = re.compile(
    r"\b(?:Sequential|Model|clone_model|load_model|model_from_json)\s*\(|\bdef\s|\bfor\s|\bwhile\s"
)
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def hidden_model(document: Document, experiments: Experiments) -> tuple[Finding, ...]:
    """Gaps in Keras's numbering of the models shown, and models of the code that nothing is done with."""
    return (*_gaps(document, experiments), *_never_fitted(document, experiments))


def _gaps(document: Document, experiments: Experiments) -> Iterator[Finding]:
    shown = [
        (model, int(found["number"] or 0), found["stem"])
        for model in experiments.models
        if (found := _NUMBERED.match(model.printed_name or "")) is not None
    ]
    shown.sort(key=lambda one: order_of(document, one[0].place))
    for (before, first, stem), (after, second, other) in pairwise(shown):
        missing = second - first - 1
        # Another program, or a kernel that was started again, counts from the beginning.
        if stem != other or not 1 <= missing <= 20 or _built_between(document, before, after):
            continue
        names = [f"{stem}_{number}" for number in range(first + 1, second)]
        listed = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        yield Finding(
            kind="hidden-model",
            place=after.place,
            said=f'Model: "{after.printed_name}"',
            sentence=f"After {before.printed_name} comes {after.printed_name}: {listed} {'was' if missing == 1 else 'were'} built in between and {'is' if missing == 1 else 'are'} not "
            f"shown{_layers_between(before, after)}.",
            matters="Whoever shows one of several models that were tried shows the one that came out well.",
            advice="Show every model that was trained, or say how many were tried; if a cell was only run twice, run the file from top to bottom.",
            sure="certain",
            serious=False,
        )


def _built_between(document: Document, before: ModelSeen, after: ModelSeen) -> bool:
    """Whether code that builds other models stands between the two tables, so that the numbers are no secret."""
    start, end = (order_of(document, model.place)[0] for model in (before, after))
    code = [cell.source for cell in document.cells[start : end + 1] if cell.kind == "code"]
    return sum(len(_BUILDS.findall(source)) for source in code) > 1 or (
        document.kind == "notebook" and not code
    )


def _layers_between(before: ModelSeen, after: ModelSeen) -> str:
    """`, with six dense layers (dense_55 to dense_60)`: what the layers' own numbers leave out."""
    last, first = _dense_numbers(before), _dense_numbers(after)
    if not last or not first:
        return ""
    # The output layer has the number after the last hidden one's and is not among the layers.
    low, high = max(last) + 1 + (before.classes is not None), min(first) - 1
    count = high - low + 1
    if count < 1:
        return ""
    if count == 1:
        return f", with one dense layer (dense_{low})"
    return f", with {_COUNTS.get(count, count)} dense layers (dense_{low} to dense_{high})"


def _dense_numbers(model: ModelSeen) -> list[int]:
    found = (_LAYER.match(layer.said) for layer in model.layers)
    return [int(one["number"] or 0) for one in found if one is not None and one["stem"] == "dense"]


def _never_fitted(document: Document, experiments: Experiments) -> Iterator[Finding]:
    if not any(model.trained for model in experiments.models):
        return
    prose = "\n".join(line.text for line in lines_of(document))
    for model in experiments.models:
        # An estimator may be handed to another that fits it; a network without layers was not understood.
        if model.library == "sklearn" or not model.layers:
            continue
        if model.trained or model.figures or re.search(rf"(?<!\w){re.escape(model.name)}(?!\w)", prose):
            continue
        yield Finding(
            kind="hidden-model",
            place=Place(model.place.cell, model.place.line, model.place.file_line),
            said=model.title,
            sentence=f"{model.name} is built, and the file neither trains it nor shows a result of it.",
            matters="A model that was tried and left out belongs to the comparison as much as those that are shown.",
            advice="Show what it gave, or take it out.",
            sure="likely",
            serious=False,
        )
