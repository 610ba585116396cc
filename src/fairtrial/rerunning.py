"""A stored trial trained again, and everything held against what is stored: the same bits, or what differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from fairtrial.data import catalog
from fairtrial.dispatch import Executor
from fairtrial.errors import ExecutorError
from fairtrial.restoring import restored
from fairtrial.store import Store
from fairtrial.trial import METRICS, EpochRecord, Event, Lost, Outcome, Predictions, Trial
from fairtrial.wire import Order

_CLOCKS = ("train_seconds", "validation_seconds")
_MADE_WITH = (
    "machine", "device", "processor", "instructions", "system", "torch", "numpy", "python", "fairtrial", "commit",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that is not what it was. Both in plain values; None where there is none."""

    what: str
    stored: float | int | str | None
    again: float | int | str | None

    def told(self, first: str, second: str) -> str:
        """With names for the two sides."""
        return f"{self.what}: {first} {_shown(self.stored)}, {second} {_shown(self.again)}"

    def as_dict(self, first: str, second: str) -> dict[str, float | int | str | None]:
        """The same for JSON, which knows no infinite numbers."""
        return {"what": self.what, first: _plain(self.stored), second: _plain(self.again)}

    def __str__(self) -> str:
        return self.told("stored", "now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A stored trial and what came of training it again: equal in every bit, or different in what `differences` say."""

    key: str
    arm: str
    seed: int
    precision: str
    engine_version: int
    stored: Outcome
    again: Outcome
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.differences

    @property
    def sentence(self) -> str:
        which = f"Trial {self.key[:12]} ({self.arm}, seed {self.seed}, {self.precision})"
        if not self.equal:
            count = len(self.differences)
            return f"{which} is different: {count} figure{'' if count == 1 else 's'} of it {'is' if count == 1 else 'are'} not what {'it was' if count == 1 else 'they were'}."
        parts = [f"{len(self.again.metrics)} metrics", f"{self.again.epochs} epochs"]
        if self.again.weights_sha256:
            parts.append(f"weights {self.again.weights_sha256[:12]}")
        if self.stored.predictions is not None:
            parts.append(f"predictions of {len(self.stored.predictions.classes)} images")
        how = "diverges again as it did" if self.again.state == "diverged" else "is bit-equal"
        return f"{which} {how}: {', '.join(parts)}."

    @property
    def made_with(self) -> tuple[tuple[str, str, str], ...]:
        """What each was made with: a name, then the stored one's and this one's."""
        sides = self.stored.provenance, self.again.provenance
        return tuple((name, *(side.get(name, "") for side in sides)) for name in _MADE_WITH)  # pyright: ignore[reportReturnType]

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "arm": self.arm,
            "seed": self.seed,
            "precision": self.precision,
            "engine_version": self.engine_version,
            "equal": self.equal,
            "differences": [one.as_dict("stored", "again") for one in self.differences],
            "made_with": {
                "stored": dict(self.stored.provenance),
                "again": dict(self.again.provenance),
            },
        }


def rerun(
    key: str,
    *,
    store: Store,
    executor: Executor,
    on_event: Callable[[Event], None] = lambda _: None,
    weights: Path | None = None,
) -> Rerun:
    """Train the stored trial whose key begins with `key` again; the store stays as it is, `weights` gets those at the end.

    Raises StoreError where there is no such trial or it cannot be made again here, ExecutorError where training fails.
    """
    found = store.described(key)
    trial = restored(
        key=found.key,
        name=found.name,
        settings=found.settings,
        precision=found.precision,
        number=found.number,
        engine_version=found.engine_version,
    )
    if trial.arm.has_data:
        catalog.load(trial.arm.settings.data.facts)  # damaged files are said before anything is trained
    before = store.stored([found.key], history=True)[found.key].outcome
    kept = store.predictions(found.key)
    again = _trained(trial, executor, on_event, weights)
    now = None if again.predictions is None else store.as_kept(again.predictions)
    return Rerun(
        key=found.key,
        arm=found.name,
        seed=found.number,
        precision=found.precision,
        engine_version=found.engine_version,
        stored=with_predictions(before, kept),
        again=again,
        differences=tuple(differences(with_predictions(before, kept), with_predictions(again, now))),
    )


def with_predictions(outcome: Outcome, predictions: Predictions | None) -> Outcome:
    """The same outcome with these predictions, which a store keeps apart."""
    values = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    return Outcome(**{**values, "predictions": predictions})


def differences(stored: Outcome, again: Outcome) -> Iterator[Difference]:
    """All that is not the same but for clocks and where it was trained. A figure that is not a number equals itself.

    Predictions that are not stored are held against nothing.
    """
    for name in ("state", "reason", "epochs", "weights_sha256"):
        yield from _apart(name, getattr(stored, name), getattr(again, name))
    for name in METRICS:
        yield from _apart(name, stored.metrics.get(name), again.metrics.get(name))
    for number in range(max(len(stored.history), len(again.history))):
        yield from _epochs_apart(number, stored, again)
    if stored.predictions is not None:
        yield from _predictions_apart(stored.predictions, again.predictions)


def _trained(
    trial: Trial, executor: Executor, on_event: Callable[[Event], None], weights: Path | None
) -> Outcome:
    executor.start(Order(trial=trial, weights="" if weights is None else str(weights)))
    for event in executor.events():
        on_event(event)
        if isinstance(event, Outcome):
            return event
        if isinstance(event, Lost):
            raise ExecutorError(f"trial {trial.key[:12]} could not be trained again: {event.reason}")
    raise ExecutorError(f"trial {trial.key[:12]} could not be trained again: the worker gave no outcome")


def _epochs_apart(number: int, stored: Outcome, again: Outcome) -> Iterator[Difference]:
    before, now = (side.history[number] if number < len(side.history) else None for side in (stored, again))
    for name in EpochRecord._fields:
        if name not in ("epoch", *_CLOCKS):
            yield from _apart(
                f"epoch {number + 1}, {name}",
                None if before is None else getattr(before, name),
                None if now is None else getattr(now, name),
            )


def _predictions_apart(stored: Predictions, again: Predictions | None) -> Iterator[Difference]:
    if again is None or len(stored.classes) != len(again.classes):
        yield Difference(
            what="predictions, images",
            stored=len(stored.classes),
            again=None if again is None else len(again.classes),
        )
        return
    yield from _apart("predictions, evaluations", stored.evaluations, again.evaluations)
    parts: Mapping[str, tuple[Any, Any]] = {
        "classes": (stored.classes, again.classes),
        "probabilities": (stored.probabilities, again.probabilities),
        "right": (stored.right, again.right),
    }
    for name, (before, now) in parts.items():
        images = int(np.count_nonzero(before != now))
        if images:
            yield Difference(
                what=f"predictions, {name}",
                stored=f"of {len(before)} images",
                again=f"{images} of them others",
            )


def _apart(
    what: str, stored: float | int | str | None, again: float | int | str | None
) -> Iterator[Difference]:
    both_nan = all(isinstance(side, float) and math.isnan(side) for side in (stored, again))
    if stored != again and not both_nan:
        yield Difference(what=what, stored=stored, again=again)


def _plain(value: float | int | str | None) -> float | int | str | None:
    """As JSON takes it: an infinite number or none in words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: float | int | str | None) -> str:
    """Every digit: it is the last ones that differ."""
    return "none" if value is None or value == "" else repr(value) if isinstance(value, float) else str(value)
