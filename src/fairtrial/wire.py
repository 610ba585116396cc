"""Trials and events as lines of JSON: what passes between an executor and its workers.

Never pickles: a worker may be of another version, and says so instead of running what it is sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import ExecutorError
from fairtrial.fitting import made
from fairtrial.images.facts import from_plain
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.study.commands import files_of, placed
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.sources import Sources
from fairtrial.study.tree import shortened
from fairtrial.trial import (
    EpochRecord,
    Event,
    Lost,
    Outcome,
    Predictions,
    Progress,
    Ready,
    Started,
    Trial,
    Unsaved,
)

_BEFORE_KIND = '{"event": "'
_LAST = {kind.__name__ for kind in (Outcome, Lost, PairTimes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurdle:
    """A trial whose validation `metric` is worse than `bound` after `epoch` is stopped there."""

    epoch: int
    metric: Literal["accuracy", "loss"]
    bound: float

    def fails(self, record: EpochRecord) -> bool:
        if record.epoch != self.epoch:
            return False
        if self.metric == "accuracy":
            return record.validation_accuracy < self.bound
        return record.validation_loss > self.bound

    def __str__(self) -> str:
        if self.metric == "accuracy":
            return f"validation accuracy below {100 * self.bound:.2f} % after epoch {self.epoch}"
        return f"validation loss above {self.bound:.4g} after epoch {self.epoch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A trial for a worker, with where to keep what is too large for the pipe.

    `weights` and `checkpoint` are file paths, or empty for not keeping any: of this machine, wherever it is trained.
    """

    trial: Trial
    weights: str = ""
    checkpoint: str = ""
    hurdles: tuple[Hurdle, ...] = ()
    """What its validation must come to after some of its epochs, or it is stopped."""
    retell: bool = False
    """Whether a trial that goes on from a checkpoint tells its earlier epochs again."""
    needs: tuple[str, ...] = ()
    """Metrics that it must give: a program of the user's own may leave out others."""

    @property
    def key(self) -> str:
        return self.trial.key

    @property
    def is_command(self) -> bool:
        """Whether a program of the user's own is to be run."""
        return self.trial.arm.is_command


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingOrder:
    """Two arms for a worker to time in turn, `first` beginning; both with the pair's number as their seed."""

    first: Trial
    second: Trial
    machine: str = ""
    """Where their earlier pairs were timed, for an executor that has several machines; empty if any will do."""

    @property
    def key(self) -> str:
        """Tells this pair from whatever else an executor has to do; nothing is stored under it."""
        return f"pair {self.first.key} {self.second.key}"

    @property
    def is_command(self) -> bool:
        """Whether a program of the user's own is one of the two."""
        return self.first.arm.is_command or self.second.arm.is_command


def encode_order(order: Order | TimingOrder) -> str:
    if isinstance(order, TimingOrder):
        sides = {"first": _trial_body(order.first), "second": _trial_body(order.second)}
        return json.dumps({**sides, "machine": order.machine})
    return json.dumps(
        {
            **_trial_body(order.trial),
            "weights": order.weights,
            "checkpoint": order.checkpoint,
            "hurdles": [asdict(one) for one in order.hurdles],
            "retell": order.retell,
            "needs": order.needs,
        }
    )


def decode_order(line: str) -> Order | TimingOrder:
    """Raises ExecutorError for what is no order, and if this version would give a trial another key than its sender did."""
    with _readable("an order", line) as sent:
        if "first" in sent:
            first, second = _trial(sent["first"]), _trial(sent["second"])
            return made(TimingOrder, first=first, second=second, machine=sent["machine"])
        return made(
            Order,
            trial=_trial(sent),
            weights=sent["weights"],
            checkpoint=sent["checkpoint"],
            hurdles=tuple(made(Hurdle, **one) for one in sent["hurdles"]),
            retell=sent["retell"],
            needs=tuple(sent["needs"]),
        )


def _trial_body(trial: Trial) -> dict[str, Any]:
    return {
        "key": trial.key,
        "name": trial.arm.name,
        "settings": trial.arm.settings.model_dump(mode="json", by_alias=True),
        "data": trial.arm.settings.data.facts.plain(),
        "seed": trial.number,
        "precision": trial.precision,
        "sources": None if (own := trial.arm.sources) is None else _sources_body(own),
    }


