"""Each layer of a Keras model as a layer of ours, by the words with which `show --code` and `export` write Keras's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from fairtrial.errors import StudyError
from fairtrial.models.importing import functions
from fairtrial.models.importing.line import Line
from fairtrial.models.importing.settings import check
from fairtrial.models.importing.told import Part, Told, is_number, said
from fairtrial.study.keras_code import KERAS_NAMES
from fairtrial.study.layers import LAYERS, AnyLayer, Flatten
from fairtrial.study.shapes import Shape, layer_facts

KINDS = {made.keras_class: kind for kind, made in LAYERS.items()}

_INSTEAD = {
    "Conv1D": "conv, over height and width",
    "DepthwiseConv2D": "conv",
    "SeparableConv2D": "conv",
    "Conv2DTranspose": "conv",
    "GlobalMaxPooling2D": "global_average_pool, or pool over the whole image and flatten",
    "LayerNormalization": "batch_norm",
    "GroupNormalization": "batch_norm",
    "UnitNormalization": "batch_norm",
    "SpatialDropout2D": "dropout, which drops each number by itself",
    "AlphaDropout": "dropout",
    "GaussianDropout": "dropout",
    "GaussianNoise": "dropout, or data.augment",
    "ZeroPadding2D": "padding: same on the layer behind it",
    "PReLU": "leaky_relu or elu",
    "Lambda": "one of fairtrial's layers",
    "Normalization": "images as they are: fairtrial divides bytes by 255",
}
_MOVING = "data.augment: {shift: …, rotate: …, zoom: …}, which moves training images anew in each epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A layer as a study file's models read it, without what is at its default, and the part it came from."""

    layer: AnyLayer
    fields: dict[str, Any]
    part: Part


def hidden_of(line: Line, parts: tuple[Part, ...], told: Told, *, input_shape: Shape) -> list[Hidden]:
    """The layers before the output layer; what cannot be taken is told, each by its place and with a reason."""
    found: list[Hidden] = []
    shape: Shape | None = input_shape
    rows = _is_flat(line.input_shape, input_shape)
    for part in parts:
        before = len(told.mistakes)
        if _is_left_out(part, told, first=not found, shape=input_shape):
            rows = rows and part.kind != "Reshape"
            continue
        if rows and not found:
            found += _rows_of(part, told)
            shape = (math.prod(input_shape),)
        made = _made(part, told, shape)
        if made is None or len(told.mistakes) > before:
            shape = None
            continue
        found.append(made)
        if shape is not None:
            shape = _after(made, shape, told)
    return found or (_rows_of(line.layers[-1], told) if rows else [])


def _after(made: Hidden, shape: Shape, told: Told) -> Shape | None:
    try:
        return layer_facts((made.layer,), input_shape=shape)[0].output_shape
    except StudyError as error:
        told.refuse(made.part, str(error).split(") ", 1)[-1])
        return None


def _rows_of(part: Part, told: Told) -> list[Hidden]:
    """What makes rows of images, for a model that takes rows."""
    if part.kind == "Flatten":
        return []
    told.note(
        "the model takes images as rows of numbers; the arm begins with flatten, which makes such rows of them"
    )
    return [
        Hidden(layer=Flatten(), fields={"kind": "flatten"}, part=Part(place="", kind="Flatten", config={}))
    ]


def _is_flat(given: tuple[int | None, ...] | None, image: Shape) -> bool:
    return given is not None and len(given) == 2 and given[1] in (None, math.prod(image))


def _is_left_out(part: Part, told: Told, *, first: bool, shape: Shape) -> bool:
    """Layers that do to our images what is done to them anyway."""
    if part.custom:
        return False
    settings = part.config
    if part.kind == "Identity":
        told.note(f"{part.where}: it does nothing and is left out")
        return True
    if part.kind == "Rescaling" and first:
        scale, offset = settings.get("scale"), settings.get("offset", 0)
        if (
            is_number(scale)
            and math.isclose(scale, 1 / 255, rel_tol=1e-6)
            and is_number(offset)
            and offset == 0
        ):
            told.note(f"{part.where}: it is left out: fairtrial itself divides bytes by 255")
            return True
    if part.kind == "Reshape" and first and _target(settings) in (list(shape), [*shape[:2], -1]):
        told.note(f"{part.where}: it is left out: images have the shape {' x '.join(map(str, shape))} anyway")
        return True
    return False


def _target(settings: Mapping[str, Any]) -> list[Any]:
    return functions.cut(settings.get("target_shape"))


