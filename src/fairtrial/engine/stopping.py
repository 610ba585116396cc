"""When training ends: after the last epoch, or early where validation has stopped improving.

Both questions are answered from the history alone, so a resumed trial stops where it would have.
"""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.study.schema import ArmSettings
from fairtrial.study.training import EarlyStopping
from fairtrial.trial import EpochRecord


def stops_after(history: Sequence[EpochRecord], settings: ArmSettings) -> bool:
    """Whether training is over once the epochs of `history` are done."""
    if len(history) >= settings.epochs:
        return True
    rule = settings.early_stopping
    return rule is not None and epochs_without_gain(history, rule) >= rule.patience


def stops_at_the_latest(history: Sequence[EpochRecord], settings: ArmSettings) -> bool:
    """Whether the epoch after `history` may be the last, so that it must be watched closely."""
    if len(history) + 1 == settings.epochs:
        return True
    rule = settings.early_stopping
    return rule is not None and epochs_without_gain(history, rule) + 1 >= rule.patience


def epochs_without_gain(history: Sequence[EpochRecord], rule: EarlyStopping) -> int:
    """How many epochs ago the monitored value last improved by more than `min_delta`."""
    best: float | None = None
    waited = 0
    for record in history:
        value = -record.validation_loss
        if rule.monitor == "validation_accuracy":
            value = record.validation_accuracy
        if best is None or value > best + rule.min_delta:
            best, waited = value, 0
        else:
            waited += 1
    return waited
