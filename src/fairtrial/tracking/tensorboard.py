"""Runs as TensorBoard reads them: a folder for each study, in it one for each arm, in it one for each seed."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

from fairtrial.tracking import event_file
from fairtrial.tracking.runs import News, Run, at_the_end, of_epoch, settings
from fairtrial.trial import EpochRecord, Lost, Outcome, Started

FILE = "events.out.tfevents.fairtrial"
"""One file for a run, always of the same name: what is written again replaces what was there."""


class TensorBoard:
    """Writes event files below a folder; nothing of TensorBoard needs to be installed for it."""

    def __init__(self, folder: Path) -> None:
        self.name = f"tensorboard:{folder}"
        self._folder = folder
        self._told: dict[str, list[int]] = {}

    def take(self, run: Run, news: News) -> None:
        match news:
            case Started():
                self._begin(run)
            case EpochRecord():
                if run.key not in self._told:
                    self._begin(run)
                self._append(run, _epoch(news, time.time()))
                self._told[run.key].append(news.epoch)
            case Outcome():
                told = self._told.pop(run.key, [])
                if told == [record.epoch for record in news.history]:
                    self._append(run, *_end(news, time.time()))
                else:  # it went on from a checkpoint, or is told from the store: now all of it is known
                    self._write(run, _whole(run, news))
            case Lost():
                if self._told.pop(run.key, None) is not None:
                    self._append(run, event_file.ended(event_file.FAILURE, wall_time=time.time()))

    def has(self, run: Run) -> bool:
        """Never: writing a file anew costs nothing and cannot double it."""
        return False

    def close(self) -> None:
        self._told.clear()

    def _place(self, run: Run) -> Path:
        return self._folder / _file_name(run.study) / _file_name(run.arm) / f"seed-{run.seed}" / FILE

    def _begin(self, run: Run) -> None:
        self._write(run, _start(run, time.time()))
        self._told[run.key] = []

    def _write(self, run: Run, records: Iterable[bytes]) -> None:
        place = self._place(run)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(records)
            Path(part).chmod(0o644)
            Path(part).replace(place)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def _append(self, run: Run, *records: bytes) -> None:
        with self._place(run).open("ab") as file:
            file.writelines(records)


def _start(run: Run, now: float) -> list[bytes]:
    return [
        event_file.header(wall_time=now),
        event_file.began(settings(run), group=run.arm, wall_time=now),
    ]


def _epoch(record: EpochRecord, now: float) -> bytes:
    return event_file.scalars(of_epoch(record), step=record.epoch, wall_time=now)


def _end(outcome: Outcome, now: float) -> Iterator[bytes]:
    figures = at_the_end(outcome)
    if figures:
        yield event_file.scalars(figures, step=outcome.epochs, wall_time=now)
    finished = outcome.state == "finished"
    yield event_file.ended(event_file.SUCCESS if finished else event_file.FAILURE, wall_time=now)


def _whole(run: Run, outcome: Outcome) -> Iterator[bytes]:
    """All of a run. The time at which it was trained is not kept: it is told as if it had ended now."""
    lengths = [record.train_seconds + record.validation_seconds for record in outcome.history]
    ended = time.time()
    began = ended - sum(lengths)
    yield from _start(run, began)
    for record, passed in zip(outcome.history, accumulate(lengths), strict=True):
        yield _epoch(record, began + passed)
    yield from _end(outcome, ended)


def _file_name(name: str) -> str:
    """The name as a folder may be called everywhere, and no two names as the same one."""
    quoted = quote(name, safe="+=,() -_", encoding="utf-8", errors="replace")
    return f"%{ord(quoted[0]):02X}{quoted[1:]}" if quoted.startswith(".") else quoted or "%"
