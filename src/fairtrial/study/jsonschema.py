"""The study file as JSON Schema, so that editors complete and check it while it is written.

Made from the models, in the form of the file: layers as `flatten` or `dense: {units: 100}`,
dotted departures in arms, margins such as `0.1pp`. It cannot follow inheritance; what it lets
through `studyfile.load` still checks. `python -m fairtrial.study.jsonschema` prints it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from fairtrial.study.augment import Augment
from fairtrial.study.document import About, Document
from fairtrial.study.jsonparts import NOTHING, Schema, clean, described, first_line, or_nothing
from fairtrial.study.layers import LAYERS, Layer
from fairtrial.study.merge import OPTIMIZERS, SCHEDULES
from fairtrial.study.question_kinds import MOST_VALUES
from fairtrial.study.schema import ArmSettings, DataSettings, Mlp
from fairtrial.study.training import EarlyStopping

DOTTED: Schema = {r"\.": True}
AMOUNTS = {"accuracy": "pp", "loss": "%", "time": "%"}


def study_schema() -> Schema:
    """The whole schema, draft 2020-12."""
    document = _fields(Document)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fairtrial study",
        "description": first_line(Document),
        "type": "object",
        "required": ["schema", "arms"],
        "additionalProperties": False,
        "properties": {
            **document,
            "title": or_nothing(document["title"]),
            "data": described(or_nothing(_data()), document["data"]),
            "base": described(or_nothing(_body({})), document["base"]),
            "arms": {
                **document["arms"],
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"minLength": 1, "maxLength": 80, "not": {"const": "base"}},
                "additionalProperties": {"$ref": "#/$defs/Arm"},
            },
            "questions": or_nothing({"type": "array", "items": {"$ref": "#/$defs/Question"}}),
            "search": described(
                {
                    "anyOf": [
                        {"$ref": "#/$defs/Search"},
                        {"type": "array", "items": {"$ref": "#/$defs/Search"}},
                        NOTHING,
                    ]
                },
                document["search"],
            ),
            "seeds": or_nothing({"$ref": "#/$defs/Seeds"}),
            "margins": or_nothing({"$ref": "#/$defs/Margins"}),
            "facts": or_nothing(document["facts"]),
        },
        "$defs": {**_definitions(), **_own_definitions()},
    }


def text() -> str:
    """The schema as the file beside this module holds it."""
    return json.dumps(study_schema(), indent=1, sort_keys=True) + "\n"


def _own_definitions() -> Schema:
    """What a file writes otherwise than the models hold it."""
    arm = {
        "from": {
            "type": ["string", "number"],
            "description": "The arm this one starts from; without it, the base.",
        }
    }
    rate: Schema = {"type": "number", "exclusiveMinimum": 0}
    only_initial: Schema = {"type": "object", "required": ["initial"], "additionalProperties": False}
    return {
        "Arm": or_nothing(_body({**arm, **_fields(About)})),
        "Layer": {
            "anyOf": [
                {"enum": [kind for kind, model in LAYERS.items() if not _required(model)]},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {kind: _layer(model) for kind, model in LAYERS.items()},
                },
            ]
        },
        "LearningRate": {
            "description": "A number, or a schedule over the training.",
            "anyOf": [
                rate,
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "constant": {"anyOf": [rate, {"properties": {"initial": rate}, **only_initial}]},
                        **{kind: _group(model) for kind, model in SCHEDULES.items()},
                    },
                },
            ],
        },
        "Optimizer": {
            "type": "object",
            "description": f"One of {', '.join(OPTIMIZERS)}, with Keras's defaults.",
            "additionalProperties": False,
            "patternProperties": DOTTED,
            "properties": _optimizer_fields(),
        },
        "Network": {
            "type": "object",
            "description": "Either mlp or layers, to which the output layer is added, or python: code of your own.",
            "additionalProperties": False,
            "patternProperties": DOTTED,
            "properties": {
                "mlp": or_nothing(_group(Mlp)),
                "layers": _layers(),
                "python": _factory(),
                "arguments": {
                    "type": "object",
                    "description": "What the function given as python is called with.",
                },
            },
        },
    }


def _body(own: Mapping[str, Schema]) -> Schema:
    """The base or an arm: settings nested or dotted."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**own, **_settings(), **dict(_dotted())},
        "patternProperties": {
            r"^network\.layers\.[^.]+$": {"anyOf": [{"$ref": "#/$defs/Layer"}, {"type": "object"}]},
            rf"^network\.layers\.[^.]+\.({'|'.join(sorted(_layer_fields()))})$": True,
            r"^(published|parameters|network\.arguments)\.": True,
        },
    }


def _settings() -> Schema:
    return {
        **_fields(ArmSettings),
        "data": _data(),
        "network": {"anyOf": [{"$ref": "#/$defs/Network"}, _factory()]},
        "command": or_nothing({"type": "string", "minLength": 1, "description": _ABOUT["command"]}),
        "parameters": {"type": "object", "description": _ABOUT["parameters"]},
        "files": {"type": "array", "items": {"type": "string"}, "description": _ABOUT["files"]},
        "timeout": {"type": ["string", "number", "null"], "description": _ABOUT["timeout"]},
        "optimizer": {"$ref": "#/$defs/Optimizer"},
        "early_stopping": or_nothing(_group(EarlyStopping)),
    }


