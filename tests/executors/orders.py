"""Small trials to give an executor, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Event, Outcome, Trial

SMALL: dict[str, Any] = {"network": {"mlp": {"width": 8, "depth": 1}}, "data": {"train": 500}, "epochs": 2}


def trial(seed: int = 1, **changes: Any) -> Trial:
    settings = ArmSettings.model_validate({**SMALL, **changes})
    return Trial(arm=Arm(name="arm", settings=settings), seed=seed, precision="float32")


def outcome_of(events: Sequence[Event], key: str) -> Outcome:
    return next(event for event in events if isinstance(event, Outcome) and event.key == key)


def same_numbers(one: Outcome, other: Outcome) -> bool:
    """Whether two trainings of a trial agree in everything but seconds, to the bit."""
    return (one.key, one.state, one.metrics, one.weights_sha256, _history(one)) == (
        other.key,
        other.state,
        other.metrics,
        other.weights_sha256,
        _history(other),
    )


def _history(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in record._asdict().items() if "second" not in name}
        for record in outcome.history
    ]
