"""The generated Keras programs, run by Keras itself on a small random data set.

Needs a Python that has TensorFlow: the one running the tests, or the one that the environment
variable FAIRTRIAL_KERAS_PYTHON names.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairtrial.data.augment import affine
from fairtrial.engine import augment_kernel
from fairtrial.study.augment import Augment
from fairtrial.study.keras_augment import MOVED
from fairtrial.study.keras_code import keras_program
from fairtrial.study.layers import (
    Activation,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Pool,
)
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp, NetworkSettings
from fairtrial.study.shapes import arm_facts, parameters, updates
from fairtrial.study.studyfile import load
from fairtrial.study.training import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Cosine,
    EarlyStopping,
    Exponential,
    RMSprop,
    Step,
    rate_at,
)

PYTHON = os.environ.get("FAIRTRIAL_KERAS_PYTHON", sys.executable)
IMAGES, VALIDATION, TRAIN = 400, 64, 256

_DRIVER = """
import json, sys
import keras
import numpy as np

rng = np.random.default_rng(0)
images = [rng.integers(0, 256, (count, 28, 28), np.uint8) for count in (IMAGES, 50)]
labels = [rng.integers(0, 10, count).astype(np.uint8) for count in (IMAGES, 50)]
keras.datasets.mnist.load_data = lambda: tuple(zip(images, labels))

results = []
for program in json.load(sys.stdin):
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float32")
    names = {"__name__": "__main__"}
    exec(compile(program, "program.py", "exec"), names)
    model = names["model"]
    rate = model.optimizer._learning_rate
    iterations = int(model.optimizer.iterations)
    results.append({
        "layers": [[type(layer).__name__, layer.name, list(layer.output.shape[1:]), layer.count_params()]
                   for layer in model.layers],
        "activations": [getattr(layer, "activation", keras.activations.linear).__name__ for layer in model.layers],
        "iterations": iterations,
        "rates": [float(rate(step) if callable(rate) else rate) for step in range(iterations)],
        "epochs": len(names["history"]["loss"]),
        "finite": all(map(np.isfinite, names["history"]["val_loss"])) and bool(np.isfinite(names["test_loss"])),
    })
print("RESULTS", json.dumps(results))
"""


@pytest.fixture(scope="module", autouse=True)
def _tensorflow() -> None:
    code = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('tensorflow') and u.find_spec('keras')))"
    )
    if subprocess.run([PYTHON, "-c", code], check=False).returncode != 0:
        pytest.skip(
            "needs a Python with TensorFlow: scripts/keras makes one, FAIRTRIAL_KERAS_PYTHON names one"
        )


pytestmark = [pytest.mark.keras, pytest.mark.slow]


def run(arms: list[Arm]) -> list[dict[str, Any]]:
    """What Keras built and did for each arm, all in one process: importing TensorFlow takes seconds."""
    driver = f"IMAGES = {IMAGES}\n{_DRIVER}"
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [PYTHON, "-c", driver],
        input=json.dumps([keras_program(arm) for arm in arms]),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULTS ")]
    return json.loads(line.removeprefix("RESULTS "))


def small(arm: Arm, **settings: Any) -> Arm:
    """The arm on few images for an epoch; its network, optimiser and kind of split stay."""
    data = arm.settings.data.model_copy(update={"validation": VALIDATION, "train": TRAIN, "buffer_size": 100})
    return dataclasses.replace(
        arm, settings=arm.settings.model_copy(update={"data": data, "epochs": 1, **settings})
    )


def test_every_arm_of_the_course_is_the_same_network_in_keras() -> None:
    """Layer by layer: kind, name, output shape, parameters, and as many updates as we count."""
    arms = [small(arm) for arm in load("course").arms.values()]
    for arm, result in zip(arms, run(arms), strict=True):
        expected = [
            [facts.keras_class, facts.name, list(facts.output_shape), facts.parameters]
            for facts in arm_facts(arm)
        ]
        assert result["layers"] == expected, arm.name
        assert result["activations"] == [
            *(getattr(layer, "activation", "linear") for layer in arm.network[:-1]),
            "softmax",
        ], arm.name
        assert result["iterations"] == updates(arm), arm.name
        assert result["finite"], arm.name


def arm(**settings: Any) -> Arm:
    defaults: dict[str, Any] = {
        "data": DataSettings(validation=VALIDATION, train=TRAIN),
        "network": NetworkSettings(mlp=Mlp(width=8, depth=1)),
        "epochs": 4,
    }
    return Arm(name="any", title='"""\n', settings=ArmSettings(**{**defaults, **settings}))


