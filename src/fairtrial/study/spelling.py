"""Settings as a study file spells them: plain values again, and plain values as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel

from fairtrial.study.layers import LAYERS
from fairtrial.study.own import Own
from fairtrial.study.schema import ArmSettings, Margins, Study
from fairtrial.study.yamltree import scalar

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+%-]*")


def spelled(settings: ArmSettings) -> dict[str, Any]:
    """The settings that were written, as the mapping a file would hold; what was left at its default is left out.

    That difference matters to what departs from them: another optimiser keeps a learning rate that was
    written, and brings its own in place of one that was not.

    >>> spelled(ArmSettings.model_validate({"epochs": 5, "network": {"layers": ["flatten", {"dense": {"units": 9}}]}}))
    {'network': {'layers': ['flatten', {'dense': 9}]}, 'epochs': 5}
    """
    return {name: _spelled(getattr(settings, name)) for name in _written(settings)}


def head(study: Study) -> dict[str, Any]:
    """Seeds, confidence and margins of a study, as a file writes them."""
    return {
        "seeds": {"min": study.seeds.min, "max": study.seeds.max},
        "confidence": study.confidence,
        "margins": _margins(study.margins),
    }


def flow(value: object) -> str:
    """A plain value as YAML in one line.

    >>> flow({"mlp": {"width": 50}, "note": "a: b", "rates": [1e-07, True, "yes", "true", None]})
    '{mlp: {width: 50}, note: "a: b", rates: [1e-07, true, yes, "true", null]}'
    """
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in entries.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(one) for one in cast("Sequence[object]", value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and scalar(value) == value:
        return value
    return json.dumps(value)


def _written(model: BaseModel) -> list[str]:
    """Fields somebody gave, in the model's order."""
    return [name for name in type(model).model_fields if name in model.model_fields_set]


def _spelled(value: object) -> Any:
    match value:
        case BaseModel():
            kind = getattr(value, "kind", None)
            fields = {name: _spelled(getattr(value, name)) for name in _written(value) if name != "kind"}
            if kind is None:
                return fields
            if kind not in LAYERS:
                return {kind: fields}
            return _layer(kind, fields)
        case Own():
            return value.as_dict()
        case tuple():
            return [_spelled(one) for one in cast("tuple[object, ...]", value)]
        case _:
            return value


def _layer(kind: str, fields: dict[str, Any]) -> Any:
    shorthand = LAYERS[kind].shorthand
    if not fields:
        return kind
    return {kind: fields[shorthand] if shorthand is not None and list(fields) == [shorthand] else fields}


def _margins(margins: Margins) -> dict[str, str]:
    units = {"accuracy": "pp", "loss": "%", "time": "%"}
    return {name: f"{_hundredfold(getattr(margins, name))}{unit}" for name, unit in units.items()}


def _hundredfold(share: float) -> str:
    # Decimal, because 100 * 0.07 is not 7 in binary.
    return f"{(100 * Decimal(repr(share))).normalize():f}"
