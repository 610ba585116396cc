"""What one arm changes against another, as departures that a third arm can make as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel

from fairtrial.study.factors import differences
from fairtrial.study.schema import Arm
from fairtrial.study.spelling import spelled

_NETWORK = ("network.mlp", "network.layers")


def departures(variant: Arm, baseline: Arm) -> dict[str, Any]:
    """Every setting in which the two differ, with the variant's value as a study file writes it.

    Where the two networks are made of other layers, the variant's as a whole.

    >>> from fairtrial.study.studyfile import load
    >>> arms = load("width").arms
    >>> departures(arms["width-200"], arms["width-50"])
    {'network.mlp.width': 200}
    """
    found: dict[str, Any] = {}
    for path in (one.path for one in differences(variant, baseline)):
        if path == "network.layers":
            found |= _whole_network(variant)
        elif path.startswith("network.layers."):
            found[path] = _of_layer(variant, path)
        elif not _lacking(variant, path):
            found[path] = _written(_at(variant, path))
    return found


def clash(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Those of the paths `one` that set what the paths `other` set too, or a part of it, or what it is part of.

    >>> clash(["network.mlp.width", "epochs"], ["network.layers"]), clash(["epochs"], ["batch_size"])
    (('network.mlp.width',), ())
    """
    others = list(other)
    return tuple(path for path in one if any(_overlap(path, there) for there in others))


def builds_on(later: tuple[Arm, Arm], earlier: tuple[Arm, Arm]) -> bool:
    """Whether the later comparison starts where the earlier one had got to, in what both of them set.

    Each is a variant and its baseline: 1000 units against 200 builds on 200 units against 50.
    """
    both = clash(departures(*earlier), departures(*later))
    apart = [one.path for one in differences(later[1], earlier[0])]
    return bool(both) and not clash(both, apart)


def _overlap(one: str, other: str) -> bool:
    reach, there = ("network" if path in _NETWORK else path for path in (one, other))
    return reach == there or reach.startswith(f"{there}.") or there.startswith(f"{reach}.")


def _whole_network(arm: Arm) -> dict[str, Any]:
    mlp = arm.settings.network.mlp
    if mlp is not None:
        return {"network.mlp": mlp.model_dump()}  # whatever it leaves at its default is said as well
    return {"network.layers": spelled(arm.settings)["network"]["layers"]}


def _of_layer(arm: Arm, path: str) -> Any:
    """The setting of a layer that is named or counted: `network.layers.first.kernel`."""
    reference, field = path.removeprefix("network.layers.").rsplit(".", maxsplit=1)
    named = {layer.name: layer for layer in arm.network[:-1]}
    layer = named[reference] if reference in named else arm.network[int(reference)]
    return _written(getattr(layer, field))


def _lacking(arm: Arm, path: str) -> bool:
    """A setting of the other arm's optimiser, which this one's does not know."""
    group, _, field = path.partition(".")
    return group == "optimizer" and field.partition(".")[0] not in type(arm.settings.optimizer).model_fields


def _at(arm: Arm, path: str) -> object:
    found: object = arm.settings
    for part in path.split("."):
        if getattr(found, "kind", None) != part:  # a schedule is reached through its kind
            found = getattr(found, part)
    return found


def _written(value: object) -> Any:
    """A value as a file holds it, all of its settings said."""
    if isinstance(value, BaseModel):
        fields: Mapping[str, Any] = value.model_dump()
        kind = fields.get("kind")
        inner = {name: one for name, one in fields.items() if name != "kind"}
        return inner if kind is None else {kind: inner}
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
