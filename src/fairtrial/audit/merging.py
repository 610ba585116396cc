"""Models that code makes and models that are printed, as one list: a table under a cell belongs to the cell's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fairtrial.audit.document import Document, Place
from fairtrial.audit.experiment import LayerSeen, ModelSeen, TrainingSeen


def merged(document: Document, coded: Sequence[ModelSeen], printed: Sequence[ModelSeen]) -> list[ModelSeen]:
    """The models of the code, each with what its printed table adds; and the tables of no known code."""
    models = list(coded)
    claimed: set[int] = set()
    for table in printed:
        # The nearest before it comes first: a summary is mostly printed where its model is made.
        near = sorted(
            (
                index
                for index, model in enumerate(coded)
                if index not in claimed and _precedes(model.place, table.place, document)
            ),
            key=lambda index: (coded[index].place.cell, coded[index].place.line),
            reverse=True,
        )
        match = next((index for index in near if _same(models[index], table)), None)
        if match is None:
            match = next((index for index in near[:1] if _unshown(models[index])), None)
        if match is None:
            models.append(table)
            continue
        claimed.add(match)
        models[match] = _with_table(models[match], table)
    return models


def _precedes(code: Place, table: Place, document: Document) -> bool:
    """Whether code comes before what was printed: an output has the number of its cell, and lines of its own."""
    if document.kind in ("notebook", "html"):
        return code.cell <= table.cell
    return (code.cell, code.line) < (table.cell, table.line)


def _same(model: ModelSeen, table: ModelSeen) -> bool:
    return model.classes == table.classes and _shape(model.layers) == _shape(table.layers)


def _shape(layers: Sequence[LayerSeen]) -> list[object]:
    """What a table shows of layers: their kinds and sizes, activations as layers of their own aside."""
    return [
        (layer.kind, layer.settings.get("units"), layer.settings.get("filters"))
        for layer in layers
        if layer.kind not in (None, "activation")
    ]


def _unshown(model: ModelSeen) -> bool:
    """Whether the code left something of the model open that a table can tell."""
    sizes = [
        layer.settings.get("units", layer.settings.get("filters"))
        for layer in model.layers
        if layer.kind in ("dense", "conv")
    ]
    return model.library == "keras" and (not model.layers or None in sizes)


def _with_table(model: ModelSeen, table: ModelSeen) -> ModelSeen:
    if _unshown(model):
        model = replace(
            model, layers=_completed(model.layers, table.layers), classes=model.classes or table.classes
        )
    known, stated = model.training, table.training
    # What was printed of the training stands in for what the code leaves open.
    filled = {
        name: getattr(stated, name)
        for name in ("optimizer", "learning_rate", "batch_size", "epochs", "seed")
        if getattr(known, name) is None and getattr(stated, name) is not None
    }
    training: TrainingSeen = replace(known, **filled)
    return replace(
        model,
        training=training,
        title=model.title if model.title != model.name or table.title == table.name else table.title,
        figures=model.figures or table.figures,
        input_shape=model.input_shape or table.input_shape,
        printed_parameters=table.printed_parameters,
        printed_name=table.printed_name,
    )


def _completed(layers: Sequence[LayerSeen], table: Sequence[LayerSeen]) -> tuple[LayerSeen, ...]:
    """The code's layers with the sizes of the table's, or the table's where the two are not alike."""
    if [layer.kind for layer in layers] != [layer.kind for layer in table]:
        return tuple(table)
    return tuple(
        replace(layer, settings={**printed.settings, **layer.settings})
        for layer, printed in zip(layers, table, strict=True)
    )