_ABOUT = {
    "command": "Run once for each trial, by no shell; {seed}, {optimizer.learning_rate} and the like are filled in.",
    "parameters": "Values of your own for the command: {parameters.dropout} or {dropout}.",
    "files": "Files besides those that the command names whose content can change a figure.",
    "timeout": "How long a trial may take, such as 10m.",
}


def _factory() -> Schema:
    return {
        "type": "string",
        "pattern": ":[A-Za-z_][A-Za-z0-9_]*$",
        "description": "The function that builds a torch module: mymodel.py:build, or an installed module:function.",
    }


def _data() -> Schema:
    group = _group(DataSettings)
    return {**group, "properties": {**group["properties"], "augment": _augment()}}


def _augment() -> Schema:
    return {"anyOf": [_group(Augment), {"const": "none"}, NOTHING], "description": first_line(Augment)}


def _dotted() -> Iterator[tuple[str, Schema]]:
    """Every dotted path of a setting, so that an editor offers it."""
    groups = {
        "data": _data(),
        "data.augment": _group(Augment),
        "network.mlp": _group(Mlp),
        "early_stopping": _group(EarlyStopping),
    }
    for path, group in groups.items():
        for name, field in group["properties"].items():
            yield f"{path}.{name}", field
    for name, field in _optimizer_fields().items():
        yield f"optimizer.{name}", field
    for kind, model in SCHEDULES.items():
        yield f"optimizer.learning_rate.{kind}", _group(model)
        for name, field in _fields(model).items():
            yield f"optimizer.learning_rate.{kind}.{name}", field
    yield "network.mlp", _group(Mlp)
    yield "network.python", _factory()
    yield "network.arguments", {"type": "object"}
    yield "network.layers", _layers()


def _layers() -> Schema:
    """The list, or departures from an inherited list: a mapping by name or position."""
    return {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Layer"}}, {"type": "object"}, NOTHING]}


def _layer(model: type[Layer]) -> Schema:
    """What follows the kind of a layer: its settings, its shorthand, or nothing."""
    required = _required(model)
    forms: list[Schema] = [{**_group(model), "required": required} if required else _group(model)]
    if model.shorthand:
        forms.append(_fields(model)[model.shorthand])
    return {"description": first_line(model), "anyOf": forms if required else [*forms, NOTHING]}


def _layer_fields() -> set[str]:
    return {name for model in LAYERS.values() for name in _fields(model)}


def _optimizer_fields() -> Schema:
    fields: Schema = {"name": {"enum": list(OPTIMIZERS)}}
    for model in OPTIMIZERS.values():
        for name, field in _fields(model).items():
            owners = [kind for kind, other in OPTIMIZERS.items() if name in other.model_fields]
            without_default = {key: value for key, value in field.items() if key != "default"}
            fields.setdefault(name, {**without_default, "description": f"Of {', '.join(owners)}."})
    return fields | {"learning_rate": {"$ref": "#/$defs/LearningRate"}}


def _group(model: type[BaseModel]) -> Schema:
    """A mapping of settings; none is required, since a departure may inherit it."""
    return {
        "type": "object",
        "description": first_line(model),
        "additionalProperties": False,
        "properties": _fields(model),
    }


def _required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _fields(model: type[BaseModel]) -> dict[str, Schema]:
    """The schema of each field, without the tags that a file writes as keys."""
    properties = clean(model.model_json_schema(by_alias=True))["properties"]
    return {name: field for name, field in properties.items() if name != "kind"}


def _definitions() -> Schema:
    """Models that a file writes as they are, with their few differences."""
    definitions: Schema = clean(Document.model_json_schema(by_alias=True))["$defs"]
    question = definitions["Question"]
    # In a file they are one: an editor completes all keys, and says which do not go together.
    for kind in (definitions.pop("Retuning"), definitions.pop("Combining")):
        question["properties"] = {**kind["properties"], **question["properties"]}
    question["required"] = []
    question["oneOf"] = [
        {"required": ["variant", "baseline"], "not": {"required": ["combine"]}},
        {"required": ["combine"], "not": {"anyOf": [{"required": ["variant"]}, {"required": ["retune"]}]}},
    ]
    question["properties"]["retune"] = {
        "type": "object",
        "minProperties": 1,
        "description": question["properties"]["retune"]["description"],
        "additionalProperties": {"type": "array", "minItems": 2, "maxItems": MOST_VALUES},
    }
    question["properties"]["combine"] |= {"minItems": 2, "uniqueItems": True}
    question["properties"]["id"]["description"] = "Without one: <variant>-vs-<baseline>."
    for role in ("variant", "baseline"):
        question["properties"][role] = {
            "type": ["string", "number"],
            "description": f"The name of the {role} arm.",
        }
    for name, unit in AMOUNTS.items():
        amount = definitions["Margins"]["properties"][name]
        default = amount.pop("default")
        pattern = rf"^\s*[0-9]+(\.[0-9]+)?\s*{unit}\s*$"
        written: Schema = {"type": "string", "pattern": pattern, "examples": [f"{default * 100:g}{unit}"]}
        definitions["Margins"]["properties"][name] = {"anyOf": [amount, written], "default": default}
    return {**clean(About.model_json_schema())["$defs"], **definitions}


if __name__ == "__main__":
    sys.stdout.write(text())