def _made(part: Part, told: Told, shape: Shape | None) -> Hidden | None:
    if part.custom:
        told.refuse(part, "it is a class of your own, whose code the file does not hold")
        return None
    if part.kind == "Reshape" and shape is not None and _target(part.config) in ([-1], [math.prod(shape)]):
        check(part, ("target_shape",), told)
        return _hidden(part, {"kind": "flatten"}, told)
    if part.kind in KINDS:
        return _of_kind(part, KINDS[part.kind], told, shape)
    function = functions.function_of_layer(part)
    if isinstance(function, str) and function != functions.SOFTMAX:
        check(part, ("max_value", "negative_slope", "threshold", "alpha"), told)
        return _hidden(part, {"kind": "activation", "function": function}, told)
    told.refuse(part, _why_not(part, function))
    return None


def _why_not(part: Part, function: str | tuple[str, ...] | None) -> str:
    if isinstance(function, tuple):
        return f"{function[0]}"
    if function == functions.SOFTMAX:
        return "softmax stands at the end of an arm alone, over its classes"
    if part.kind.startswith("Random"):
        return f"fairtrial has no such layer; instead there is {_MOVING}"
    if part.kind == "Rescaling":
        scale, offset = (said(part.config.get(name)) for name in ("scale", "offset"))
        return (
            f"it multiplies by {scale} and adds {offset}; an arm takes images as bytes divided by 255, and changes them no "
            f"more: Rescaling(1/255) as the first layer would be that"
        )
    if part.kind == "Reshape":
        return f"it makes {said(part.config.get('target_shape'))} of its input; an arm has flatten alone"
    instead = _INSTEAD.get(part.kind)
    nearest = f" ({instead} may do instead)" if instead else ""
    return f"fairtrial has no such layer{nearest}; it has {', '.join(KINDS)}"


def _of_kind(part: Part, kind: str, told: Told, shape: Shape | None) -> Hidden | None:
    model = LAYERS[kind]
    words = {name: KERAS_NAMES.get(name, name) for name in model.model_fields if name not in ("kind", "name")}
    fields: dict[str, Any] = {"kind": kind}
    for ours, theirs in words.items():
        if theirs not in part.config:
            if ours == "kernel":
                told.refuse(part, "it does not say its kernel_size")
            continue
        value: Any = part.config[theirs]
        if theirs == "activation":
            value = functions.activation_of(value, part, told)
            if value == functions.SOFTMAX:
                told.refuse(part, _why_not(part, functions.SOFTMAX))
                return None
        elif ours == "initializer":
            value = functions.initializer_of(value, part, told, key=theirs)
        if value is not None:
            fields[ours] = value
    check(part, (*words.values(), *(["axis"] if kind == "batch_norm" else [])), told)
    if kind == "batch_norm":
        _check_axis(part, told, shape)
    return _hidden(part, fields, told)


def _check_axis(part: Part, told: Told, shape: Shape | None) -> None:
    """Keras 2 writes the last axis as its number among all, the batch being 0."""
    axis = functions.cut(part.config.get("axis", -1))
    built = part.config.get("build_input_shape")
    rank = len(shape) if shape is not None else len(functions.cut(built)) - 1 if built is not None else -1
    if len(axis) != 1 or axis[0] not in (-1, rank):
        told.refuse(
            part,
            f"axis is {said(part.config.get('axis'))}: fairtrial normalises over the last, the channels; build it with axis=-1",
        )


def _hidden(part: Part, fields: dict[str, Any], told: Told) -> Hidden | None:
    """None where a value is none that a layer of ours can have, which `told` has been told."""
    model = LAYERS[fields["kind"]]
    try:
        layer = model.model_validate(fields)
    except ValidationError as error:
        for one in error.errors():
            ours = str(one["loc"][0]) if one["loc"] else ""
            theirs, why = KERAS_NAMES.get(ours, ours), f"{one['msg'][:1].lower()}{one['msg'][1:]}"
            given = fields.get(ours)
            told.refuse(
                part,
                f"it does not say its {theirs}"
                if ours not in fields
                else f"{theirs} is {said(given)}: {why}",
            )
        return None
    return Hidden(layer=cast("AnyLayer", layer), fields=_departures(layer), part=part)


def _departures(layer: BaseModel) -> dict[str, Any]:
    """Without what is at its default; a window is worth saying in any case, and its own stride is no departure."""
    dumped = layer.model_dump()
    fields = {
        name: value
        for name, value in dumped.items()
        if name != "name"
        and (name in ("kind", "kernel", "size") or value != type(layer).model_fields[name].default)
    }
    if "size" in fields and fields.get("stride") == fields["size"]:
        del fields["stride"]
    return fields
