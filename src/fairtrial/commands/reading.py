"""What a command prints: lines of JSON, one for each epoch if it likes and one with its figures at the end."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fairtrial.errors import OwnCodeError
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.tree import shortened
from fairtrial.trial import METRICS, EpochRecord

PHASES = ("setup", "train", "validation", "last_epoch", "test", "fit")
SECONDS = tuple(f"{phase}_seconds" for phase in PHASES)
OF_EPOCHS = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
WITH_MEANS = ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss")
OTHERS = ("history", "last_epoch", "diverged", "epoch")
MOST_EPOCHS = 100_000
MOST_MOMENTS = 10_000
LARGEST_SECONDS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A command's figures. `diverged` says why there are none; `means` whether it gave last-epoch means itself."""

    metrics: dict[str, float]
    seconds: dict[str, float]
    history: tuple[EpochRecord, ...]
    diverged: str = ""
    means: bool = True


@dataclass(slots=True)
class Lines:
    """The JSON among the lines that a command prints, as they come."""

    records: list[EpochRecord] = field(default_factory=list[EpochRecord])
    last: dict[str, Any] | None = None
    last_epoch: dict[str, Any] | None = None
    wrong: str = ""

    def take(self, line: str) -> EpochRecord | None:
        """Notes a line of JSON; an epoch's is given back as its record. Whatever else is printed is left alone."""
        text = line.strip()
        if not text.startswith("{"):
            return None
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            self.wrong = f"a line that begins with {{ is no JSON: {shortened(text)}"
            return None
        self.wrong = ""
        if "epoch" not in said:
            self.last = said
            return None
        self.last_epoch = said
        try:
            record = _record(said, after=len(self.records))
        except OwnCodeError as error:
            self.wrong = str(error)
            return None
        self.records.append(record)
        return record


def result_of(lines: Lines, written: str | None, *, needs: Sequence[str] = ()) -> Result:
    """The figures in `written`, the file of results, where there is one, else in the last line of JSON.

    Raises OwnCodeError for what cannot be read, or lacks one of `needs`.
    """
    if written is not None:
        where, said = "results.json", _parsed(written)
    else:
        if lines.wrong:
            raise OwnCodeError(f"the command's output cannot be read: {lines.wrong}")
        where, said = "the last line of JSON that it printed", lines.last or lines.last_epoch
        if said is None:
            raise OwnCodeError(
                "the command ended without a result: it must print a line of JSON such as "
                '{"validation_accuracy": 0.97}, or write it to results.json in the folder FAIRTRIAL_OUTPUT'
            )
    if diverged := said.get("diverged"):
        why = diverged if isinstance(diverged, str) else "the command says so"
        return Result(
            metrics={}, seconds=_seconds(said), history=tuple(lines.records), diverged=shortened(why)
        )
    history = _history(said["history"]) if "history" in said else tuple(lines.records)
    metrics = _metrics(said)
    bad = next((f"{name} became {value}" for name, value in metrics.items() if not math.isfinite(value)), "")
    if bad:
        return Result(metrics={}, seconds=_seconds(said), history=history, diverged=bad)
    given = {name for name in metrics if name.endswith("_last_epoch")}
    for name in WITH_MEANS:
        if name in metrics:
            metrics.setdefault(f"{name}_last_epoch", metrics[name])
    missing = [name for name in needs if name not in metrics]
    if missing or not metrics:
        raise OwnCodeError(_lacking(missing, said, where))
    return Result(metrics=metrics, seconds=_seconds(said), history=history, means=bool(given))


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise OwnCodeError(
            f"results.json holds no JSON; it begins with {shortened(repr(text[:60]))}"
        ) from None
    if not isinstance(said, dict):
        raise OwnCodeError('results.json must hold one object, such as {"validation_accuracy": 0.97}')
    return cast("dict[str, Any]", said)


