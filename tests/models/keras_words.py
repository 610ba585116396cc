"""Keras's own JSON of a model, written by hand, for tests that must not need Keras: what Keras 3.15 writes, nothing left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_DTYPE = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}
INITIALIZERS = {
    "glorot_uniform": "GlorotUniform", "glorot_normal": "GlorotNormal", "he_uniform": "HeUniform", "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform", "lecun_normal": "LecunNormal",
}  # fmt: skip
_NAMES = {
    "Dense": "dense", "Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "AveragePooling2D": "average_pooling2d",
    "GlobalAveragePooling2D": "global_average_pooling2d", "Flatten": "flatten", "Dropout": "dropout",
    "BatchNormalization": "batch_normalization", "Activation": "activation",
}  # fmt: skip


def initializer(name: str) -> dict[str, Any]:
    return _object("keras.initializers", name, {} if name in ("Zeros", "Ones") else {"seed": None})


def _object(module: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": dict(config), "registered_name": None}


def defaults(kind: str) -> dict[str, Any]:
    """What Keras writes of a layer of which nothing but the necessary was said."""
    trained = {
        "use_bias": True,
        "activation": "linear",
        "kernel_initializer": initializer("GlorotUniform"),
        "bias_initializer": initializer("Zeros"),
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
    }
    window = {"padding": "valid", "data_format": "channels_last"}
    own: dict[str, dict[str, Any]] = {
        "Dense": {**trained, "quantization_config": None},
        "Conv2D": {
            **trained,
            **window,
            "strides": [1, 1],
            "dilation_rate": [1, 1],
            "groups": 1,
            "activity_regularizer": None,
        },
        "MaxPooling2D": {"pool_size": [2, 2], "strides": [2, 2], **window},
        "AveragePooling2D": {"pool_size": [2, 2], "strides": [2, 2], **window},
        "GlobalAveragePooling2D": {"data_format": "channels_last", "keepdims": False},
        "Flatten": {"data_format": "channels_last"},
        "Dropout": {"seed": None, "noise_shape": None},
        "BatchNormalization": {
            "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True, "beta_initializer": initializer("Zeros"),
            "gamma_initializer": initializer("Ones"), "moving_mean_initializer": initializer("Zeros"),
            "moving_variance_initializer": initializer("Ones"), "beta_regularizer": None, "gamma_regularizer": None,
            "beta_constraint": None, "gamma_constraint": None, "synchronized": False, "renorm": False, "renorm_clipping": None,
            "renorm_momentum": 0.99,
        },
        "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        "LeakyReLU": {"negative_slope": 0.3},
        "ELU": {"alpha": 1.0},
        "Softmax": {"axis": -1},
    }  # fmt: skip
    return {"trainable": True, "dtype": _DTYPE, **own.get(kind, {})}


def layer(kind: str, **settings: Any) -> dict[str, Any]:
    """A layer as Keras writes it when it is called with these arguments."""
    config = {"name": _NAMES.get(kind, kind.lower()), **defaults(kind), **settings}
    for key, value in config.items():
        if key == "kernel_initializer" and isinstance(value, str):
            config[key] = initializer(INITIALIZERS[value])
        if key in ("kernel_size", "pool_size", "strides") and not isinstance(value, list):
            config[key] = list(value) if isinstance(value, tuple) else [value, value]
    if "pool_size" in settings and "strides" not in settings:
        config["strides"] = config["pool_size"]
    return _object("keras.layers", kind, config)


OUTPUT = layer("Dense", name="dense_9", units=10, activation="softmax")
ADAM = {
    "name": "adam", "learning_rate": 0.0010000000474974513, "weight_decay": None, "clipnorm": None, "global_clipnorm": None,
    "clipvalue": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False,
}  # fmt: skip


def optimizer(kind: str = "Adam", **settings: Any) -> dict[str, Any]:
    return _object("keras.optimizers", kind, {**ADAM, **settings} if kind == "Adam" else settings)


def sequential(
    *layers: Mapping[str, Any], shape: Sequence[int | None] | None = (None, 28, 28, 1), **compiled: Any
) -> dict[str, Any]:
    first = [] if shape is None else [_object("keras.layers", "InputLayer", {"batch_shape": list(shape), "dtype": "float32", "sparse": False, "ragged": False, "name": "input_layer", "optional": False})]  # fmt: skip
    made = _object("keras", "Sequential", {"name": "sequential", "trainable": True, "dtype": _DTYPE, "layers": [*first, *layers]})  # fmt: skip
    if compiled:
        compiled = {
            "loss": "sparse_categorical_crossentropy", "loss_weights": None, "metrics": ["accuracy"], "weighted_metrics": None,
            "run_eagerly": False, "steps_per_execution": 1, "jit_compile": True, **compiled,
        }  # fmt: skip
    return {**made, "compile_config": compiled}


def functional(
    *layers: Mapping[str, Any], after: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """Layers called one after the other; `after` says of a layer, by its name, what it is called with instead."""
    first = {**_object("keras.layers", "InputLayer", {"batch_shape": [None, 28, 28, 1], "name": "input"}), "name": "input", "inbound_nodes": []}  # fmt: skip
    entries: list[dict[str, Any]] = [first]
    for one in layers:
        name = one["config"]["name"]
        given = (after or {}).get(name, [entries[-1]["name"]])
        tensors = [
            {"class_name": "__keras_tensor__", "config": {"shape": [None], "keras_history": [before, 0, 0]}}
            for before in given
        ]
        call = {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": {}}
        entries.append({**one, "name": name, "inbound_nodes": [call]})
    last = [entries[-1]["name"], 0, 0]
    config = {
        "name": "functional",
        "layers": entries,
        "input_layers": ["input", 0, 0],
        "output_layers": [last],
    }
    return {
        **_object("keras.src.models.functional", "Functional", config),
        "registered_name": "Functional",
        "compile_config": {},
    }


def text(document: Mapping[str, Any]) -> str:
    return json.dumps(document)
