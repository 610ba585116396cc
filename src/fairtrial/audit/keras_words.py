"""Keras's layers, models and optimisers in the words of a study file, with Keras's defaults."""

from __future__ import annotations

import ast
import re
from typing import Any, cast

from fairtrial.audit.activations import activation_name
from fairtrial.audit.experiment import LayerSeen
from fairtrial.audit.state import State, said
from fairtrial.audit.values import (
    Batches,
    CallbackMade,
    LayerMade,
    Method,
    Net,
    OptimizerMade,
    Reference,
    Tensor,
    Unknown,
    Value,
    number,
    whole,
)

# Each class: the study file's word, and the parameters in the order in which Keras takes them.
_LAYERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Dense": ("dense", ("units", "activation", "use_bias", "kernel_initializer")),
    "Conv2D": ("conv", ("filters", "kernel_size", "strides", "padding")),
    "Convolution2D": ("conv", ("filters", "kernel_size", "strides", "padding")),
    "MaxPooling2D": ("pool", ("pool_size", "strides", "padding")),
    "MaxPool2D": ("pool", ("pool_size", "strides", "padding")),
    "AveragePooling2D": ("average_pool", ("pool_size", "strides", "padding")),
    "AvgPool2D": ("average_pool", ("pool_size", "strides", "padding")),
    "GlobalAveragePooling2D": ("global_average_pool", ()),
    "GlobalAvgPool2D": ("global_average_pool", ()),
    "Flatten": ("flatten", ()),
    "Dropout": ("dropout", ("rate",)),
    "BatchNormalization": ("batch_norm", ("axis", "momentum", "epsilon")),
    "Activation": ("activation", ("activation",)),
    "ReLU": ("activation", ()),
    "LeakyReLU": ("activation", ()),
    "ELU": ("activation", ()),
    "Softmax": ("activation", ()),
}
_WORDS = {
    "units": "units", "filters": "filters", "kernel_size": "kernel", "strides": "stride", "padding": "padding",
    "pool_size": "size", "rate": "rate", "momentum": "momentum", "epsilon": "epsilon", "use_bias": "bias",
    "kernel_initializer": "initializer", "name": "name",
}  # fmt: skip
_WINDOWS = frozenset(["kernel_size", "strides", "pool_size"])
OF_NO_WEIGHT = frozenset(["Rescaling", "Normalization", "Reshape", "InputLayer"])
"""Layers that shape or scale the input, which a study does by itself; kept in the author's words."""
_CHANGING = frozenset(["kernel_regularizer", "kernel_constraint", "dilation_rate", "groups", "activity_regularizer", "alpha", "negative_slope", "max_value", "noise_shape", "data_format", "axis"])  # fmt: skip
"""Arguments that alter a layer in a way a study file has no word for."""
RATES = {"adam": 0.001, "adamw": 0.001, "sgd": 0.01, "rmsprop": 0.001, "adagrad": 0.001, "nadam": 0.001, "adadelta": 0.001, "adamax": 0.001, "ftrl": 0.001}  # fmt: skip
_OPTIMIZER_SETTINGS = ("momentum", "nesterov", "beta_1", "beta_2", "epsilon", "rho", "weight_decay", "initial_accumulator_value")  # fmt: skip


