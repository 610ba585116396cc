"""A trial made again from what a store keeps of it: its arm's settings, its number and its precision.

Only the names, titles and notes of a study file are missing there, none of which can change a number. That
nothing else is lost is shown each time: the trial must come out with the key it is stored under.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from fairtrial.errors import StoreError
from fairtrial.images.facts import from_plain
from fairtrial.study.commands import placed, placeholders
from fairtrial.study.factories import module_folder, parts_of
from fairtrial.study.layers import Dense
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.sources import Sources
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
            arm = _arm(name, json.loads(settings), precision)
            trial = Trial(arm=arm, seed=number, precision=precision)  # pyright: ignore[reportArgumentType]
        except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
            pass
    if trial is None or trial.key != key:
        raise StoreError(
            f"{which} cannot be made again from what the store keeps of it: another version of fairtrial wrote it, or "
            "the store was changed by hand (`fairtrial doctor` tells)"
        )
    return trial


def _arm(name: str, kept: dict[str, Any], precision: str) -> Arm:
    """The arm whose canonical form this is; the user's own files are those of the current folder, if they are the same."""
    if "command" in kept:
        command = shlex.join(kept["command"])
        groups, context = _groups(kept.get("settings", {}), command), dict[str, object]()
        if "data" in groups:
            groups["data"], context = _data(groups["data"])
        settings = ArmSettings.model_validate(
            {
                "command": command,
                "parameters": kept.get("parameters", {}),
                "cores": kept.get("cores", "one"),
                **groups,
            },
            context=context,
        )
        return Arm(name=name, settings=settings, sources=placed(kept.get("files", {}), Path.cwd()))
    settings = _settings(kept, precision)
    if settings.network.python is None:
        return Arm(name=name, settings=settings)
    files = tuple(sorted((str(file), str(digest)) for file, digest in kept["network"]["files"].items()))
    place, _ = parts_of(settings.network.python)
    folder = Path.cwd() if place.endswith(".py") else module_folder(place)
    return Arm(name=name, settings=settings, sources=Sources(folder=str(folder), files=files))


def _groups(kept: dict[str, Any], command: str) -> dict[str, Any]:
    """The groups of settings that a command takes, as a file would write them."""
    groups = dict(kept)
    if "network" in groups:
        of_mlp = any(name.startswith("network.mlp") for name in placeholders(command))
        groups["network"] = _mlp(groups["network"]) if of_mlp else _network(groups["network"])
    if "optimizer" in groups:
        groups["optimizer"] = _optimizer(groups["optimizer"])
    return groups


def _data(kept: dict[str, Any]) -> tuple[dict[str, Any], dict[str, object]]:
    """Data settings as a file would write them, with the facts of their images where these are not in the catalogue."""
    data, context = dict(kept), dict[str, object]()
    if isinstance(content := data.get("dataset"), dict):
        # Which images these are is known; where they lie is for the cache to know.
        named = {"name": content["fingerprint"][:12], "source": None}  # pyright: ignore[reportUnknownVariableType]
        context["facts"] = from_plain({**content, **named})
        data["dataset"] = f"sha256:{content['fingerprint']}"
    return data, context


def _mlp(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Layers by the shorthand that they were written in: the command asks for its width or depth. All hidden ones are alike."""
    hidden = layers[1:-1]
    if not hidden:
        return {"mlp": {"depth": 0}}
    width = {"width": hidden[0]["units"], "depth": len(hidden)}
    return {"mlp": {**width, "activation": hidden[0].get("activation", Dense(units=1).activation)}}


def _network(kept: Any) -> dict[str, Any]:
    if isinstance(kept, dict):
        return {name: value for name, value in kept.items() if name != "files"}  # pyright: ignore[reportUnknownVariableType]
    return {"layers": kept[:-1]}


def _settings(kept: dict[str, Any], precision: str) -> ArmSettings:
    """The settings whose canonical form this is. The output layer adds itself; the algorithm follows from the arm."""
    data, context = _data(kept["data"])
    return ArmSettings.model_validate(
        {
            "data": data,
            "network": _network(kept["network"]),
            "optimizer": _optimizer(kept["optimizer"]),
            "batch_size": kept["batch_size"],
            "epochs": kept["epochs"],
            "early_stopping": kept.get("early_stopping"),
            "precision": precision,
        },
        context=context,
    )


def _optimizer(kept: dict[str, Any]) -> dict[str, Any]:
    rate = kept.get("learning_rate")
    return {**kept, "learning_rate": _schedule(rate)} if isinstance(rate, dict) else kept  # pyright: ignore[reportUnknownArgumentType]


def _schedule(kept: dict[str, Any]) -> dict[str, Any]:
    """The kind is a default of each schedule and so left out of the canonical form; what each one needs tells them apart."""
    kind = "exponential" if "rate" in kept else "step" if "factor" in kept else "cosine"
    return {"kind": kind, **kept}
