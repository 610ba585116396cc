"""A trial made again from what a store keeps of it: its arm's settings, its number and its precision.

Only the names, titles and notes of a study file are missing there, none of which can change a number. That
nothing else is lost is shown each time: the trial must come out with the key it is stored under.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import ValidationError

from fairtrial.errors import StoreError
from fairtrial.images.facts import from_plain
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import ENGINE_VERSION, ResolvedPrecision, Trial


def restored(
    *, key: str, name: str, settings: str, precision: str, number: int, engine_version: int
) -> Trial:
    """The trial stored under `key`, ready to be trained. Raises StoreError where it cannot be made again here.

    `settings` is the canonical JSON of its arm, `number` its seed as the store counts.
    """
    which = f"trial {key[:12]} (arm {name!r}, seed {number})"
    if engine_version != ENGINE_VERSION:
        raise StoreError(
            f"{which} was trained by engine version {engine_version}; this is engine version {ENGINE_VERSION}, which "
            "may give other numbers: train it again with the fairtrial that trained it"
        )
    trial = None
    if precision in get_args(ResolvedPrecision):
        try:
            arm = Arm(name=name, settings=_settings(json.loads(settings), precision))
            trial = Trial(arm=arm, seed=number, precision=precision)  # pyright: ignore[reportArgumentType]
        except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
            pass
    if trial is None or trial.key != key:
        raise StoreError(
            f"{which} cannot be made again from what the store keeps of it: another version of fairtrial wrote it, or "
            "the store was changed by hand (`fairtrial doctor` tells)"
        )
    return trial


def _settings(kept: dict[str, Any], precision: str) -> ArmSettings:
    """The settings whose canonical form this is. The output layer adds itself; the algorithm follows from the arm."""
    rate = kept["optimizer"].get("learning_rate")
    optimizer = dict(kept["optimizer"])
    if isinstance(rate, dict):
        optimizer["learning_rate"] = _schedule(rate)  # pyright: ignore[reportUnknownArgumentType]
    data = dict(kept["data"])
    context: dict[str, object] = {}
    if isinstance(content := data["dataset"], dict):
        # Which images these are is known; where they lie is for the cache to know.
        named = {"name": content["fingerprint"][:12], "source": None}  # pyright: ignore[reportUnknownVariableType]
        context["facts"] = from_plain({**content, **named})
        data["dataset"] = f"sha256:{content['fingerprint']}"
    return ArmSettings.model_validate(
        {
            "data": data,
            "network": {"layers": kept["network"][:-1]},
            "optimizer": optimizer,
            "batch_size": kept["batch_size"],
            "epochs": kept["epochs"],
            "early_stopping": kept.get("early_stopping"),
            "precision": precision,
        },
        context=context,
    )


def _schedule(kept: dict[str, Any]) -> dict[str, Any]:
    """The kind is a default of each schedule and so left out of the canonical form; what each one needs tells them apart."""
    kind = "exponential" if "rate" in kept else "step" if "factor" in kept else "cosine"
    return {"kind": kind, **kept}