def library_call(
    state: State, node: ast.Call, path: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value | None:
    """What Keras or TensorFlow gives for this call; None for what an audit has no use for."""
    word = path.rpartition(".")[2]
    if path == "keras.Sequential":
        return _sequential(state, node, arguments, keywords)
    if path == "keras.Model":
        return _functional(state, node, arguments, keywords)
    if path == "keras.Input":
        return Tensor(
            (LayerMade(LayerSeen("input", {}, said(node), state.here(node)), _shape(arguments, keywords)),)
        )
    if path.startswith("keras.layers."):
        return layer(state, node, word, arguments, keywords)
    if path.startswith("keras.optimizers.schedules."):
        return Unknown(said(node))
    if path.startswith("keras.optimizers.") and word == "get":
        return optimizer(arguments[0]) if arguments else None
    if (
        path.startswith(("keras.optimizers.", "tensorflow.train."))
        and word.replace("Optimizer", "").lower() in RATES
    ):
        return _optimizer_object(node, word, arguments, keywords)
    if path.startswith("keras.callbacks."):
        names = ("monitor", "min_delta", "patience") if word == "EarlyStopping" else ()
        return CallbackMade(word, {**dict(zip(names, arguments, strict=False)), **keywords})
    if path.startswith("keras.applications.") and word[:1].isupper():
        return made_unknown(state, node)
    if word == "image_dataset_from_directory":
        return Batches(whole(keywords.get("batch_size", 32)), said(node))
    function = activation_name(Reference(path))
    if function is not None and arguments and isinstance(arguments[0], Tensor):
        return Tensor(
            (
                *arguments[0].layers,
                LayerMade(LayerSeen("activation", {"function": function}, said(node), state.here(node))),
            )
        )
    if (
        arguments
        and isinstance(arguments[0], Tensor)
        and not path.startswith(("keras.losses.", "tensorflow.math."))
    ):
        return Tensor((*arguments[0].layers, made_unknown(state, node)))
    return None


def layer(
    state: State, node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> LayerMade:
    """A layer object with what its call shows, and Keras's default where that is what decides."""
    place = state.here(node)
    shape = _shape((), keywords)
    if word in OF_NO_WEIGHT:
        if word == "InputLayer":
            return LayerMade(LayerSeen("input", {}, said(node), place), shape or _shape(arguments, {}))
        return LayerMade(LayerSeen(None, {}, said(node), place), shape)
    if word not in _LAYERS:
        return LayerMade(made_unknown(state, node).seen, shape)
    kind, order = _LAYERS[word]
    given = {**dict(zip(order, arguments, strict=False)), **keywords}
    settings: dict[str, Any] = {}
    for name, value in given.items():
        translated = _setting(name, value)
        if name in _WORDS and translated is not None:
            settings[_WORDS[name]] = translated
        elif name in ("name", "units", "filters") or value is None:
            pass  # a size that is not shown is missing from the settings, and said where it matters
        elif isinstance(value, Unknown) and name in _WORDS:
            state.note(node, f"{word} has {name}={shown(value)}, a value that the file does not show")
        elif name in _WORDS or (name in _CHANGING and _changes(name, value)):
            state.note(node, f"{word} has {name}={shown(value)}, which a study file cannot say")
    if kind in ("dense", "conv"):
        activation = activation_name(given.get("activation"))
        if activation is None:
            state.note(node, f"the activation of {said(node)} is not one that a study file knows")
        else:
            settings["activation"] = activation
    if kind == "activation":
        function = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}.get(word)
        function = function or activation_name(given.get("activation", Unknown()))
        if function is None:
            return LayerMade(made_unknown(state, node).seen, shape)
        settings["function"] = function
    return LayerMade(LayerSeen(kind, settings, said(node), place), shape)


def _setting(name: str, value: Value) -> Any:
    """A layer's setting as a study file writes it, or None."""
    if name in _WINDOWS:
        if isinstance(value, list | tuple):
            sizes = [whole(one) for one in cast("list[Value]", value)]
            if len(sizes) != 2 or None in sizes:
                return None
            return sizes[0] if sizes[0] == sizes[1] else sizes
        return whole(value)
    if name in ("units", "filters"):
        return whole(value)
    if name == "padding":
        return value.lower() if isinstance(value, str) and value.lower() in ("same", "valid") else None
    if name in ("rate", "momentum", "epsilon"):
        return number(value)
    if name == "use_bias":
        return value if isinstance(value, bool) else None
    if name == "kernel_initializer":
        return initializer(value)
    if name == "name":
        return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", value) else None
    return None


def initializer(value: Value) -> str | None:
    """An initialiser's name: a text, or a class such as `HeUniform`."""
    if isinstance(value, Reference | LayerMade):
        value = value.path.rpartition(".")[2] if isinstance(value, Reference) else ""
    if isinstance(value, Unknown):
        found = re.search(r"(glorot|he|lecun)_?(uniform|normal)\s*\(", value.said, re.IGNORECASE)
        value = f"{found[1]}_{found[2]}" if found else ""
    if not isinstance(value, str):
        return None
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).lower()
    return name if re.fullmatch(r"(glorot|he|lecun)_(uniform|normal)", name) else None


