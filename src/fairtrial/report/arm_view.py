"""One arm as the page shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fairtrial.report import png
from fairtrial.report.blocks import Block, block
from fairtrial.report.charts import Chart
from fairtrial.report.evidence import Evidence
from fairtrial.report.filters import Filters
from fairtrial.report.learning import Curves, learning_charts
from fairtrial.report.mistakes import Mistakes, WrongImage
from fairtrial.report.reproduction import LABELS, Row
from fairtrial.report.show_markdown import three
from fairtrial.report.spread import Spread, metric_spread
from fairtrial.study.keras_code import keras_program
from fairtrial.study.schema import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure of an arm: its spread here, over the last epoch, and beside them what others say."""

    label: str
    end: str
    last_epoch: str
    printed: str
    reproduced: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongView:
    """A test image that was taken for another digit, as a data address."""

    address: str
    wrong: WrongImage


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
    figures: tuple[FigureRow, ...]
    published: bool
    mistakes: Mistakes | None
    confusion: tuple[tuple[Cell, ...], ...]
    wrong: tuple[WrongView, ...]
    filters: Filters | None
    code: str
    settings: str


def arm_view(name: str, evidence: Evidence, *, anchor: str, curves: Curves | None) -> ArmView:
    arm = evidence.arms[name]
    shown = block(arm)
    found = evidence.wrong.get(name)
    row = evidence.rows.get(name)
    return ArmView(
        anchor=anchor,
        block=shown,
        charts=learning_charts([curves] if curves else []),
        validation=metric_spread(arm.trials, "validation_accuracy_last_epoch"),
        test=metric_spread(arm.trials, "test_accuracy_last_epoch"),
        figures=_figures(shown, row),
        published=row is not None,
        mistakes=found,
        confusion=_confusion(found) if found else (),
        wrong=_wrong(found, evidence) if found else (),
        filters=evidence.filters.get(name),
        code=keras_program(arm.arm),
        settings=resolved(arm.arm),
    )


def resolved(arm: Arm) -> str:
    """Every setting of the arm, its layers written out, as JSON."""
    settings = arm.settings.model_dump(mode="json", exclude_none=True)
    settings["network"] = {
        "layers": [layer.model_dump(mode="json", exclude_none=True) for layer in arm.network]
    }
    return json.dumps(settings, indent=1, ensure_ascii=False)


def _figures(shown: Block, row: Row | None) -> tuple[FigureRow, ...]:
    columns = {} if row is None else {cells.metric: three(cells) for cells in row.cells}
    blank = ("–", "–", "–")
    figures = [
        FigureRow(
            label=figure.label,
            end=_text(figure.end),
            last_epoch=_text(figure.last_epoch),
            printed=columns.get(figure.metric, blank)[0],
            reproduced=columns.get(figure.metric, blank)[1],
            right=columns.get(figure.metric, blank)[2],
        )
        for figure in shown.figures
    ]
    seconds = columns.get("fit_seconds", blank)
    figures.append(
        FigureRow(
            label=LABELS["fit_seconds"],
            end=_text(shown.fit_seconds, 2),
            last_epoch="–",
            printed=seconds[0],
            reproduced=seconds[1],
            right=seconds[2],
        )
    )
    return tuple(figures)


def _text(value: Spread | None, digits: int = 4) -> str:
    return "–" if value is None else value.text(digits)


def _confusion(found: Mistakes) -> tuple[tuple[Cell, ...], ...]:
    """Shaded by share of the row; logarithmic, since most of each row is right."""
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


def _wrong(found: Mistakes, evidence: Evidence) -> tuple[WrongView, ...]:
    pictures = evidence.pictures
    if pictures is None:
        return ()
    return tuple(WrongView(address=png.gray(pictures[one.image]), wrong=one) for one in found.worst)
