"""Every program of `fairtrial show course --code`, run by Keras on real MNIST for a few steps and held against our engine.

Whole programs run here, from their first line to their last, cut short to two steps of training and a hundred images of each evaluation;
before that, from the same weights, Keras and our engine take the same steps on the same batches.

Needs a Python that has TensorFlow: the one running the tests, or the one that the environment variable
FAIRTRIAL_KERAS_PYTHON names. `scripts/keras` makes one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fairtrial.engine.network import build, keras_weights, load_keras_weights
from fairtrial.engine.optimizers import optimizer
from fairtrial.images import idx
from fairtrial.study.keras_code import keras_program
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import parameters
from fairtrial.study.studyfile import load
from fairtrial.study.training import rate_at

PYTHON = os.environ.get("FAIRTRIAL_KERAS_PYTHON", sys.executable)
STEPS, LARGEST_BATCH = 3, 100
pytestmark = [pytest.mark.keras, pytest.mark.slow]

FIRST = 1e-5
"""How far the first loss may be from Keras's, as a share: sums of float32 taken in another order."""

LATER = 2e-3
"""And those after one and two steps: Adam divides by the size of gradients, so that the rounding of small ones grows."""

_DRAW = """
def draw(name, shape):
    rng = np.random.default_rng([len(name), *map(ord, name), *shape])
    limit = (6 / (np.prod(shape[:-1]) + shape[-1])) ** 0.5 if len(shape) > 1 else 0.05
    return rng.uniform(-limit, limit, shape).astype(np.float32)
"""

_DRIVER = """
import contextlib, io, json, sys
import keras
import numpy as np

given = np.load(sys.argv[1])
parts = [given[name] for name in ("train_images", "train_labels", "test_images", "test_labels")]
keras.datasets.mnist.load_data = lambda: ((parts[0], parts[1]), (parts[2], parts[3]))

for line in sys.stdin:
    asked = json.loads(line)
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float32")
    head, rest = asked["program"].split("begin = time.perf_counter()")
    names = {"__name__": "__main__"}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(head, "program.py", "exec"), names)
        model, batch = names["model"], asked["batch"]
        for layer in model.layers:
            for variable in layer.weights:
                variable.assign(draw(f"{layer.name}/{variable.name}", tuple(variable.shape)))
        losses = []
        for step in range(asked["steps"]):
            some = slice(step * batch, (step + 1) * batch)
            images = parts[0][some][..., None].astype("float32") / 255
            model.reset_metrics()
            losses.append(float(model.train_on_batch(images, parts[1][some])[0]))
        names["training"] = names["training"].take(2)
        names["EPOCHS"] = 1
        names["validation_data"] = tuple(part[:100] for part in names["validation_data"])
        names["test_images"], names["test_labels"] = names["test_images"][:100], names["test_labels"][:100]
        exec(compile("begin = time.perf_counter()" + rest, "program.py", "exec"), names)
    print("RESULT", json.dumps({
        "losses": losses,
        "parameters": int(model.count_params()),
        "printed": said.getvalue()[-2000:],
        "steps": int(model.optimizer.iterations),
    }), flush=True)
"""


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    code = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('tensorflow') and u.find_spec('keras')))"
    )
    if subprocess.run([PYTHON, "-c", code], check=False).returncode != 0:
        pytest.skip(
            "needs a Python with TensorFlow: scripts/keras makes one, FAIRTRIAL_KERAS_PYTHON names one"
        )
    path = tmp_path_factory.mktemp("keras") / "mnist.npz"
    with resources.as_file(resources.files("fairtrial.data") / "mnist") as folder:
        np.savez(
            path,
            train_images=idx.read_array(folder / "train-images-idx3-ubyte.gz", dimensions=3),
            train_labels=idx.read_array(folder / "train-labels-idx1-ubyte.gz", dimensions=1),
            test_images=idx.read_array(folder / "t10k-images-idx3-ubyte.gz", dimensions=3),
            test_labels=idx.read_array(folder / "t10k-labels-idx1-ubyte.gz", dimensions=1),
        )
    return path


def draw(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    names: dict[str, Any] = {"np": np}
    exec(_DRAW, names)
    return names["draw"](name, shape)


def batch_of(arm: Arm) -> int:
    return min(arm.settings.batch_size, LARGEST_BATCH)


def our_losses(arm: Arm, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[float]:
    """The loss of each of the first steps, before the step is taken."""
    network = build(arm, seed=1)
    load_keras_weights(network, {name: draw(name, one.shape) for name, one in keras_weights(network).items()})
    settings = arm.settings.optimizer
    update = optimizer(settings, network.parameters())
    pixels = torch.from_numpy(images.astype(np.float32) / np.float32(255)).unsqueeze(3).permute(0, 3, 1, 2)
    classes = torch.from_numpy(labels.astype(np.int64))
    losses: list[float] = []
    for step in range(STEPS):
        some = slice(step * batch_of(arm), (step + 1) * batch_of(arm))
        loss = functional.cross_entropy(network(pixels[some]), classes[some])
        loss.backward()
        update.step(
            rate_at(
                settings.learning_rate,
                step=step,
                steps_per_epoch=arm.steps_per_epoch,
                epochs=arm.settings.epochs,
            )
        )
        update.zero_grad()
        losses.append(loss.item())
    return losses


def test_every_program_of_the_course_runs_and_takes_our_first_steps(mnist: Path) -> None:
    """All of the course's models, the fifteen of the notebook among them: the same parameters, the same losses."""
    study = load("course", sets=["precision=float32"])
    assert sum(arm.published is not None for arm in study.arms.values()) >= 15
    orders = [
        {"program": keras_program(arm), "batch": batch_of(arm), "steps": STEPS} for arm in study.arms.values()
    ]
    done = subprocess.run(
        [PYTHON, "-c", f"import numpy as np\n{_DRAW}\n{_DRIVER}", str(mnist)],
        input="\n".join(map(json.dumps, orders)), capture_output=True, text=True, check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    with np.load(mnist) as file:
        images, labels = file["train_images"], file["train_labels"]
    most = STEPS * LARGEST_BATCH
    apart: list[str] = []
    for arm, result in zip(study.arms.values(), results, strict=True):
        ours = our_losses(arm, images[:most], labels[:most])
        shares = [abs(own - theirs) / theirs for own, theirs in zip(ours, result["losses"], strict=True)]
        print(
            f"{arm.name}: {parameters(arm)} parameters, losses apart by {', '.join(f'{one:.1e}' for one in shares)}"
        )
        assert result["parameters"] == parameters(arm), arm.name
        assert "Test Accuracy = " in result["printed"] and result["steps"] == STEPS + 2, arm.name
        if shares[0] > FIRST or max(shares[1:]) > LATER:
            apart.append(f"{arm.name}: ours {ours}, Keras's {result['losses']}")
    assert apart == []