def test_every_layer_of_the_vocabulary_is_the_same_in_keras() -> None:
    """Odd windows, strides and paddings are where shape rules differ between libraries."""
    hidden = (
        Conv(filters=6, kernel=(3, 5), stride=2, padding="same", activation="gelu", bias=False),
        BatchNorm(momentum=0.9, epsilon=1e-4),
        Activation(function="leaky_relu"),
        Pool(size=3, stride=2),
        AveragePool(size=(2, 1), padding="same"),
        Conv(filters=4, kernel=2, name="last", initializer="he_normal"),
        Dropout(rate=0.25),
    )
    arms = [
        arm(network=NetworkSettings(layers=(*hidden, end, Dense(units=5, activation=activation))))
        for end, activation in [(Flatten(), "softplus"), (GlobalAveragePool(), "silu")]
    ]
    for one, result in zip(arms, run(arms), strict=True):
        assert [layer[2] for layer in result["layers"]] == [
            list(facts.output_shape) for facts in arm_facts(one)
        ]
        assert sum(layer[3] for layer in result["layers"]) == parameters(one)


def test_every_schedule_gives_keras_our_rate_at_every_step() -> None:
    """A schedule off by a step or an epoch would be another experiment under the same name."""
    rates = [
        0.02,
        Cosine(initial=0.01),
        Cosine(initial=0.01, final=0.002),
        Cosine(initial=0.01, final=0.001, warmup_epochs=1.5),
        Cosine(initial=0.01, warmup_epochs=4),
        Exponential(initial=0.01, rate=0.3, every=1.5),
        Step(initial=0.01, factor=0.5),
        Step(initial=0.01, factor=0.1, every=2),
    ]
    arms = [arm(optimizer=Adam(learning_rate=rate)) for rate in rates]
    for one, result in zip(arms, run(arms), strict=True):
        expected = [
            rate_at(one.settings.optimizer.learning_rate, step=step, steps_per_epoch=3, epochs=4)
            for step in range(12)
        ]
        assert result["rates"] == pytest.approx(expected, rel=1e-5, abs=1e-8), one.settings.optimizer


def test_every_optimizer_split_and_precision_trains_in_keras() -> None:
    """Keras refuses arguments it does not know; only running shows it."""
    variations: list[dict[str, Any]] = [
        {"optimizer": Adam(beta_1=0.8, beta_2=0.99, epsilon=1e-8)},
        {"optimizer": AdamW(weight_decay=0.0)},
        {"optimizer": SGD(momentum=0.9, nesterov=True)},
        {"optimizer": RMSprop(rho=0.8, momentum=0.5, epsilon=1e-6)},
        {"optimizer": Adagrad(initial_accumulator_value=0.2)},
        {"data": DataSettings(validation=VALIDATION, train=TRAIN, split="reshuffled")},
        {
            "data": DataSettings(
                validation=VALIDATION, train=TRAIN, augment=Augment(shift=2, rotate=10, zoom=0.1)
            )
        },
        {
            "data": DataSettings(
                validation=VALIDATION, train=TRAIN, split="reshuffled", augment=Augment(shift=2)
            )
        },
        {"precision": "bfloat16"},
        {"batch_size": 1, "epochs": 1},
        {"batch_size": 10_000},
    ]
    arms = [arm(**one) for one in variations]
    for one, result in zip(arms, run(arms), strict=True):
        assert result["iterations"] == updates(one)
        assert result["finite"]


def test_early_stopping_stops_keras() -> None:
    """Nothing improves by a hundred: training ends when patience does."""
    impatient = arm(epochs=9, early_stopping=EarlyStopping(patience=2, min_delta=100.0))
    (result,) = run([impatient])
    assert result["epochs"] == 3


_MOVING = """
import sys, types
import keras
import numpy as np
import tensorflow as tf

given = np.load(sys.argv[1])
names = {"keras": keras, "np": np, "tf": tf, "SHIFT": 3.0, "ROTATE": 40.0, "ZOOM": 0.3}
names["training"] = types.SimpleNamespace(map=lambda function: None)
exec(compile(sys.stdin.read(), "program.py", "exec"), names)
draws = iter(given["drawn"].T)
names["random"] = lambda count: tf.constant(next(draws), tf.float32)
moved, labels = names["moved"](tf.constant(given["images"], tf.float32) / 255, given["labels"])
assert (np.asarray(labels) == given["labels"]).all()
np.save(sys.argv[2], np.rint(255 * np.asarray(moved)).astype(np.uint8))
"""


def test_keras_moves_an_image_as_we_do_where_it_draws_the_same_numbers(tmp_path: Path) -> None:
    """Another direction, centre, order or edge would be another augmentation under the same name."""
    rng = np.random.default_rng(3)
    drawn, images = rng.uniform(-1, 1, (50, 4)), rng.integers(0, 256, (50, 28, 28, 1), np.uint8)
    given, made = tmp_path / "given.npz", tmp_path / "made.npy"
    np.savez(given, drawn=drawn, images=images, labels=rng.integers(0, 10, 50))
    subprocess.run([PYTHON, "-c", _MOVING, str(given), str(made)], input=MOVED, text=True, check=True)
    ours = np.empty_like(images)
    maps = affine(
        3 * drawn[:, 0], 3 * drawn[:, 1], np.deg2rad(40) * drawn[:, 2], 1 + 0.3 * drawn[:, 3], shape=(28, 28)
    )
    augment_kernel.move(images, np.arange(50), maps, ours)
    assert np.abs(np.load(made).astype(int) - ours).max() <= 1
