"""PyTorch's layers, functions, optimisers and loaders in the words of a study file, with PyTorch's defaults."""

from __future__ import annotations

import ast
from typing import Any, cast

from fairtrial.audit import keras_words
from fairtrial.audit.activations import activation_name
from fairtrial.audit.document import Place
from fairtrial.audit.experiment import LayerSeen
from fairtrial.audit.keras_words import made_unknown, shown
from fairtrial.audit.state import State, said
from fairtrial.audit.values import (
    Batches,
    Instance,
    LayerMade,
    Net,
    OptimizerMade,
    Tensor,
    Unknown,
    Value,
    number,
    whole,
)

_ACTIVATIONS = frozenset(
    ["ReLU", "Sigmoid", "Tanh", "GELU", "ELU", "SELU", "SiLU", "LeakyReLU", "Softplus", "Identity", "Softmax", "LogSoftmax"]
)  # fmt: skip
# Rate and the settings in which PyTorch's defaults are not those of a study file (Keras's).
_OPTIMIZERS: dict[str, tuple[float, dict[str, str]]] = {
    "Adam": (0.001, {"epsilon": "1e-08"}),
    "AdamW": (0.001, {"epsilon": "1e-08", "weight_decay": "0.01"}),
    "SGD": (0.001, {}),
    "RMSprop": (0.01, {"rho": "0.99", "epsilon": "1e-08"}),
    "Adagrad": (0.01, {"initial_accumulator_value": "0.0", "epsilon": "1e-10"}),
}
_SETTINGS = {"eps": "epsilon", "momentum": "momentum", "nesterov": "nesterov", "alpha": "rho", "weight_decay": "weight_decay"}  # fmt: skip


