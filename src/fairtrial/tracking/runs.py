"""A trial as trackers know it: a run of an arm, with settings and figures by name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from fairtrial.trial import EpochRecord, Lost, Outcome, Started, Trial

News = Started | EpochRecord | Outcome | Lost
"""What a tracker is told of a run: that it began, an epoch, that it ended with or without an outcome."""

_EPOCH_NAMES = {"train_seconds": "epoch_train_seconds", "validation_seconds": "epoch_validation_seconds"}
EPOCH_FIGURES = tuple(_EPOCH_NAMES.get(name, name) for name in EpochRecord._fields if name != "epoch")
"""What an epoch may have, as trackers are told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A trial of a study. Its `key` tells it from all others, whatever it is called."""

    study: str
    trial: Trial

    @property
    def key(self) -> str:
        return self.trial.key

    @property
    def arm(self) -> str:
        return self.trial.arm.name

    @property
    def seed(self) -> int:
        return self.trial.number


class Tracker(Protocol):
    """Somebody else's record of runs. Each method may raise whatever its library raises.

    `name` is how users know it, without passwords. `has` says whether a run that has ended is recorded
    already, so that it is not told again; `close` ends what is still open.
    """

    name: str

    def take(self, run: Run, news: News) -> None: ...

    def has(self, run: Run) -> bool: ...

    def close(self) -> None: ...


def settings(run: Run) -> dict[str, str | float | bool]:
    """All settings of the run's arm by their dotted paths, as a study file names them."""
    given = run.trial.arm.settings.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**dict(_flat("", given)), "precision": run.trial.precision, "seed": run.seed}


def _flat(path: str, value: Any) -> Iterator[tuple[str, str | float | bool]]:
    if isinstance(value, dict | list):
        named: dict[Any, Any] = value if isinstance(value, dict) else dict(enumerate(value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        for name, inner in named.items():
            yield from _flat(f"{path}.{name}" if path else str(name), inner)
    else:
        yield path, value if isinstance(value, str | bool | int | float) else str(value)


def of_epoch(record: EpochRecord) -> dict[str, float]:
    """The figures of one epoch by name; seconds are those of the epoch. What a command did not tell is not there."""
    return {
        _EPOCH_NAMES.get(name, name): value
        for name, value in record._asdict().items()
        if name != "epoch" and not math.isnan(value)
    }


def at_the_end(outcome: Outcome) -> dict[str, float]:
    """The figures that epochs do not have: last-epoch means, the test images, seconds of the whole trial.

    A command may tell at the end what its epochs did not: that is among them.
    """
    told = of_epoch(outcome.history[-1]) if outcome.history else {}
    seconds = {f"{phase}_seconds": value for phase, value in outcome.seconds.items()}
    return {
        name: value
        for name, value in {**outcome.metrics, **seconds}.items()
        if name not in told or name in _EPOCH_NAMES
    }


def without_password(uri: str) -> str:
    """The address as it may be printed: what stands before the host is left out."""
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", uri)