def _sources_body(sources: Sources) -> dict[str, Any]:
    """Files of fairtrial's own are named so that they are found wherever it is installed."""
    return {"folder": sources.folder, "files": [*files_of(sources).items()], "home": sources.home}


def _trial(sent: dict[str, Any]) -> Trial:
    given = sent["sources"]
    sources = None
    if given is not None:
        files = placed(dict(given["files"]), Path(given["folder"])).files
        sources = made(Sources, folder=given["folder"], files=files, home=given["home"])
    context = {"facts": from_plain(sent["data"])}
    settings = ArmSettings.model_validate(sent["settings"], context=context)
    arm = Arm(name=sent["name"], settings=settings, sources=sources)
    trial = made(Trial, arm=arm, seed=sent["seed"], precision=sent["precision"])
    if trial.key != sent["key"]:
        raise ExecutorError(
            f"the worker computes key {trial.key[:12]} for a trial sent as {sent['key'][:12]}: "
            "it runs another version of fairtrial; install one version for both"
        )
    return trial


def encode_event(event: Event) -> str:
    body = asdict(event)
    if isinstance(event, Progress):
        body["record"] = event.record._asdict()
    if isinstance(event, Outcome):
        body["history"] = [record._asdict() for record in event.history]
    if isinstance(event, Outcome) and event.predictions is not None:
        body["predictions"] = {
            "classes": _text(event.predictions.classes),
            "probabilities": _text(event.predictions.probabilities),
            "right": _text(event.predictions.right),
            "evaluations": event.predictions.evaluations,
        }
    return json.dumps({"event": type(event).__name__, **body})


def kind_of(line: str) -> str:
    """The name of the event in a line, told without decoding it.

    >>> kind_of(encode_event(Ready()))
    'Ready'
    """
    return line[len(_BEFORE_KIND) :].partition('"')[0]


def is_last(line: str) -> bool:
    """Whether an order has ended with this event."""
    return kind_of(line) in _LAST


def decode_event(line: str) -> Event:
    """What a worker says. Raises ExecutorError for a line that no worker of this version sends."""
    with _readable("an event", line) as body:
        match body.pop("event"):
            case "Ready":
                return made(Ready, **body)
            case "Started":
                return made(Started, **body)
            case "Progress":
                return made(Progress, **{**body, "record": made(EpochRecord, **body["record"])})
            case "Lost":
                return made(Lost, **body)
            case "Unsaved":
                return made(Unsaved, **body)
            case "Outcome":
                body["history"] = tuple(made(EpochRecord, **record) for record in body["history"])
                if body["predictions"] is not None:
                    sent = body["predictions"]
                    body["predictions"] = made(
                        Predictions,
                        classes=_array(sent["classes"], np.uint8),
                        probabilities=_array(sent["probabilities"], np.float32),
                        right=_array(sent["right"], np.uint8),
                        evaluations=sent["evaluations"],
                    )
                return made(Outcome, **body)
            case "PairTimes":
                sides = {side: made(ArmTimes, **body[side]) for side in ("first", "second")}
                return made(PairTimes, **{**body, **sides})
            case unknown:
                raise ExecutorError(
                    f"a worker sent an event this version does not know: {shortened(repr(unknown))}"
                )


@contextmanager
def _readable(what: str, line: str) -> Generator[dict[str, Any]]:
    """The line's JSON, and whatever cannot be made of it as an ExecutorError."""
    try:
        if not line.isascii():
            raise ValueError("it is not ASCII")
        yield json.loads(line)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ExecutorError(
            f"{what} cannot be read ({shortened(type(error).__name__)}; it begins with {shortened(repr(line[:60]))}): "
            "executor and worker need the same version of fairtrial; install one for both, and run again"
        ) from error


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _array(text: str, dtype: type[np.generic]) -> NDArray[Any]:
    content = base64.b64decode(text, validate=True)
    return np.frombuffer(content, dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype)
