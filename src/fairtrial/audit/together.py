"""One model for what the code builds and what the output shows of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fairtrial.audit.document import Document
from fairtrial.audit.experiment import LayerSeen, ModelSeen, TrainingSeen
from fairtrial.audit.lines import order_of

_ANYBODYS = re.compile(r"^(?:model|net|network|nn|clf|m)\b[\W\d_]*$", re.IGNORECASE)


def together(
    document: Document, built: Sequence[ModelSeen], printed: Sequence[ModelSeen]
) -> tuple[ModelSeen, ...]:
    """The models of a document in order: those of the code, each with its table, and those that only a table shows.

    A table belongs to a model of the code that stands before it and has the same layers; to one of its own cell first, in
    their order there, else to the nearest.
    """
    orders = {id(model): order_of(document, model.place) for model in (*built, *printed)}
    tables: dict[int, ModelSeen] = {}
    alone: list[ModelSeen] = []
    for table in printed:
        possible = [
            model
            for model in built
            if id(model) not in tables and orders[id(model)] <= orders[id(table)] and _alike(model, table)
        ]
        here = [model for model in possible if _same_cell(document, model, table)]
        if not possible:
            alone.append(table)
            continue
        model = here[0] if here else max(possible, key=lambda one: orders[id(one)])
        tables[id(model)] = table
    merged = [
        (_merged(model, tables[id(model)]) if id(model) in tables else model, orders[id(model)])
        for model in built
    ]
    merged.extend((model, orders[id(model)]) for model in alone)
    merged.sort(key=lambda pair: pair[1])
    return _named_apart([model for model, _ in merged])


def _same_cell(document: Document, model: ModelSeen, table: ModelSeen) -> bool:
    return document.kind == "notebook" and model.place.cell == table.place.cell


def _alike(model: ModelSeen, table: ModelSeen) -> bool:
    """Whether the table can be that of the model: the same kinds and sizes, where both show them."""
    if not model.layers:
        return False
    one, other = _shape(model.layers), _shape(table.layers)
    return len(one) == len(other) and all(
        here[0] == there[0] and (None in (here[1], there[1]) or here[1] == there[1])
        for here, there in zip(one, other, strict=True)
    )


def _shape(layers: tuple[LayerSeen, ...]) -> list[tuple[str, Any]]:
    return [
        (layer.kind, layer.settings.get("units", layer.settings.get("filters")))
        for layer in layers
        if layer.kind in ("dense", "conv")
    ]


def _merged(model: ModelSeen, table: ModelSeen) -> ModelSeen:
    name = table.name if _ANYBODYS.match(model.name) else model.name
    titled = table.title != table.name
    return replace(
        model,
        name=name,
        title=table.title if titled else model.title,
        training=_known(model.training, table.training),
        figures=model.figures or table.figures,
        input_shape=model.input_shape or table.input_shape,
        classes=model.classes if model.classes is not None else table.classes,
        printed_parameters=table.printed_parameters,
        printed_name=table.printed_name,
        trained=model.trained or bool(table.figures),
    )


def _known(code: TrainingSeen, printed: TrainingSeen) -> TrainingSeen:
    """What the code says of a training; where it says nothing, what was printed of it."""
    return replace(
        code,
        optimizer=code.optimizer or printed.optimizer,
        learning_rate=printed.learning_rate if code.learning_rate is None else code.learning_rate,
        batch_size=printed.batch_size if code.batch_size is None else code.batch_size,
        epochs=printed.epochs if code.epochs is None else code.epochs,
        seed=printed.seed if code.seed is None else code.seed,
    )


def _named_apart(models: list[ModelSeen]) -> tuple[ModelSeen, ...]:
    """The models with names that tell them apart: `model`, `model (2)`."""
    taken: set[str] = set()
    named: list[ModelSeen] = []
    for model in models:
        name, number = model.name, 2
        while name in taken:
            name, number = f"{model.name} ({number})", number + 1
        taken.add(name)
        named.append(model if name == model.name else replace(model, name=name))
    return tuple(named)
