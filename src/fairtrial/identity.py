"""What an arm is made of, as plain values: everything that can change a number, and nothing else."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from fairtrial.study.algorithm import algorithm
from fairtrial.study.commands import files_of, words_of
from fairtrial.study.factories import identity_of
from fairtrial.study.layers import OUTPUT, AnyLayer, AveragePool, Conv, Dense, Dropout, Network, Pool
from fairtrial.study.schema import MAKING_IMAGES, Arm


def canonical(arm: Arm) -> dict[str, Any]:
    """The arm as plain JSON values: what can change a number, and nothing else.

    Fields at their default are left out, so that a field added later changes no old key; `mlp`
    is expanded; names of arms, titles and published figures do not enter.
    """
    return _of_command(arm) if arm.is_command else _of_settings(arm)


def data_fingerprint(arm: Arm) -> str:
    """Which images an arm is trained on; empty where a command has data of its own, of which nothing is known."""
    return arm.settings.data.facts.fingerprint if arm.has_data else ""


def _of_command(arm: Arm) -> dict[str, Any]:
    """The command's words as written, the files it is made of, and the settings it takes, whole groups of them."""
    settings = arm.settings
    identity: dict[str, Any] = {"command": list(words_of(settings.command or ""))}
    if settings.parameters:
        identity["parameters"] = settings.parameters.as_dict()
    if arm.sources is not None and arm.sources.files:
        identity["files"] = files_of(arm.sources)
    if settings.cores != "one":
        identity["cores"] = settings.cores
    uses = arm.uses or frozenset()
    if uses:
        known = _of_settings(arm)
        if not arm.is_described:
            known.pop("algorithm", None)
        taken = {name: value for name, value in known.items() if name in uses}
        if "precision" in uses and settings.precision != "auto":
            taken["precision"] = settings.precision
        identity["settings"] = taken
    return identity


def _of_settings(arm: Arm) -> dict[str, Any]:
    settings = arm.settings
    # Whatever was done to the images shows in their fingerprint; where they lie changes nothing.
    data = {name: value for name, value in _departures(settings.data).items() if name not in MAKING_IMAGES}
    data["dataset"] = settings.data.facts.identity
    if settings.data.train == settings.data.facts.train_images - settings.data.validation:
        data.pop("train", None)
    identity: dict[str, Any] = {
        "data": data,
        "network": _network(arm),
        "optimizer": _departures(settings.optimizer) | {"name": settings.optimizer.name},
        # A batch of more images than there are is the batch of all of them.
        "batch_size": min(settings.batch_size, settings.data.train_count),
        "epochs": settings.epochs,
    }
    if (way := algorithm(arm)) != "batched":
        identity["algorithm"] = way
    if settings.early_stopping is not None:
        identity["early_stopping"] = _departures(settings.early_stopping)
    return identity


def _network(arm: Arm) -> dict[str, Any] | list[dict[str, Any]]:
    """The layers; of a network of the user's own what it is built by, from which files, with which arguments."""
    own = arm.settings.network
    if own.python is None:
        return [_layer(layer, default) for layer, default in _with_default_names(arm.network)]
    identity: dict[str, Any] = {
        "python": identity_of(own.python),
        "files": dict(arm.sources.files) if arm.sources and not arm.is_command else {},
    }
    if own.arguments:
        identity["arguments"] = own.arguments.as_dict()
    return identity


def _layer(layer: AnyLayer, default_name: str) -> dict[str, Any]:
    entry = _departures(layer) | {"kind": layer.kind}
    # Where weights or masks are drawn, the name decides the stream: one of its own counts there only.
    if layer.name == default_name or not isinstance(layer, Dense | Conv | Dropout):
        entry.pop("name", None)
    if isinstance(layer, Pool | AveragePool) and layer.stride == layer.size:
        entry.pop("stride", None)
    return entry


def _with_default_names(network: Network) -> list[tuple[AnyLayer, str]]:
    if not network:
        return []
    counts: dict[str, int] = {}
    paired: list[tuple[AnyLayer, str]] = []
    for layer in network[:-1]:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        paired.append((layer, f"{layer.kind}-{counts[layer.kind]}"))
    return [*paired, (network[-1], OUTPUT)]


def _departures(model: BaseModel) -> dict[str, Any]:
    """Fields that differ from their defaults, numbers normalised (1 and 1.0 are one value)."""
    return model.model_dump(mode="json", exclude_defaults=True)
