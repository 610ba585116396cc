"""A trial, its key, and what comes of it: the values that engine, executors and store exchange."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairtrial.identity import canonical as canonical
from fairtrial.identity import data_fingerprint as data_fingerprint
from fairtrial.pair import PairTimes
from fairtrial.study.schema import Arm

ENGINE_VERSION = 2
"""Raised whenever the same trial could give another number than before."""

ResolvedPrecision = Literal["float32", "bfloat16"]
State = Literal["finished", "diverged", "failed", "stopped"]

METRICS = (
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
    "validation_accuracy_last_epoch",
    "validation_loss_last_epoch",
    "test_accuracy_last_epoch",
    "test_loss_last_epoch",
    "validation_seen",
)


BLOCK = 1000
"""Seeds in a block. What was selected on some seeds is never judged on them, so each use has its own block."""

QUESTIONS, SEARCH, RETUNING, CONFIRMATION = 0, BLOCK, 2 * BLOCK, 3 * BLOCK
"""Where the numbers begin: seeds 1 to 999 answer questions, from 1001 a search is made on, from 2001 arms are tuned
anew, from 3001 a selected arm is confirmed (each further confirmation takes the next block)."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One network to train from scratch: the experimental unit of a study. `seed` counts within its arm's block."""

    arm: Arm
    seed: int
    precision: ResolvedPrecision

    @property
    def number(self) -> int:
        """The whole number that fixes all randomness of the trial."""
        return self.arm.block + self.seed

    @property
    def arm_key(self) -> str:
        """SHA-256 of what the arm computes, whatever engine version computes it."""
        return _identity(self.arm, self.precision, ENGINE_VERSION).arm_key

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything that can change this trial's numbers."""
        return _sha256(f"{_identity(self.arm, self.precision, ENGINE_VERSION).before_seed}{self.number}}}")


@dataclass(frozen=True, slots=True)
class _Identity:
    """What all trials of one arm share: its key, and the text of a trial's identity up to its seed."""

    arm_key: str
    before_seed: str


@lru_cache(maxsize=16_384)
def _identity(arm: Arm, precision: ResolvedPrecision, engine: int) -> _Identity:
    """Worked out once for an arm, not once for a trial: a study asks for thousands of keys of each."""
    shared: dict[str, Any] = {
        "arm": canonical(arm),
        "data": data_fingerprint(arm),
        "precision": precision,
    }
    # In canonical JSON, where names are sorted, the seed comes last.
    with_engine = _json({**shared, "engine": engine})
    return _Identity(_sha256(_json(shared)), f'{with_engine.removesuffix("}")},"seed":')


def keys_from(
    settings: str, *, data: str, precision: str, engine: int, numbers: Iterable[int]
) -> tuple[str, list[str]]:
    """The arm's key and those of its trials, from what a store keeps: `settings` is the arm's canonical JSON."""
    arm, rest = f'{{"arm":{settings},"data":"{data}",', f'"precision":"{precision}"'
    keys = [_sha256(f'{arm}"engine":{engine},{rest},"seed":{number}}}') for number in numbers]
    return _sha256(f"{arm}{rest}}}"), keys


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class EpochRecord(NamedTuple):
    """One epoch: Keras's running means over the training batches, then validation at its end.

    A named tuple, since a large store has millions of them: making one takes a tenth of what a frozen dataclass does.
    """

    epoch: int
    train_accuracy: float
    train_loss: float
    validation_accuracy: float
    validation_loss: float
    train_seconds: float
    validation_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Per test image: the class predicted at the end, its probability, and how often it was right.

    `right` counts, of `evaluations` evaluations spread over the last epoch, those that got the
    image right. Arrays of one entry per test image.
    """

    classes: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    right: NDArray[np.uint8]
    evaluations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one trial measured, or that it diverged. Final: one per key."""

    key: str
    state: Literal["finished", "diverged"]
    epochs: int
    """Epochs completed; for a diverged trial, those before the one it diverged in."""
    metrics: dict[str, float]
    """By the names in METRICS; empty for a diverged trial."""
    seconds: dict[str, float]
    """By phase: train, validation, last_epoch, test, setup; `fit` is train plus validation."""
    history: tuple[EpochRecord, ...]
    provenance: dict[str, str]
    weights_sha256: str = ""
    predictions: Predictions | None = None
    reason: str = ""
    """For a diverged trial: what became non-finite, and in which epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A worker has started and waits for its first trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker has begun this trial."""

    key: str
    worker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A worker has finished an epoch of this trial."""

    key: str
    record: EpochRecord
    epochs: int


ATTEMPTS = 3
"""A trial that failed this often is given up, until a further run is asked for: that tries it once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An attempt that ended without an outcome: out of memory, killed, disk full, stopped."""

    key: str
    state: Literal["failed", "stopped"]
    reason: str
    retry: bool = True
    """Whether trying again could help; as told to whoever watches a run, whether it will be."""
    memory: bool = False
    """Whether it ended for want of memory: elsewhere there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaved:
    """A file beside the store that could not be written. The trial goes on, and its outcome counts, without it."""

    key: str
    what: Literal["weights", "checkpoint"]
    reason: str

    def __str__(self) -> str:
        if self.what == "weights":
            return f"its weights could not be saved ({self.reason}); its outcome is kept without them"
        return f"its checkpoint could not be saved ({self.reason}); if it is interrupted it begins anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing has happened for a while: time to refresh claims and the screen."""


Event = Ready | Started | Progress | Outcome | Lost | Unsaved | PairTimes | Idle


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """A trial as the store knows it: its outcome so far and where it came from."""

    key: str
    arm_key: str
    arm_name: str
    seed: int
    precision: ResolvedPrecision
    engine_version: int
    outcome: Outcome
    attempts: tuple[Lost, ...] = field(default=())
