"""A model as an ONNX graph, written node by node.

torch's own exporter needs another package that is larger than the network, and names nodes as it likes; a row of
layers is a row of nodes, called as the study calls them.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.engine.exporting.members import Model, Weights
from fairtrial.engine.modules import padding_of
from fairtrial.errors import FairtrialError
from fairtrial.study import layers
from fairtrial.study.shapes import Shape, layer_facts, pair

OPSET, IR_VERSION = 17, 8
"""Of 2022: what every runtime of today reads."""
INPUT, OUTPUT = "images", "probabilities"
_DIRECT = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "softplus": ("Softplus", {}),
}


def onnx_library() -> Any:
    """The package `onnx`. Raises FairtrialError, saying how to install it."""
    try:
        return importlib.import_module("onnx")
    except ImportError:
        raise FairtrialError(
            'the format onnx needs the packages onnx and onnxruntime: pip install "fairtrial[onnx]"'
        ) from None


def write(model: Model, path: Path, *, card: str, about: str) -> None:
    """Input `images`: float32 (n, channels, height, width) in [0, 1]; output `probabilities`: (n, classes).

    `card` goes into the metadata as `fairtrial`.
    """
    onnx = onnx_library()
    height, width, channels = model.input_shape
    graph = _Graph(onnx)
    said = [
        graph.network(
            model.network, model.input_shape, weights, f"{member}/" if len(model.members) > 1 else ""
        )
        for member, weights in model.members.items()
    ]
    if len(said) == 1:
        graph.node("Identity", said, "probabilities", output=OUTPUT)
    else:
        graph.node("Mean", said, "mean of the members", output=OUTPUT)
    floats, classes = onnx.TensorProto.FLOAT, layer_facts(model.network, input_shape=model.input_shape)[-1]
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            model.name,
            [onnx.helper.make_tensor_value_info(INPUT, floats, ["n", channels, height, width])],
            [onnx.helper.make_tensor_value_info(OUTPUT, floats, ["n", classes.output_shape[0]])],
            initializer=graph.tensors,
            doc_string=about,
        ),
        producer_name="fairtrial",
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(made, {"fairtrial": card})
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString())


class _Graph:
    """Nodes in order and the tensors they use, each under a name of its own."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def node(self, kind: str, inputs: Sequence[str], name: str, output: str = "", **attributes: Any) -> str:
        """Add a node; gives the name of what it puts out."""
        made = output or f"{name}:{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [made], name=name, **attributes))
        return made

    def tensor(self, name: str, array: NDArray[np.float32]) -> str:
        self.tensors.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def network(self, network: layers.Network, shape: Shape, weights: Weights, prefix: str) -> str:
        at = INPUT
        facts = layer_facts(network, input_shape=shape)
        for layer, fact in zip(network, facts, strict=True):
            name = f"{prefix}{layer.name}"
            own = {
                one: weights[f"{layer.name}/{one}"]
                for one in _WEIGHTS.get(layer.kind, ())
                if f"{layer.name}/{one}" in weights
            }
            at = self.layer(layer, shape, own, name, at)
            shape = fact.output_shape
        return self.node("Softmax", [at], f"{prefix}softmax", axis=1)

    def layer(self, layer: layers.AnyLayer, shape: Shape, own: Weights, name: str, at: str) -> str:
        named = {
            one: self.tensor(f"{name}/{one}", _in_layout(layer, one, array)) for one, array in own.items()
        }
        match layer:
            case layers.Dense():
                at = self.node("MatMul", [at, named["kernel"]], name)
                if layer.bias:
                    at = self.node("Add", [at, named["bias"]], f"{name}/add")
                return self.activation(layer.activation, at, name)
            case layers.Conv():
                window: dict[str, Any] = _window(layer.kernel, layer.stride, layer.padding, shape)
                at = self.node("Conv", [at, *named.values()], name, **window)
                return self.activation(layer.activation, at, name)
            case layers.Pool():
                window: dict[str, Any] = _window(layer.size, layer.stride or layer.size, layer.padding, shape)
                return self.node("MaxPool", [at], name, **window)
            case layers.AveragePool():
                window: dict[str, Any] = _window(layer.size, layer.stride or layer.size, layer.padding, shape)
                return self.node("AveragePool", [at], name, count_include_pad=0, **window)
            case layers.GlobalAveragePool():
                return self.node(
                    "Flatten", [self.node("GlobalAveragePool", [at], name)], f"{name}/row", axis=1
                )
            case layers.Flatten():
                if len(shape) == 3:
                    at = self.node("Transpose", [at], f"{name}/last", perm=[0, 2, 3, 1])
                return self.node("Flatten", [at], name, axis=1)
            case layers.BatchNorm():
                order = [named[one] for one in _WEIGHTS["batch_norm"]]
                return self.node("BatchNormalization", [at, *order], name, epsilon=layer.epsilon)
            case layers.Activation():
                return self.activation(layer.function, at, name)
            case layers.Dropout():
                return at

    def activation(self, function: layers.ActivationName, at: str, name: str) -> str:
        name = f"{name}/{function}"
        if function == "linear":
            return at
        if function == "silu":
            return self.node("Mul", [at, self.node("Sigmoid", [at], name)], f"{name}/times")
        if function == "gelu":
            root, half, one = (
                self.tensor(f"{name}/{label}", np.array(value, np.float32))
                for label, value in (("root", math.sqrt(0.5)), ("half", 0.5), ("one", 1.0))
            )
            error = self.node("Erf", [self.node("Mul", [at, root], f"{name}/scaled")], name)
            share = self.node("Mul", [self.node("Add", [error, one], f"{name}/plus"), half], f"{name}/share")
            return self.node("Mul", [at, share], f"{name}/times")
        kind, attributes = _DIRECT[function]
        return self.node(kind, [at], name, **attributes)


_WEIGHTS = {
    "dense": ("kernel", "bias"),
    "conv": ("kernel", "bias"),
    "batch_norm": ("gamma", "beta", "moving_mean", "moving_variance"),
}


def _in_layout(layer: layers.AnyLayer, weight: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """ONNX has a convolution's kernel as (out, in, height, width)."""
    return array.transpose(3, 2, 0, 1) if isinstance(layer, layers.Conv) and weight == "kernel" else array


def _window(size: layers.Window, stride: layers.Window, padding: Any, shape: Shape) -> dict[str, list[int]]:
    left, right, top, bottom = padding_of(padding, shape, pair(size), pair(stride))
    return {"kernel_shape": [*pair(size)], "strides": [*pair(stride)], "pads": [top, left, bottom, right]}
