"""Exported notebooks made by code: layer tables as Keras prints them, figures under them, and a text."""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.audit.auditing import audited
from fairtrial.audit.document import Cell, Document
from fairtrial.audit.exported import text_cells
from fairtrial.audit.result import Audit


def audit_of(*parts: str) -> Audit:
    """The audit of an exported text."""
    return audited(Document("export.txt", "text", text_cells("\n\n".join(parts))))


def audit_of_notebook(*cells: tuple[str, str]) -> Audit:
    """The audit of a notebook's cells, each a kind and a source; an output belongs to the code before it."""
    numbered: list[Cell] = []
    number = 0
    for kind, source in cells:
        number += kind != "output" or not numbered
        numbered.append(Cell(number, kind, source))  # pyright: ignore[reportArgumentType]
    return audited(Document("made.ipynb", "notebook", tuple(numbered)))


def shown(
    number: int,
    widths: Sequence[int],
    *,
    figures: dict[str, str],
    title: str = "",
    batch: int = 100,
    epochs: int = 5,
    first_layer: int | None = None,
    inputs: int = 784,
    classes: int = 10,
) -> str:
    """A model as the course's notebooks show it: title, hyperparameters, layer table, figures."""
    lines = [f"Model: {title}"] if title else []
    lines += [f"BATCH SIZE = {batch}, NUM_EPOCHS = {epochs}", f'Model: "{_named("sequential", number)}"', ""]
    return "\n".join(
        [*lines, *_table(number, widths, first_layer, inputs, classes), "", *figure_lines(figures)]
    )


def figure_lines(figures: dict[str, str]) -> list[str]:
    return [f"{name} = {value}" for name, value in figures.items()]


def _table(
    number: int, widths: Sequence[int], first_layer: int | None, inputs: int, classes: int
) -> list[str]:
    layer = number * (len(widths) + 1) if first_layer is None else first_layer
    rows = [
        "Layer (type)\tOutput Shape\tParam #",
        f"{_named('flatten', number)} (Flatten)\t(None, {inputs})\t0",
    ]
    total = 0
    for units in (*widths, classes):
        parameters = inputs * units + units
        rows.append(f"{_named('dense', layer)} (Dense)\t(None, {units})\t{parameters}")
        total, inputs, layer = total + parameters, units, layer + 1
    return [*rows, "", f"Total params: {total:,}", f"Trainable params: {total:,}", "Non-trainable params: 0"]


def _named(stem: str, number: int) -> str:
    return f"{stem}_{number}" if number else stem


def accuracies(validation: str, test: str | None = None, *, time: str | None = None) -> dict[str, str]:
    """Figures by the labels that they are printed with."""
    given = {
        "Validation Accuracy": validation,
        "Test Accuracy": test,
        "Taining Time": time and f"{time} second",
    }
    return {name: value for name, value in given.items() if value is not None}


KERAS_2 = """Model: "sequential_1"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 conv2d (Conv2D)             (None, 26, 26, 32)        320

 max_pooling2d (MaxPooling2D  (None, 13, 13, 32)       0
 )

 conv2d_1 (Conv2D)           (None, 9, 9, 64)          51264

 dropout (Dropout)           (None, 9, 9, 64)          0

 flatten_1 (Flatten)         (None, 5184)              0

 dense_2 (Dense)             (None, 10)                51850

=================================================================
Total params: 103,434
Trainable params: 103,434
Non-trainable params: 0
_________________________________________________________________
"""

KERAS_3 = """Model: "sequential_1"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense_2 (Dense)                 │ (None, 128)            │       100,480 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 128)            │           512 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_3 (Dense)                 │ (None, 10)             │         1,290 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 102,282 (399.54 KB)
 Trainable params: 102,026 (398.54 KB)
 Non-trainable params: 256 (1.00 KB)
"""
