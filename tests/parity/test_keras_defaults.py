"""What a study file leaves out is what Keras leaves out: the defaults of Keras's classes, one by one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from fairtrial.data.streams import generator
from fairtrial.engine.initializers import draw, variance
from fairtrial.engine.modules import activation
from fairtrial.study.layers import LAYERS, ActivationName, Initializer, Layer
from fairtrial.study.training import SGD, Adagrad, Adam, AdamW, LearningRate, Optimizer, RMSprop, rate_at

ABOUT: dict[str, Any] = json.loads(str(np.load(Path(__file__).parent / "golden.npz")["about"]))
DEFAULTS = ABOUT["defaults"]

KERAS_NAMES = {
    "kernel": "kernel_size",
    "stride": "strides",
    "size": "pool_size",
    "initializer": "kernel_initializer",
    "bias": "use_bias",
}
OURS_ALONE = {("conv", "kernel"), ("average_pool", "size")}
"""Defaults that Keras does not have: it asks for these sizes."""

SAME_MEANING = {None: "linear", (1, 1): 1, (2, 2): 2}


def defaults_of(model: type[Layer] | type[Optimizer]) -> dict[str, Any]:
    """Field by field what the description leaves out, the tags aside."""
    return {
        name: field.default
        for name, field in model.model_fields.items()
        if not field.is_required() and name not in ("kind", "name")
    }


def meaning(value: object) -> object:
    """Keras's way to write a value as ours."""
    if isinstance(value, list):
        value = tuple(value)
    return SAME_MEANING.get(value, value)


def layer_defaults() -> list[tuple[str, str]]:
    return [
        (kind, name)
        for kind, layer in LAYERS.items()
        for name in defaults_of(layer)
        if (kind, name) not in OURS_ALONE
    ]


@pytest.mark.parametrize(("kind", "name"), layer_defaults())
def test_a_layer_leaves_out_what_keras_leaves_out(kind: str, name: str) -> None:
    """A network written for Keras with few words is the same network here."""
    layer = LAYERS[kind]
    keras = DEFAULTS["layers"][layer.keras_class][KERAS_NAMES.get(name, name)]
    ours = defaults_of(layer)[name]
    if kind in ("pool", "average_pool") and name == "stride":
        assert ours is None and keras is None, "the window's size"
    else:
        assert meaning(ours) == meaning(keras)


@pytest.mark.parametrize("optimizer", [Adam, AdamW, SGD, RMSprop, Adagrad])
def test_an_optimiser_leaves_out_what_keras_leaves_out(optimizer: type[Optimizer]) -> None:
    """`optimizer: rmsprop` and `optimizer="rmsprop"` must train alike."""
    keras = DEFAULTS["optimizers"][optimizer.keras_class]
    ours = defaults_of(optimizer)
    assert ours
    assert ours == {name: keras[name] for name in ours}


@pytest.mark.parametrize("optimizer", [Adam, AdamW, SGD, RMSprop, Adagrad])
def test_what_an_optimiser_does_not_offer_is_off_in_keras(optimizer: type[Optimizer]) -> None:
    """A default of Keras that does something and has no field here would be done by Keras alone."""
    keras = DEFAULTS["optimizers"][optimizer.keras_class]
    absent = {name: value for name, value in keras.items() if name not in optimizer.model_fields}
    # The momentum of a moving average of the weights, which use_ema has turned off.
    absent.pop("ema_momentum")
    assert set(absent.values()) <= {None, False, "SGD", "Adam", "adam", "adamw", "rmsprop", "adagrad"}, absent


def test_activations_have_the_constants_of_keras() -> None:
    """torch's leaky_relu falls with .01, Keras's with .2; Keras's gelu is the exact one."""
    constants = {name: options for name, options in DEFAULTS["activations"].items() if options}
    assert constants == {
        "relu": {"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
        "leaky_relu": {"negative_slope": 0.2},
        "elu": {"alpha": 1.0},
        "gelu": {"approximate": False},
    }
    assert set(DEFAULTS["activations"]) == set(get_args(ActivationName))
    minus_one = torch.tensor([-1.0])
    for in_place in (False, True):
        values = {}
        for name in ("relu", "leaky_relu", "elu", "gelu"):
            function = activation(name, in_place=in_place)
            assert function is not None
            values[name] = function(minus_one.clone()).item()
        assert values == pytest.approx(
            {
                "relu": 0.0,
                "leaky_relu": -0.2,
                "elu": math.exp(-1) - 1,
                "gelu": -0.5 * math.erfc(1 / math.sqrt(2)),
            }
        )


@pytest.mark.parametrize("golden", ABOUT["initializers"], ids=lambda g: f"{g['name']}-{len(g['shape'])}d")
def test_initialisers_have_the_spread_of_keras(golden: dict[str, Any]) -> None:
    """A different fan or a normal that is not cut off starts every arm elsewhere."""
    name, shape = golden["name"], tuple(golden["shape"])
    ours = draw(name, shape, generator=generator(1, "init", name))
    assert ours.std(dtype=np.float64) == pytest.approx(golden["deviation"], rel=0.02)
    assert float(np.abs(ours).max()) == pytest.approx(golden["largest"], rel=0.002)
    assert golden["deviation"] == pytest.approx(math.sqrt(variance(name, shape)), rel=0.02)


def test_every_initialiser_was_compared() -> None:
    """One added to the vocabulary must be added to the golden file too."""
    assert {golden["name"] for golden in ABOUT["initializers"]} == set(get_args(Initializer))


@pytest.mark.parametrize("golden", ABOUT["schedules"], ids=lambda golden: next(iter(golden["schedule"])))
def test_schedules_give_the_rates_of_keras(golden: dict[str, Any]) -> None:
    """A learning rate that falls is compared with the same fall in Keras, at every step."""
    rate = TypeAdapter(LearningRate).validate_python(golden["schedule"])
    lengths = {"steps_per_epoch": golden["steps_per_epoch"], "epochs": golden["epochs"]}
    ours = [rate_at(rate, step=step, **lengths) for step in range(len(golden["rates"]))]
    assert len(ours) == golden["steps_per_epoch"] * golden["epochs"]
    # Keras computes them in float32, whose cosine near -1 has few digits left after adding 1.
    assert ours == pytest.approx(golden["rates"], rel=1e-5, abs=1e-7 * max(ours))


def test_the_golden_file_is_of_the_keras_that_is_named() -> None:
    """What is shown is shown for one version, which the documentation may name."""
    assert ABOUT["keras"] == "3.15.1"
