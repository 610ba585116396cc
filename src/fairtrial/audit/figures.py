"""Figures among what was printed: lines of a label and a number, Keras's progress, the epochs of a training loop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from fairtrial.audit.document import Cell, FileKind, Place
from fairtrial.audit.experiment import Figure, ModelSeen
from fairtrial.audit.labels import NUMBER, Metric, Printed, decimals, metric_of, printed_in
from fairtrial.audit.words import On

_LONGEST_LINE = 4000
_MOST_LINES = 100_000
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_EPOCH = re.compile(
    r"\bepochs?\b\s*[:#=\[(]*\s*(?P<epoch>\d{1,6})(?!\d|\.\d)(?:\s*(?:/|of)\s*\d+)?", re.IGNORECASE
)
_PROGRESS = re.compile(r"^\s*(?P<done>\d*)/(?P<of>\d+)\s*(?:\[|-\s|━|.{0,40}/step\b)")
_RUNNING = re.compile(r"\bETA\b|\[=*>\.*\]")
_WITHIN = re.compile(
    r"\b(?:step|iter|iteration|batch)e?s?\b\s*[:#=\[(]*\s*\d|^\s*\[\s*\d+\s*,\s*\d+\s*\]", re.IGNORECASE
)
_HISTORY = re.compile(r"['\"](?P<key>\w{3,40})['\"]\s*:\s*\[(?P<values>[^\[\]]{1,3900})\]")
_REPORT = re.compile(r"^\s*accuracy\s{4,}(?P<number>[01]\.\d+)\s+\d+\s*$")
_STOPWATCH = re.compile(r"^\s*-+\s*(?P<number>\d{1,9}(?:\.\d{1,18})?)\s*(?:seconds?|secs?|s)\s*-+\s*$")


def figures_in(cell: Cell, kind: FileKind = "notebook") -> tuple[Figure, ...]:
    """The numbers printed for models in an output or a text, in their order; percents as fractions, times in seconds.

    Of the lines that one epoch prints the last counts. Where no word names a part of the data, an epoch's figure is
    the training's and any other the test's, as the libraries print them. Code has none.
    """
    if cell.kind == "code":
        return ()
    found: dict[object, Figure] = {}
    trainings = 0
    for figure in _figures(cell, kind):
        # An epoch that comes again, lower than the last, is another training's.
        key: object = len(found)
        if figure.epoch is not None:
            key = (trainings, figure.metric, figure.on, figure.epoch)
            later = (trainings, figure.metric, figure.on, figure.epoch + 1)
            if later in found:
                trainings += 1
                key = (trainings, figure.metric, figure.on, figure.epoch)
        found[key] = figure
    return tuple(found.values())


def final_figures(model: ModelSeen, metric: Metric, on: On | None = None) -> tuple[Figure, ...]:
    """What a model ended with, one figure for each part of the data: printed after training, else its last epoch's.

    Where a text names no part of the data, an accuracy or loss may be the validation's or the test's; the training's
    only if there is no other.
    """
    last: dict[On, Figure] = {}
    for figure in model.figures:
        if figure.metric != metric:
            continue
        known = last.get(figure.on)
        if known is None or known.epoch is not None or figure.epoch is None:
            last[figure.on] = figure
    if metric == "time":
        return tuple(figure for figure in last.values() if figure.epoch is None)
    if on is not None:
        return (last[on],) if on in last else ()
    return tuple(figure for part, figure in last.items() if part != "train") or tuple(last.values())


def _figures(cell: Cell, kind: FileKind) -> Iterator[Figure]:
    heading: int | None = None
    """The epoch that a line of its own has named: `Epoch 3/5`."""
    printed = False
    for offset, whole in enumerate(cell.source.split("\n", _MOST_LINES)[:_MOST_LINES]):
        line, place = last_state(whole), cell.place(offset + 1, kind)
        if not line.strip():
            heading = None if printed else heading
            continue
        if (found := tuple(_HISTORY.finditer(line))) and (listed := [*_histories(found, place)]):
            yield from listed
        elif _PROGRESS.match(line):
            if not _running(line):
                training = heading is not None or "val_" in line
                yield from _as_figures(
                    printed_in(line), place, epoch=heading, otherwise="train" if training else "test"
                )
                heading = None
        elif (named := _EPOCH.search(line)) is not None:
            heading, rest = int(named["epoch"]), line[: named.start()] + " " + line[named.end() :]
            figures = [*_as_figures(_plain(rest, cell), place, epoch=heading, otherwise="train")]
            yield from figures
            heading, printed = (None if figures else heading), False
        elif _WITHIN.search(line) is None:
            for one in _plain(line, cell):
                of_epoch = heading if one.metric != "time" and one.on != "test" else None
                yield from _as_figures(
                    [one], place, epoch=of_epoch, otherwise="train" if of_epoch else "test"
                )
                printed = True


def last_state(line: str) -> str:
    """What a terminal shows of a line that was written over: its last state, without colours."""
    line = _COLOURS.sub("", line[-4 * _LONGEST_LINE :]).strip("\r\x08")
    return re.split(r"[\r\x08]+", line)[-1][:_LONGEST_LINE]


def _running(line: str) -> bool:
    """Whether a progress line was printed in the middle of an epoch."""
    progress = _PROGRESS.match(line)
    if _RUNNING.search(line) or progress is None:
        return True
    # `40/540 - 11s` with a digit cut off ends like the whole number; 41 of 540 steps do not.
    return "val_" not in line and not progress["of"].endswith(progress["done"])


def _histories(found: tuple[re.Match[str], ...], place: Place) -> Iterator[Figure]:
    """`{'loss': [0.3, 0.2], 'val_accuracy': [0.91, 0.95]}`, as a notebook shows `history.history`."""
    for one in found:
        named = metric_of(one["key"])
        if named is None or named[0] == "time":
            continue
        for epoch, text in enumerate(one["values"].split(","), start=1):
            if (number := NUMBER.search(text)) is not None:
                value = Decimal(number["number"])
                yield Figure(named[0], named[1] or "train", float(value), decimals(value), place, epoch=epoch)


def _plain(line: str, cell: Cell) -> Iterator[Printed]:
    prose = cell.kind == "prose"
    report, stopwatch = _REPORT.match(line), _STOPWATCH.match(line)
    if report is not None and not prose:
        value = Decimal(report["number"])
        yield Printed("accuracy", "test", float(value), decimals(value))
    elif stopwatch is not None and not prose:
        value = Decimal(stopwatch["number"])
        yield Printed("time", "train", float(value), decimals(value))
    else:
        yield from printed_in(line, separated_only=prose)


def _as_figures(
    printed: Iterator[Printed] | list[Printed], place: Place, *, epoch: int | None, otherwise: On
) -> Iterator[Figure]:
    for one in printed:
        yield Figure(one.metric, one.on or otherwise, one.value, one.decimals, place, epoch=epoch)
