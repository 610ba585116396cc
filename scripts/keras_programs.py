"""The Keras programs of the course's fifteen models, run by Keras for a few steps and held against our engine.

    scripts/keras-programs [--write docs/keras.md]

Whole programs run, from their first line to their last, cut short: a tenth of MNIST, batches of a hundred images at most,
two steps of `fit`, a hundred images of each evaluation. Before that, from the same weights, Keras and our engine take
the same three steps on the same batches, each with the loss, the gradients and the optimiser of its own. Prints the table,
and writes it into the document.

Needs a Python that has TensorFlow: this one, or the one that FAIRTRIAL_KERAS_PYTHON names. `scripts/keras` makes one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fairtrial.data import catalog
from fairtrial.engine.machine import processor
from fairtrial.engine.network import build, keras_weights, load_keras_weights
from fairtrial.engine.optimizers import optimizer
from fairtrial.report.marked import surroundings, write_block
from fairtrial.study.keras_code import keras_program
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import parameters
from fairtrial.study.studyfile import load
from fairtrial.study.training import rate_at

ROOT = Path(__file__).resolve().parents[1]
MARK = "keras-programs"
PYTHON = os.environ.get("FAIRTRIAL_KERAS_PYTHON", sys.executable)
STEPS, LARGEST_BATCH = 3, 100
IMAGES, TEST_IMAGES = 6600, 100
"""A tenth of MNIST: 6000 of them are drawn for validation."""

FIRST = 1e-5
"""How far the first loss may be from Keras's, as a share: sums of float32 taken in another order."""
LATER = 2e-3
"""And those after one and two steps: Adam divides by the size of gradients, so that the rounding of small ones grows."""

DRAW = '''
def draw(name, shape):
    """Weights that depend on nothing but a name and a shape."""
    rng = np.random.default_rng([len(name), *map(ord, name), *shape])
    limit = (6 / (np.prod(shape[:-1]) + shape[-1])) ** 0.5 if len(shape) > 1 else 0.05
    return rng.uniform(-limit, limit, shape).astype(np.float32)
'''

DRIVER = """
import contextlib, io, json, sys
import keras
import numpy as np
import tensorflow

given = np.load(sys.argv[1])
parts = [given[name] for name in ("train_images", "train_labels", "test_images", "test_labels")]
keras.datasets.mnist.load_data = lambda: ((parts[0], parts[1]), (parts[2], parts[3]))
print("RESULT", json.dumps({"keras": keras.__version__, "tensorflow": tensorflow.__version__}), flush=True)

for line in sys.stdin:
    asked = json.loads(line)
    keras.backend.clear_session()
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
        exec(compile("begin = time.perf_counter()" + rest, "program.py", "exec"), names)
    print("RESULT", json.dumps({
        "losses": losses,
        "parameters": int(model.count_params()),
        "printed": said.getvalue()[-2000:],
        "steps": int(model.optimizer.iterations),
    }), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A model in Keras and in our engine: parameters, and the loss before each of the first steps."""

    arm: Arm
    theirs: int
    keras: tuple[float, ...]
    ours: tuple[float, ...]
    printed: str
    steps: int

    @property
    def shares(self) -> tuple[float, ...]:
        """How far our losses are from Keras's, as shares of them."""
        return tuple(abs(own - other) / other for own, other in zip(self.ours, self.keras, strict=True))

    @property
    def faults(self) -> list[str]:
        """What of it is not as it should be, in words."""
        found: list[str] = []
        if self.theirs != parameters(self.arm):
            found.append(f"Keras has {self.theirs} parameters, the arm {parameters(self.arm)}")
        if not (self.shares[0] <= FIRST and max(self.shares[1:]) <= LATER):
            found.append(f"losses: ours {self.ours}, Keras's {self.keras}")
        if "Test Accuracy = " not in self.printed or self.steps != STEPS + 2:
            found.append(f"it ended after {self.steps} steps: {self.printed[-300:]!r}")
        return found


def fifteen() -> list[Arm]:
    """The models that the notebook shows."""
    study = load("course", sets=["precision=float32"])
    return [arm for arm in study.arms.values() if arm.published is not None]


def has_tensorflow() -> bool:
    code = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('tensorflow') and u.find_spec('keras')))"
    )
    return subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


