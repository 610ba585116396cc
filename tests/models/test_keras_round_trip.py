"""Keras to fairtrial and back on a real Keras: the course's own models, and a network that is trained on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import fairtrial as ft
from fairtrial.cli.app import app
from fairtrial.engine.exporting.apart import environment
from fairtrial.identity import canonical
from fairtrial.models import reading, verbs
from fairtrial.study.shapes import arm_facts, parameters
from fairtrial.trial import Trial

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras: pip install 'fairtrial[keras]'"),
]

# The three networks as the course's notebook has them; `tf` is whichever Keras there is.
NOTEBOOK = """
import types
import warnings

import keras

warnings.simplefilter("ignore")
tf = types.SimpleNamespace(keras=keras)
output_size = 10

model_CNN_exp_1 = tf.keras.Sequential([
    tf.keras.layers.Conv2D(32, (3, 3), input_shape=(28,28,1)),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Conv2D(64, (3, 3)),
    tf.keras.layers.Conv2D(64, (3, 3)),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Flatten(input_shape=(28,28,1)),
    tf.keras.layers.Dense(100,activation='relu',kernel_initializer='he_uniform'),
    tf.keras.layers.Dense(output_size,activation='softmax')
])

hidden_layer_size = 128

model_CNN_exp_2 = tf.keras.Sequential([
    tf.keras.layers.Conv2D(64, (3, 3), activation = 'relu', input_shape=(28,28,1)),
    tf.keras.layers.Conv2D(64, (3, 3), activation = 'relu'),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Conv2D(128, (3, 3), activation = 'relu'),
    tf.keras.layers.Conv2D(128, (3, 3), activation = 'relu'),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Conv2D(256, (3, 3), activation = 'relu'),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Flatten(input_shape=(28,28,1)),
    tf.keras.layers.Dense(512, activation='relu', kernel_initializer='he_uniform'),
    tf.keras.layers.Dense(output_size, activation='softmax')
])

model_CNN_exp_3 = tf.keras.Sequential([
    tf.keras.layers.Conv2D(64, (5, 5), activation = 'relu', input_shape=(28,28,1)),
    tf.keras.layers.Conv2D(64, (5, 5), activation = 'relu'),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),

    tf.keras.layers.Conv2D(128, (3, 3), activation = 'relu'),
    tf.keras.layers.Conv2D(128, (3, 3), activation = 'relu'),
    tf.keras.layers.Conv2D(256, (3, 3), activation = 'relu'),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Flatten(input_shape=(28,28,1)),
    tf.keras.layers.Dense(512, activation='relu', kernel_initializer='he_uniform'),
    tf.keras.layers.Dense(output_size, activation='softmax')
])


def mlp(width, depth, activation):
    hidden = [tf.keras.layers.Dense(width, activation=activation) for _ in range(depth)]
    return tf.keras.Sequential([
        tf.keras.layers.Flatten(input_shape=(28, 28, 1)), *hidden, tf.keras.layers.Dense(output_size, activation='softmax')
    ])


def every_layer():
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(6, (3, 5), strides=2, padding="same", use_bias=False, name="stem"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
        layers.LeakyReLU(negative_slope=0.2),
        layers.MaxPooling2D(3, strides=2, padding="same"),
        layers.Dropout(0.25),
        layers.Conv2D(5, 2, activation="gelu", kernel_initializer="he_normal"),
        layers.AveragePooling2D((2, 1)),
        layers.Flatten(),
        layers.Dense(12, activation="silu", kernel_initializer="lecun_uniform", name="head"),
        layers.Activation("softplus"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True), loss="sparse_categorical_crossentropy")
    return model
"""

_BUILD = """
import json, sys
exec(compile(open(sys.argv[1]).read(), "notebook.py", "exec"))
for name, (rate, model) in {
    **{f"cnn-{n}": (0.001, globals()[f"model_CNN_exp_{n}"]) for n in (1, 2, 3)},
    **{name: (rate, mlp(*rest)) for name, (rate, *rest) in json.loads(sys.argv[3]).items()},
}.items():
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print("BUILT", json.dumps([name, model.count_params()]))
    with open(f"{sys.argv[2]}/{name}.json", "w") as file:
        file.write(model.to_json())
    if model.count_params() < 500_000:
        model.save(f"{sys.argv[2]}/{name}.keras")
every_layer().save(f"{sys.argv[2]}/every-layer.keras")
"""

_COMPARE = """
import json, sys
import keras
import numpy as np
images = np.load(sys.argv[3])
facts, said = [], []
for path in sys.argv[1:3]:
    model = keras.saving.load_model(path)
    facts.append([[type(one).__name__, one.name, list(one.output.shape[1:]), one.count_params()] for one in model.layers])
    said.append(np.asarray(model.predict_on_batch(images)).tolist())
