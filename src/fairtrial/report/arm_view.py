"""One arm as the page shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.sentences import count_of
from fairtrial.report import png
from fairtrial.report.blocks import Block, Figure, block, made_by
from fairtrial.report.charts import Chart
from fairtrial.report.evidence import Evidence
from fairtrial.report.filters import Filters
from fairtrial.report.learning import Curves, learning_charts
from fairtrial.report.mistakes import Mistakes, WrongImage
from fairtrial.report.reproduction import LABELS, SECONDS, Row
from fairtrial.report.spread import Spread, metric_spread
from fairtrial.study.keras_code import keras_program
from fairtrial.study.schema import Arm

MOST_CLASSES = 30
"""Above it a page has no table of confusions."""

RIGHT = "Done right"
REPRODUCED = "Reproduced, leak and all"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    """The figures of an arm under `heads`, which say of how many seeds; beside them what others say."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongView:
    """A test image that was taken for something else, as a data address, with the names of both classes."""

    address: str
    wrong: WrongImage
    label: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A count of the confusion matrix; `shade` from 0 to 6 by its share of the row."""

    count: int
    shade: int
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmView:
    """`confusion` and `wrong` are empty where no predictions are stored, `filters` None without weights."""

    anchor: str
    block: Block
    charts: tuple[Chart, ...]
    validation: Spread | None
    test: Spread | None
    figures: FigureTable
    published: bool
    mistakes: Mistakes | None
    confusion: tuple[tuple[Cell, ...], ...]
    wrong: tuple[WrongView, ...]
    classes: tuple[str, ...]
    filters: Filters | None
    code: str
    settings: str


def arm_view(name: str, evidence: Evidence, *, anchor: str, curves: Curves | None) -> ArmView:
    arm = evidence.arms[name]
    shown = block(arm, clock=evidence.clock)
    found = evidence.wrong.get(name)
    row = evidence.rows.get(name)
    return ArmView(
        anchor=anchor,
        block=shown,
        charts=learning_charts([curves] if curves else []),
        validation=metric_spread(arm.trials, "validation_accuracy_last_epoch"),
        test=metric_spread(arm.trials, "test_accuracy_last_epoch"),
        figures=_figures(shown, row, leaks=arm.arm.settings.data.split == "reshuffled"),
        published=row is not None,
        mistakes=found,
        confusion=_confusion(found) if found else (),
        wrong=_wrong(found, evidence.pictures[name], arm.arm) if found else (),
        classes=arm.arm.settings.data.facts.class_names,
        filters=evidence.filters.get(name),
        code=_program(arm.arm),
        settings=resolved(arm.arm),
    )


def _program(arm: Arm) -> str:
    """The Keras program, or what the arm's own code is called by."""
    if arm.is_described and not arm.is_command:
        return keras_program(arm)
    return f"# {made_by(arm)}"


def resolved(arm: Arm) -> str:
    """Every setting of the arm, its layers written out, as JSON."""
    settings = arm.settings.model_dump(mode="json", exclude_none=True)
    settings["data"]["dataset"] = arm.settings.data.facts.name  # where it lies is nobody's affair
    if not arm.is_described:
        return json.dumps(settings, indent=1, ensure_ascii=False)
    settings["network"] = {
        "layers": [layer.model_dump(mode="json", exclude_none=True) for layer in arm.network]
    }
    return json.dumps(settings, indent=1, ensure_ascii=False)


def _figures(shown: Block, row: Row | None, *, leaks: bool) -> FigureTable:
    """The arm's own columns and, where somebody printed figures, those and the other protocol's.

    An arm that leaks is itself what was reproduced; any other is itself what is done right.
    """
    others = {} if row is None else {cells.metric: cells for cells in row.cells}
    rows: list[tuple[str, tuple[str, ...]]] = []
    count = other_count = 0
    for figure in (*shown.figures, _time(shown)):
        digits = 2 if figure.metric == SECONDS else 4
        columns = [_text(figure.end, digits), _text(figure.last_epoch, digits)]
        count = max(count, figure.end.n if figure.end else 0)
        if row is not None:
            cells = others[figure.metric]
            other = cells.right if leaks else cells.reproduced
            other_count = max(other_count, other.n if other else 0)
            columns += ["–" if cells.published is None else f"{cells.published:g}", _text(other, digits)]
        rows.append((figure.label, tuple(columns)))
    heads = [f"At the end{_seeds(count)}", "Mean over the last epoch"]
    if row is not None:
        own, other = (REPRODUCED, RIGHT) if leaks else (RIGHT, REPRODUCED)
        heads = [f"{own}, at the end{_seeds(count)}", f"{own}, mean over the last epoch"]
        heads += ["Printed", f"{other}{_seeds(other_count)}"]
    return FigureTable(heads=tuple(heads), rows=tuple(rows))


def _time(shown: Block) -> Figure:
    return Figure(label=LABELS[SECONDS], metric=SECONDS, end=shown.fit_seconds, last_epoch=None)


def _seeds(count: int) -> str:
    return f" ({count_of(count, 'seed')})" if count else ""


def _text(value: Spread | None, digits: int) -> str:
    return "–" if value is None else value.around(digits)


def _confusion(found: Mistakes) -> tuple[tuple[Cell, ...], ...]:
    """Shaded by share of the row; logarithmic, since most of each row is right. Empty for more classes than fit a page."""
    if len(found.confusion) > MOST_CLASSES:
        return ()
    rows: list[tuple[Cell, ...]] = []
    for label, counts in enumerate(found.confusion.tolist()):
        total = max(sum(counts), 1)
        rows.append(
            tuple(
                Cell(count=count, shade=_shade(count / total), right=said == label)
                for said, count in enumerate(counts)
            )
        )
    return tuple(rows)


def _shade(share: float) -> int:
    """
    >>> [_shade(share) for share in (0, 0.0005, 0.002, 0.01, 0.05, 0.9)]
    [0, 1, 2, 3, 4, 6]
    """
    return sum(share >= edge for edge in (1e-9, 0.001, 0.004, 0.016, 0.1, 0.5))


def _wrong(found: Mistakes, pictures: NDArray[np.uint8], arm: Arm) -> tuple[WrongView, ...]:
    names = arm.settings.data.facts.class_names
    return tuple(
        WrongView(
            address=png.of_channels(pictures[one.image]),
            wrong=one,
            label=names[one.label] if names else str(one.label),
            said=names[one.said] if names else str(one.said),
        )
        for one in found.worst
    )