def compared(arms: Sequence[Arm]) -> tuple[list[Row], dict[str, str]]:
    """A row for each, and the versions. Raises RuntimeError with what was said where a program ends otherwise."""
    data = catalog.load("mnist")
    images, labels = data.train_images[:IMAGES, ..., 0], data.train_labels[:IMAGES]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        np.savez(
            path,
            train_images=images,
            train_labels=labels,
            test_images=data.test_images[:TEST_IMAGES, ..., 0],
            test_labels=data.test_labels[:TEST_IMAGES],
        )
        orders = [{"program": _program(arm), "batch": _batch(arm), "steps": STEPS} for arm in arms]
        done = subprocess.run(
            [PYTHON, "-c", f"import numpy as np\n{DRAW}\n{DRIVER}", str(path)],
            input="\n".join(map(json.dumps, orders)), capture_output=True, text=True, check=False,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": ""},
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    versions, *results = [
        json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")
    ]
    rows = [
        Row(
            arm=arm,
            theirs=one["parameters"],
            keras=tuple(one["losses"]),
            ours=tuple(our_losses(arm, images, labels)),
            printed=one["printed"],
            steps=one["steps"],
        )
        for arm, one in zip(arms, results, strict=True)
    ]
    return rows, versions


def our_losses(arm: Arm, images: NDArray[np.uint8], labels: NDArray[np.integer[Any]]) -> list[float]:
    """The loss of each of the first steps, before the step is taken."""
    names: dict[str, Any] = {"np": np}
    exec(DRAW, names)
    network = build(arm, seed=1)
    drawn = {name: names["draw"](name, one.shape) for name, one in keras_weights(network).items()}
    load_keras_weights(network, drawn)
    settings, batch = arm.settings.optimizer, _batch(arm)
    update = optimizer(settings, network.parameters())
    most = STEPS * batch
    pixels = torch.from_numpy(images[:most].astype(np.float32) / np.float32(255))
    pixels = pixels.unsqueeze(3).permute(0, 3, 1, 2)
    classes = torch.from_numpy(labels[:most].astype(np.int64))
    losses: list[float] = []
    for step in range(STEPS):
        some = slice(step * batch, (step + 1) * batch)
        loss = functional.cross_entropy(network(pixels[some]), classes[some])
        loss.backward()
        rate = rate_at(
            settings.learning_rate,
            step=step,
            steps_per_epoch=arm.steps_per_epoch,
            epochs=arm.settings.epochs,
        )
        update.step(rate)
        update.zero_grad()
        losses.append(loss.item())
    return losses


def _batch(arm: Arm) -> int:
    return min(arm.settings.batch_size, LARGEST_BATCH)


def _program(arm: Arm) -> str:
    """The program as it is printed, but for a batch that would take all images at hand."""
    program, line = keras_program(arm), f"\nBATCH_SIZE = {arm.settings.batch_size}\n"
    assert line in program
    return program.replace(line, f"\nBATCH_SIZE = {_batch(arm)}\n")


def table(rows: Sequence[Row], versions: dict[str, str]) -> Iterator[str]:
    day = datetime.now(UTC).date().isoformat()
    yield ""
    yield (
        f"Keras {versions['keras']} on TensorFlow {versions['tensorflow']}, torch {torch.__version__}; {processor()}; {day}; "
        "`scripts/keras-programs`."
    )
    yield ""
    yield "| model | parameters: Keras, ours | first loss: Keras | ours | apart, as a share | after two steps |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        counts = f"{row.theirs:,}, {parameters(row.arm):,}"
        yield (
            f"| `{row.arm.name}` | {counts} | {row.keras[0]:.7f} | {row.ours[0]:.7f} | {row.shares[0]:.1e} | {row.shares[2]:.1e} |"
        )
    yield ""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/keras-programs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", type=Path, default=ROOT / "docs" / "models.md")
    asked = parser.parse_args()
    if not has_tensorflow():
        print(
            f"{PYTHON} has no TensorFlow; name one that has in FAIRTRIAL_KERAS_PYTHON (scripts/keras makes one)"
        )
        return 2
    around = surroundings(asked.write, MARK)
    rows, versions = compared(fifteen())
    lines = list(table(rows, versions))
    print("\n".join(lines))
    faults = [f"{row.arm.name}: {fault}" for row in rows for fault in row.faults]
    if faults:
        print("\n".join(faults))
        return 1
    write_block(asked.write, around, lines)
    print(f"wrote {asked.write}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