def made_unknown(state: State, node: ast.AST) -> LayerMade:
    """A layer that the vocabulary lacks, in the author's words, with a note that says so."""
    text = said(node)
    state.note(node, f"{text} is no layer that a study file knows")
    return LayerMade(LayerSeen(None, {}, text, state.here(node)))


def members(state: State, node: ast.AST, values: list[Value]) -> list[LayerMade]:
    """Layers out of what was put into a model: layers, models, lists of both."""
    found: list[LayerMade] = []
    for value in values:
        state.step()
        match value:
            case LayerMade():
                found.append(value)
            case Tensor():
                found.extend(value.layers)
            case Net():
                value.used = value.part = True
                found.extend(value.layers)
            case list() | tuple():
                found.extend(members(state, node, list(cast("list[Value]", value))))
            case None:
                pass
            case _:
                state.note(node, f"a layer of {said(node)} could not be followed")
                text = value.said if isinstance(value, Unknown) else ""
                found.append(LayerMade(LayerSeen(None, {}, text or said(node), state.here(node))))
    return found


def _sequential(state: State, node: ast.Call, arguments: list[Value], keywords: dict[str, Value]) -> Net:
    layers = arguments[0] if arguments else keywords.get("layers")
    net = state.made(Net("keras", state.place))
    net.put(members(state, node, [layers]))
    if isinstance(name := keywords.get("name"), str):
        net.name = name
    return net


def _functional(state: State, node: ast.Call, arguments: list[Value], keywords: dict[str, Value]) -> Net:
    outputs = keywords.get(
        "outputs", keywords.get("output", arguments[1] if len(arguments) > 1 else Unknown())
    )
    if isinstance(outputs, list | tuple):
        many = list(cast("list[Value]", outputs))
        outputs = many[0] if len(many) == 1 else Unknown()
    net = state.made(Net("keras", state.place))
    if isinstance(outputs, Tensor):
        net.put(outputs.layers)
    else:
        state.note(node, f"what passes through {said(node)} could not be followed")
    if isinstance(name := keywords.get("name"), str):
        net.name = name
    return net


def optimizer(value: Value) -> OptimizerMade | None:
    """An optimiser from its object or its name, with Keras's learning rate where the file has none."""
    if isinstance(value, OptimizerMade):
        return value
    if isinstance(value, Reference):  # the class without brackets
        value = value.word
    if isinstance(value, str) and value.lower() in RATES:
        return OptimizerMade(value.lower(), RATES[value.lower()], {}, ("learning_rate",))
    return None


def _optimizer_object(
    node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> OptimizerMade:
    name = word.replace("Optimizer", "").lower()
    given = keywords.get("learning_rate", keywords.get("lr", arguments[0] if arguments else None))
    settings = {f"optimizer.{key}": shown(keywords[key]) for key in _OPTIMIZER_SETTINGS if key in keywords}
    if given is None:
        return OptimizerMade(name, RATES[name], settings, ("learning_rate",))
    rate = number(given)
    if rate is None:
        settings["learning_rate"] = shown(given)
    return OptimizerMade(name, rate, settings)


def _shape(arguments: Any, keywords: dict[str, Value]) -> tuple[int, ...] | None:
    """An input's shape, without the batch."""
    value = keywords.get("input_shape", keywords.get("shape"))
    if value is None and isinstance(width := keywords.get("input_dim"), int):
        value = (width,)
    if value is None and arguments:
        value = arguments[0]
    if isinstance(value, list | tuple):
        sizes = [whole(one) for one in cast("list[Value]", value)]
        return tuple(size for size in sizes if size is not None) if None not in sizes else None
    return None


def _changes(name: str, value: Value) -> bool:
    """Whether an argument departs from a plain layer: `axis=-1` and `dilation_rate=1` do not."""
    return not (value is None or value in (-1, 1, (1, 1), "channels_last") or (name == "axis" and value == 3))


def shown(value: Value) -> str:
    if isinstance(value, Unknown):
        return value.said or "?"
    if isinstance(value, Reference):
        return value.path
    if isinstance(value, Method):
        return value.word
    if isinstance(value, list | tuple):  # a list of lists may be endless
        return f"({', '.join(shown(one) for one in cast('list[Value]', value)[:10] if not isinstance(one, list | tuple))})"
    return repr(value)[:80] if isinstance(value, bool | int | float | str) else type(value).__name__