print("FACTS", json.dumps({"facts": facts, "said": said[1]}))
"""


def in_keras(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment(), check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


COURSE = ft.load("course")
ROWS = {name: arm for name, arm in COURSE.arms.items() if arm.published is not None}
MLPS = {name: arm for name, arm in ROWS.items() if not name.startswith("cnn")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The models of the notebook's fifteen rows as Keras builds and writes them, and what it counts, in one process."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "notebook.py").write_text(NOTEBOOK)
    sizes: dict[str, Any] = {}
    for name, arm in MLPS.items():
        settings, mlp = arm.settings, arm.settings.network.mlp
        assert mlp is not None
        sizes[name] = (settings.optimizer.learning_rate, mlp.width, mlp.depth, mlp.activation)
    said = in_keras(_BUILD, str(folder / "notebook.py"), str(folder), json.dumps(sizes))
    return folder, dict(json.loads(line[6:]) for line in said.splitlines() if line.startswith("BUILT "))


def test_every_model_of_the_course_is_imported_as_the_arm_of_the_course(
    built: tuple[Path, dict[str, int]],
) -> None:
    """The same parameters and, with batch size and epochs given, the same trials: what is known of them is known of these."""
    folder, counted = built
    assert counted.keys() == ROWS.keys() and len(ROWS) == 15
    for name, count in counted.items():
        arm = ROWS[name]
        for path in (folder / f"{name}.json", folder / f"{name}.keras"):
            if not path.exists():
                assert count >= 500_000
                continue
            sets = [f"batch_size={arm.settings.batch_size}", f"epochs={arm.settings.epochs}"]
            made = ft.import_keras(path, arm="it", sets=sets)
            found = made.study.arms["it"]
            assert made.parameters == count == parameters(arm), path
            assert canonical(found) == canonical(arm), path
            assert (
                Trial(arm=found, seed=1, precision="float32").key
                == Trial(arm=arm, seed=1, precision="float32").key
            )


PAGE = (Path(__file__).parents[2] / "docs" / "keras.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_is_run_and_what_it_prints_is_no_part_of_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of one's own needs no changes: whatever it does besides stays in its process."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(f"{code}\nprint('this goes nowhere')\n")
    done = CliRunner().invoke(app, ["import", "keras", "net.py:build", "--write", "study.yaml"])
    assert done.exit_code == 0, done.output
    assert "this goes nowhere" not in done.output
    assert shown.replace("cnn", "net") in Path("study.yaml").read_text()


@pytest.mark.long
def test_a_mistake_in_code_is_told_with_its_line(tmp_path: Path) -> None:
    """Not with a traceback through Keras, and not as a fault of ours."""
    (tmp_path / "wrong.py").write_text("import keras\n\ndef build():\n    return keras.layers.Dense(-1)\n")
    done = CliRunner().invoke(app, ["import", "keras", f"{tmp_path / 'wrong.py'}:build"])
    assert done.exit_code == 2
    assert "wrong.py:4, in build (return keras.layers.Dense(-1)): ValueError" in done.output


def test_a_model_is_imported_trained_exported_and_predicts_in_keras_what_it_predicts_here(
    built: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    """There and back again: the same layers, shapes and names, other weights, and one prediction."""
    file, store, out = tmp_path / "study.yaml", tmp_path / "some.db", tmp_path / "trained.keras"
    original = built[0] / "every-layer.keras"
    made = ft.import_keras(original, write=file, sets=["epochs=1", "data.train=300", "data.validation=100"])
    ft.run(made.study, seeds=1, store=store, workers=1)
    exported = verbs.export(file, made.arm, seed=1, format="keras", out=out, store=store)
    assert exported.difference < 1e-5
    images = np.random.default_rng(3).random((20, 28, 28, 1)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    said = in_keras(_COMPARE, str(original), str(out), str(tmp_path / "images.npy"))
    (line,) = [line for line in said.splitlines() if line.startswith("FACTS ")]
    told = json.loads(line[6:])
    before, after = told["facts"]
    assert [row[2:] for row in after] == [row[2:] for row in before]
    # LeakyReLU is an activation of its own kind in Keras, and Activation("leaky_relu") the same.
    assert [row[0] for row in after] == ["Activation" if row[0] == "LeakyReLU" else row[0] for row in before]
    assert [row[:2] for row in after] == [
        [one.keras_class, one.name] for one in arm_facts(made.study.arms[made.arm])
    ]
    assert (after[0][1], after[8][1], after[-1][1]) == ("stem", "head", "output")
    ours = reading.open_file(out).predict(images)
    assert np.abs(np.array(told["said"]) - ours).max() < 1e-5
    assert np.ptp(ours, axis=0).max() > 1e-3
    again = ft.import_keras(out, sets=["epochs=1", "data.train=300", "data.validation=100"])
    assert canonical(again.study.arms[again.arm]) == canonical(made.study.arms[made.arm])