def _metrics(said: Mapping[str, Any]) -> dict[str, float]:
    found = {name: _number(name, said[name]) for name in METRICS if said.get(name) is not None}
    moments = said.get("last_epoch")
    if moments is not None:
        if not isinstance(moments, dict):
            raise OwnCodeError(
                'last_epoch must be an object of lists, such as {"validation_accuracy": [0.96, 0.97]}'
            )
        for name, values in cast("dict[str, Any]", moments).items():
            mean = f"{name}_last_epoch"
            if name not in WITH_MEANS:
                raise OwnCodeError(
                    f"last_epoch: {shortened(name)} is none of {', '.join(WITH_MEANS)}{did_you_mean(name, WITH_MEANS)}"
                )
            if mean in found:
                raise OwnCodeError(f"{mean} is given twice: as a figure, and as the list last_epoch.{name}")
            if not isinstance(values, list) or not 0 < len(cast("list[Any]", values)) <= MOST_MOMENTS:
                raise OwnCodeError(f"last_epoch.{name} must be a list of 1 to {MOST_MOMENTS} numbers")
            numbers = [_number(f"last_epoch.{name}", one) for one in cast("list[Any]", values)]
            found[mean] = sum(numbers) / len(numbers)
    for name, value in found.items():
        if ("accuracy" in name or name == "validation_seen") and math.isfinite(value) and not 0 <= value <= 1:
            raise OwnCodeError(
                f"{name} must be a share from 0 to 1, got {value:g}; a percentage is divided by 100"
            )
    return found


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise OwnCodeError(f"{name} must be a number, got {shortened(json.dumps(value))}")
    try:
        return float(value)
    except OverflowError:
        raise OwnCodeError(f"{name} is a number too large to be kept") from None


def _seconds(said: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in SECONDS:
        if said.get(name) is not None:
            seconds = _number(name, said[name])
            if not 0 <= seconds < LARGEST_SECONDS:
                raise OwnCodeError(f"{name} must be a number of seconds from 0, got {seconds:g}")
            found[name.removesuffix("_seconds")] = seconds
    return found


def _history(given: object) -> tuple[EpochRecord, ...]:
    if not isinstance(given, list) or len(cast("list[Any]", given)) > MOST_EPOCHS:
        raise OwnCodeError(f"history must be a list of at most {MOST_EPOCHS} epochs")
    return tuple(_record(one, after=place) for place, one in enumerate(cast("list[Any]", given)))


def _record(said: object, *, after: int) -> EpochRecord:
    """An epoch, which must be the one after those told already. What it does not tell is not a number."""
    if not isinstance(said, dict):
        raise OwnCodeError('each epoch must be an object, such as {"epoch": 1, "validation_accuracy": 0.9}')
    told = cast("dict[str, Any]", said)
    number = told.get("epoch")
    if number != after + 1 or isinstance(number, bool) or after >= MOST_EPOCHS:
        raise OwnCodeError(
            f"epochs must be told in order from 1: after epoch {after} came {shortened(json.dumps(number))}"
            if after
            else f"epochs must be told in order from 1, the first was {shortened(json.dumps(number))}"
        )
    values = {
        name: _number(name, told[name]) if told.get(name) is not None else math.nan for name in OF_EPOCHS
    }
    times = _seconds(told)
    return EpochRecord(
        epoch=after + 1,
        **{name: value if math.isfinite(value) else math.nan for name, value in values.items()},
        train_seconds=times.get("train", math.nan),
        validation_seconds=times.get("validation", math.nan),
    )


def _lacking(missing: Sequence[str], said: Mapping[str, Any], where: str) -> str:
    known = (*METRICS, *SECONDS, *OTHERS)
    odd = [name for name in said if name not in known]
    hints = "".join(
        did_you_mean(name, METRICS).replace("did you mean", f"for {name!r} did you mean") for name in odd[:5]
    )
    given = ", ".join(list(said)[:20]) or "nothing"
    if not missing:
        return f"{where} holds none of the figures that are known ({', '.join(METRICS)}); it has {shortened(given)}{hints}"
    return (
        f"{where} lacks {', '.join(missing)}, which a question of the study asks about; it has "
        f"{shortened(given)}{hints}"
    )
