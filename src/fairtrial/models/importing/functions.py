"""Activations, initialisers and number formats as Keras writes them, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from fairtrial.models.importing.told import Part, Told, is_number, part_of, said
from fairtrial.study.layers import ActivationName, Initializer
from fairtrial.study.nearest import did_you_mean

ACTIVATIONS: tuple[str, ...] = get_args(ActivationName)
INITIALIZERS: tuple[str, ...] = get_args(Initializer)
SOFTMAX = "softmax"

_OTHER_NAMES = {"swish": "silu"}
_MEAN_ONE_THING = ("relu", "sigmoid", "tanh", "elu", "selu", "silu", "swish", "softplus", "softmax")
# Class names of Keras beside those that are the words themselves: GlorotUniform is glorot_uniform.
_CLASSES = {name.replace("_", ""): name for name in INITIALIZERS}
_SCALED = {
    (1.0, "fan_avg"): "glorot",
    (2.0, "fan_in"): "he",
    (1.0, "fan_in"): "lecun",
}
_DISTRIBUTIONS = {"uniform": "uniform", "truncated_normal": "normal"}


def activation_of(value: Any, part: Part, told: Told) -> str | None:
    """Our word for an activation, `softmax` too; None where there is none, which `told` has been told."""
    if value is None:
        return "linear"
    if isinstance(value, str):
        name = value
    else:
        name = _function(value, part, told)
    name = _OTHER_NAMES.get(name, name)
    if name in ACTIVATIONS or name == SOFTMAX:
        return name
    told.refuse(
        part,
        f"fairtrial has no activation {name!r}{did_you_mean(name, ACTIVATIONS)}; it has {', '.join(ACTIVATIONS)}",
    )
    return None


def _function(value: Any, part: Part, told: Told) -> str:
    """An activation that was given as a function, or as a layer: its name, or what it is where it has none of ours."""
    inner = part_of(value, "")
    if inner is None or inner.custom:
        return said(value)
    if inner.kind == "function":
        # Keras writes the name alone, of tf.nn.relu and of a function of the user's own; its own activations are words.
        if inner.name in _MEAN_ONE_THING:
            told.note(
                f"{part.where}: its activation is a function called {inner.name}, and is taken for Keras's own of that name"
            )
            return inner.name
        return f"function {inner.name}" if inner.name else said(value)
    found = function_of_layer(inner)
    return found if isinstance(found, str) else said(value)


def function_of_layer(part: Part) -> str | tuple[str, ...] | None:
    """The activation that a layer is which is nothing else, a reason why it is none of ours, or None for other layers."""
    settings = part.config
    match part.kind:
        case "ReLU":
            slope = settings.get("negative_slope", 0)
            if (
                settings.get("max_value") is None
                and slope in (0, None)
                and settings.get("threshold", 0) in (0, None)
            ):
                return "relu"
            return ("fairtrial's relu has neither max_value, negative_slope nor threshold",)
        case "LeakyReLU":
            slope = settings.get("negative_slope", settings.get("alpha", 0.3))
            if _is(slope, 0.2):
                return "leaky_relu"
            return (
                f"fairtrial's leaky_relu has a slope of 0.2, this one {said(slope)}: give negative_slope=0.2",
            )
        case "ELU":
            alpha = settings.get("alpha", 1)
            return "elu" if _is(alpha, 1) else (f"fairtrial's elu has an alpha of 1, this one {said(alpha)}",)
        case "Softmax":
            axis = settings.get("axis", -1)
            return (
                SOFTMAX
                if axis in (-1, [-1])
                else (f"its axis is {said(axis)}; only the last, -1, is over the classes",)
            )
        case _:
            return None


def _is(value: Any, wanted: float) -> bool:
    """Keras 2 kept some settings as float32."""
    return is_number(value) and abs(value - wanted) < 1e-7


def initializer_of(value: Any, part: Part, told: Told, *, key: str) -> str | None:
    """Our word for how weights are drawn; None where there is none, which `told` has been told."""
    inner = part_of(value, "")
    if inner is not None and not inner.custom:
        name = _CLASSES.get(inner.kind.lower(), inner.kind)
        if inner.kind == "VarianceScaling":
            name = _scaled(inner.config) or inner.kind
        if (
            inner.config.get("seed") is not None
            and name in INITIALIZERS
            and part_of(inner.config["seed"], "") is None
        ):
            told.note(
                f"{part.where}: seed {said(inner.config['seed'])} of its {key} is not taken: each trial draws weights of its own"
            )
    else:
        name = _CLASSES.get(value.lower().replace("_", ""), value) if isinstance(value, str) else said(value)
    if name in INITIALIZERS:
        return name
    told.refuse(
        part,
        f"{key} is {said(value)}: fairtrial draws weights by {', '.join(INITIALIZERS)}; take one of them",
    )
    return None


def _scaled(config: Mapping[str, Any]) -> str | None:
    scale, mode = config.get("scale", 1.0), config.get("mode", "fan_in")
    family = _SCALED.get((float(scale), mode)) if is_number(scale) and isinstance(mode, str) else None
    shape = config.get("distribution", "truncated_normal")
    distribution = _DISTRIBUTIONS.get(shape) if isinstance(shape, str) else None
    return f"{family}_{distribution}" if family and distribution else None


def policy_of(part: Part) -> str:
    """The number format that a layer computes in."""
    given = part.config.get("dtype")
    inner = part_of(given, "")
    name: Any = inner.config.get("name") if inner is not None else given
    return name if isinstance(name, str) else "float32" if name is None else said(given)


def precision_of(layers: tuple[Part, ...], told: Told) -> str | None:
    """`bfloat16` where Keras mixed it in as we do; None where all is in float32, as Keras does by itself."""
    policies = {part.where: policy_of(part) for part in layers}
    mixed = [where for where, policy in policies.items() if policy == "mixed_bfloat16"]
    for part in layers:
        policy = policies[part.where]
        if policy not in ("float32", "mixed_bfloat16"):
            told.refuse(
                part,
                f"it computes in {policy}: fairtrial does in float32, or with products in bfloat16 as mixed_bfloat16 does",
            )
    # The last layers must stay in float32 there: what they give are probabilities.
    weighty = [part.where for part in layers[:-1] if part.kind in ("Dense", "Conv2D")]
    if mixed and any(where not in mixed for where in weighty):
        told.refuse(
            "", "some of its layers compute in mixed_bfloat16 and some in float32; an arm has one precision"
        )
    return "bfloat16" if mixed else None


def cut(values: Any) -> list[Any]:
    return cast("list[Any]", values) if isinstance(values, list) else [values]