def library_call(
    state: State, node: ast.Call, path: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value | None:
    """What PyTorch gives for this call; None for what an audit has no use for."""
    word = path.rpartition(".")[2]
    if path.startswith("torch.nn.functional.") or path in (
        "torch.relu",
        "torch.sigmoid",
        "torch.tanh",
        "torch.flatten",
    ):
        return _function(state, node, word, arguments, keywords)
    if path in ("torch.nn.Sequential", "torch.nn.ModuleList"):
        return _sequential(state, node, arguments)
    if path.startswith("torch.nn.init."):
        return None
    if path.startswith("torch.nn.") and word[:1].isupper():
        return None if word.endswith("Loss") else layer(state, node, word, arguments, keywords)
    if path.startswith("torch.optim.") and word in _OPTIMIZERS:
        return _optimizer(node, word, arguments, keywords)
    if path.startswith("torch.optim.") and path.count(".") == 2 and word[:1].isupper():
        return OptimizerMade(word.lower(), number(keywords.get("lr")), {}, (), _net(arguments))
    if word == "DataLoader":
        return Batches(
            whole(keywords.get("batch_size", arguments[1] if len(arguments) > 1 else 1)), said(node)
        )
    if path == "torch.compile":
        return arguments[0] if arguments else None
    if arguments and isinstance(arguments[0], Tensor):
        return Tensor((*arguments[0].layers, made_unknown(state, node)))
    if arguments and isinstance(net := _net(arguments), Net):
        net.used = True
    return None


def layer(
    state: State, node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> LayerMade:
    """A module of torch.nn as a layer."""
    given = dict(keywords)
    order: dict[str, tuple[str, ...]] = {
        "Linear": ("in_features", "out_features", "bias"),
        "LazyLinear": ("out_features", "bias"),
        "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
        "MaxPool2d": ("kernel_size", "stride", "padding"),
        "AvgPool2d": ("kernel_size", "stride", "padding"),
        "Dropout": ("p",),
        "Dropout2d": ("p",),
        "BatchNorm2d": ("num_features", "eps", "momentum"),
        "BatchNorm1d": ("num_features", "eps", "momentum"),
    }
    given.update(zip(order.get(word, ()), arguments, strict=False))
    kind, settings = _translated(word, given)
    if kind is None:
        return made_unknown(state, node)
    shape = whole(given.get("in_features")) if word == "Linear" else None
    return LayerMade(LayerSeen(kind, settings, said(node), state.here(node)), (shape,) if shape else None)


def _translated(word: str, given: dict[str, Value]) -> tuple[str | None, dict[str, Any]]:
    settings: dict[str, Any] = {}
    match word:
        case "Linear" | "LazyLinear":
            settings = {"units": whole(given.get("out_features")), "activation": "linear"}
            kind = "dense"
        case "Conv2d":
            kind = "conv"
            settings = {
                "filters": whole(given.get("out_channels")),
                "kernel": _window(given.get("kernel_size")),
                "activation": "linear",
            }
            stride, padding = _window(given.get("stride", 1)), given.get("padding", 0)
            if stride != 1:
                settings["stride"] = stride
            same = isinstance(settings["kernel"], int) and padding == (settings["kernel"] - 1) / 2
            if padding == "same" or (padding != 0 and same and stride == 1):
                settings["padding"] = "same"
            elif padding not in (0, "valid", (0, 0)):
                return None, {}
            if whole(given.get("groups", 1)) != 1 or whole(given.get("dilation", 1)) != 1:
                return None, {}
        case "MaxPool2d" | "AvgPool2d":
            kind = "pool" if word == "MaxPool2d" else "average_pool"
            settings = {"size": _window(given.get("kernel_size"))}
            if given.get("stride") is not None and _window(given["stride"]) != settings["size"]:
                settings["stride"] = _window(given["stride"])
            if given.get("padding", 0) != 0:
                return None, {}
        case "Dropout":
            kind, settings = "dropout", {"rate": number(given.get("p", 0.5))}
        case "BatchNorm2d" | "BatchNorm1d":
            # PyTorch's momentum is the share of the new value, a study file's that of the old one.
            momentum = number(given.get("momentum", 0.1))
            kind = "batch_norm"
            settings = {
                "momentum": None if momentum is None else round(1 - momentum, 6),
                "epsilon": number(given.get("eps", 1e-5)),
            }
        case "Flatten":
            kind = "flatten"
        case _ if word in _ACTIVATIONS:
            kind, settings = "activation", {"function": activation_name(word)}
        case _:
            return None, {}
    if given.get("bias") is False:
        settings["bias"] = False
    return kind, {name: value for name, value in settings.items() if value is not None}


def _function(
    state: State, node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value | None:
    """A function of torch.nn.functional applied to what flows through a network."""
    if not arguments or not isinstance(arguments[0], Tensor) or word.endswith(("loss", "entropy")):
        return None
    passed, rest = arguments[0], arguments[1:]
    words = {"max_pool2d": "MaxPool2d", "avg_pool2d": "AvgPool2d", "dropout": "Dropout", "flatten": "Flatten"}
    if word in words:
        made = layer(state, node, words[word], [] if word == "flatten" else rest, keywords)
    elif (function := activation_name(word)) is not None:
        made = LayerMade(LayerSeen("activation", {"function": function}, said(node), state.here(node)))
    else:
        made = made_unknown(state, node)
    return Tensor((*passed.layers, made))


def tensor_method(node: ast.Call, passed: Tensor, word: str, arguments: list[Value]) -> Value:
    """A method of what flows through a network: `x.view(-1, 784)` makes it flat."""
    flat = word == "flatten" or (word in ("view", "reshape") and len(arguments) == 2)
    if flat:
        return Tensor((*passed.layers, LayerMade(LayerSeen("flatten", {}, said(node), _place(passed, node)))))
    function = activation_name(word)
    if function is not None:
        seen = LayerSeen("activation", {"function": function}, said(node), _place(passed, node))
        return Tensor((*passed.layers, LayerMade(seen)))
    return Unknown() if word in ("size", "dim", "numel", "shape") else passed


def _place(passed: Tensor, node: ast.AST) -> Place:
    return passed.layers[-1].seen.place if passed.layers else Place(1, getattr(node, "lineno", 1))


def members(state: State, node: ast.AST, values: list[Value]) -> list[LayerMade]:
    """Layers out of what a network was given."""
    plain = [value.net if isinstance(value, Instance) else value for value in values]
    return keras_words.members(state, node, plain)


def _sequential(state: State, node: ast.Call, arguments: list[Value]) -> Net:
    if len(arguments) == 1 and isinstance(arguments[0], dict):
        arguments = list(cast("dict[str, Value]", arguments[0]).values())
    elif len(arguments) == 1 and isinstance(arguments[0], list):  # an OrderedDict of pairs
        pairs = cast("list[Value]", arguments[0])
        arguments = [
            one[1] if isinstance(one, tuple) and len(cast("Any", one)) == 2 else one for one in pairs
        ]
    net = Net("torch", state.place)
    # Inside a class it is a part of the class's network, which is entered instead.
    if not state.frames or "self" not in state.scope.maps[0]:
        state.made(net)
    net.put(members(state, node, arguments))
    return net


def _optimizer(
    node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> OptimizerMade:
    rate, own = _OPTIMIZERS[word]
    settings = {f"optimizer.{name}": value for name, value in own.items()}
    for theirs, ours in _SETTINGS.items():
        if theirs in keywords:
            key = "weight decay" if ours == "weight_decay" and word != "AdamW" else f"optimizer.{ours}"
            settings[key] = shown(keywords[theirs])
    if isinstance(betas := keywords.get("betas"), tuple) and len(cast("Any", betas)) == 2:
        settings["optimizer.beta_1"], settings["optimizer.beta_2"] = shown(betas[0]), shown(betas[1])
    given = keywords.get("lr", arguments[1] if len(arguments) > 1 else None)
    if given is None:
        return OptimizerMade(word.lower(), rate, settings, ("learning_rate",), _net(arguments, keywords))
    if number(given) is None:
        settings["learning_rate"] = shown(given)
    return OptimizerMade(word.lower(), number(given), settings, (), _net(arguments, keywords))


def _net(arguments: list[Value], keywords: dict[str, Value] | None = None) -> Net | None:
    for one in [*arguments[:1], *(keywords or {}).values()]:
        if isinstance(one, Instance):
            return one.net
        if isinstance(one, Net):
            return one
    return None


def _window(value: Value) -> Any:
    if isinstance(value, list | tuple):
        sizes = [whole(one) for one in cast("list[Value]", value)]
        return (
            (sizes[0] if len(set(sizes)) == 1 else sizes) if len(sizes) == 2 and None not in sizes else None
        )
    return whole(value)
