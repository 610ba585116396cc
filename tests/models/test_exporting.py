"""A trained network as a file of another program predicts what it predicted here, or there is no file."""

from __future__ import annotations

import json
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fairtrial.cli.app import app
from fairtrial.data import catalog
from fairtrial.engine.exporting import keras_file, onnx_file, running, tensor_file, torch_files
from fairtrial.engine.exporting.batches import in_unit
from fairtrial.engine.exporting.members import Model, probabilities
from fairtrial.engine.network import keras_weights, network_of
from fairtrial.errors import FairtrialError
from fairtrial.models import exporting, protobuf, reading, verbs
from fairtrial.models.card import card_from
from fairtrial.study import layers as of
from fairtrial.study.layers import named
from fairtrial.study.training import Adam

SHAPE = (13, 11, 3)
EVERY_LAYER = named(
    (
        of.Conv(filters=4, kernel=(3, 2), stride=2, padding="same", activation="relu", bias=False),
        of.BatchNorm(),
        of.Activation(function="gelu"),
        of.Pool(size=3, stride=2, padding="same"),
        of.AveragePool(size=2, stride=1, padding="same"),
        of.Dropout(rate=0.5),
        of.Conv(filters=5, kernel=1, activation="silu"),
        of.Flatten(),
        of.Dense(units=7, activation="elu"),
        of.BatchNorm(epsilon=0.01),
        *(of.Dense(units=6, activation=one) for one in ("selu", "leaky_relu", "softplus", "tanh", "sigmoid")),
    ),
    classes=10,
)
OTHER_LAYERS = named(
    (
        of.Conv(filters=3, kernel=5, activation="relu"),
        of.Pool(size=2),
        of.AveragePool(size=2),
        of.GlobalAveragePool(),
        of.Dense(units=4, bias=False),
    ),
    classes=4,
)


def model(network: of.Network, *seeds: int) -> Model:
    """Weights as drawn and shifted, so that no bias and no moving average is at its start."""
    rng = np.random.default_rng(1)
    return Model(
        name="it",
        network=network,
        input_shape=SHAPE,
        members={
            f"seed-{seed}": {
                name: (one + 0.3 * rng.random(one.shape)).astype(np.float32)
                for name, one in keras_weights(network_of(network, input_shape=SHAPE, seed=seed)).items()
            }
            for seed in seeds
        },
    )


IMAGES = np.random.default_rng(2).random((20, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("made", [model(EVERY_LAYER, 1), model(OTHER_LAYERS, 1), model(EVERY_LAYER, 1, 2)])
def test_every_layer_and_activation_means_the_same_to_onnxruntime(made: Model, tmp_path: Path) -> None:
    """Padding, layouts and constants are where two libraries differ without a word."""
    pytest.importorskip("onnxruntime")
    onnx_file.write(made, tmp_path / "it.onnx", card="{}", about="")
    said = running.run("onnx", tmp_path / "it.onnx", IMAGES)
    assert np.abs(said - probabilities(made, IMAGES)).max() < 1e-6
    assert (
        np.ptp(said, axis=0).max() > 1e-3
    )  # a network that says the same of every image would prove nothing


@pytest.mark.parametrize("format", [pytest.param("torch.export", marks=pytest.mark.long), "torchscript"])
def test_every_layer_means_the_same_to_torch_alone(format: str, tmp_path: Path) -> None:
    """What is loaded knows nothing of the classes it was traced from."""
    made = model(EVERY_LAYER, 1, 2)
    write = torch_files.write_program if format == "torch.export" else torch_files.write_script
    write(made, tmp_path / "it", card="{}")
    said = running.run_apart(format, tmp_path / "it", IMAGES, what="it")
    assert np.abs(said - probabilities(made, IMAGES)).max() < 1e-6


def test_every_layer_means_the_same_to_keras(tmp_path: Path) -> None:
    """Written by one process and loaded by another; the weights are where Keras says they are."""
    if (
        find_spec("keras") is None
    ):  # not imported here: which backend it takes is decided for the process that does
        pytest.skip("needs Keras")
    made = model(EVERY_LAYER, 1, 2)
    path = tmp_path / "it.keras"
    told = keras_file.write(made, path, card='{"a": 1}', optimizer=Adam(learning_rate=0.01))
    said = running.run_apart("keras", path, IMAGES, what="it")
    assert np.abs(said - probabilities(made, IMAGES)).max() < 1e-6
    with zipfile.ZipFile(path) as archive:
        back = keras_file.read_weights(archive.read(keras_file.WEIGHTS), made.network, list(made.members))
        assert json.loads(archive.read("fairtrial.json")) == {"a": 1}
        assert json.loads(archive.read("config.json"))["compile_config"]["optimizer"]["class_name"] == "Adam"
    assert back.keys() == made.flat_weights.keys()
    assert all(np.array_equal(back[name], one) for name, one in made.flat_weights.items())
    assert told["parameters"] == sum(one.size for one in made.flat_weights.values())


def export(trained: Any, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["export", str(trained.file), *arguments, "--store", str(trained.store)])
    return done.exit_code, done.output


@pytest.mark.parametrize("format", ["onnx", "safetensors"])
def test_the_best_by_validation_is_written_and_agrees(format: str, trained: Any, tmp_path: Path) -> None:
    """The file is opened again: its own predictions on the test images are those of the stored trial."""
    out = tmp_path / f"m.{format}"
    code, text = export(trained, "mlp", "--format", format, "--out", str(out))
    assert code == 0, text
    assert "highest validation accuracy" in text
    assert "3 seeds whose weights are kept (of 4 that finished" in text
    opened = reading.open_file(out)
    stored = ft_trials(trained, "mlp")
    best = max(
        (one for one in stored if one["seed"] < 4),
        key=lambda one: (one["validation_accuracy"], -one["validation_loss"]),
    )
    assert opened.card.seeds == (best["seed"],)
    assert opened.card.keys == (best["key"],)
    data = catalog.load("mnist")
    said = opened.predict(in_unit(data.test_images[:2000]))
    assert np.allclose(said.sum(1), 1, atol=1e-5)
    accuracy = (said.argmax(1) == data.test_labels[:2000]).mean()
    assert abs(accuracy - best["test_accuracy"]) < 0.05
    assert not list(tmp_path.glob(".*part*"))


def ft_trials(trained: Any, arm: str) -> list[dict[str, float]]:
    import fairtrial as ft

    found = ft.answers(trained.study, store=trained.store).as_dict()["arms"]
    return next(one["trials"] for one in found if one["name"] == arm)


def test_an_ensemble_is_the_mean_of_the_probabilities(trained: Any, tmp_path: Path) -> None:
    """Not of the logits, and of those seeds alone whose weights are there."""
    made = verbs.export(
        trained.study,
        "mlp",
        seed="ensemble",
        format="safetensors",
        out=tmp_path / "e.safetensors",
        store=trained.store,
    )
    assert made.card.seeds == (1, 2, 3)
    images = in_unit(catalog.load("mnist").test_images[:50])
    alone = [
        verbs.export(
            trained.study,
            "mlp",
            seed=seed,
            format="safetensors",
            out=tmp_path / f"{seed}.safetensors",
            store=trained.store,
        )
        for seed in (1, 2, 3)
    ]
    mean = np.mean([reading.open_file(one.path).predict(images) for one in alone], axis=0)
    assert np.abs(reading.open_file(made.path).predict(images) - mean).max() < 1e-6
    _, tensors = tensor_file.read(made.path)
    assert {name.split("/")[0] for name in tensors} == {"seed-1", "seed-2", "seed-3"}


def test_what_has_no_weights_is_refused_or_trained_again(trained: Any, tmp_path: Path) -> None:
    """The fourth seed was trained without keeping them; trained again it is the same network."""
    out = tmp_path / "four.safetensors"
    code, text = export(trained, "single images", "--seed", "4", "--out", str(out))
    assert code == 2
    assert "no weights are kept" in text and "--retrain" in text and "--weights all" in text
    assert not out.exists()
    code, text = export(trained, "single images", "--seed", "4", "--retrain", "--out", str(out))
    assert code == 0, text
    assert "Trained again, bit for bit as stored: seed 4." in text
    assert reading.open_file(out).card.seeds == (4,)


def test_a_file_that_predicts_otherwise_is_deleted(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that cannot fail is none."""
    monkeypatch.setattr(
        exporting, "probabilities", lambda *_, **__: np.full((10_000, 10), 0.1, dtype=np.float32)
    )
    monkeypatch.setattr(exporting, "_run", lambda *_: (np.zeros((10_000, 10), np.float32), "nobody"))
    out = tmp_path / "m.safetensors"
    out.write_bytes(b"what was there")
    code, text = export(trained, "mlp", "--out", str(out))
    assert code == 1
    assert "a probability differs by 0.1, 1e-05 is allowed" in text
    assert out.read_bytes() == b"what was there"
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mpl", "--format", "onnx"), "has no arm 'mpl'"),
        (("mlp", "--format", "onxn"), "did you mean 'onnx'?"),
        (("mlp",), "say which --format"),
        (("--format", "onnx"), "which arm?"),
        (
            ("mlp", "--format", "onnx", "--seed", "worst"),
            "--seed must be best, ensemble or a number from 1 to 999",
        ),
        (("mlp", "--format", "onnx", "--seed", "77"), "no trial of seed 77; it has 1, 2, 3, 4"),
        (("mlp", "--format", "onnx", "--out", "m.keras"), "must end in .onnx"),
        (("mlp", "--format", "onnx", "--out", "none/m.onnx"), "the folder none does not exist"),
    ],
)
def test_mistakes_are_said(arguments: tuple[str, ...], said: str, trained: Any, tmp_path: Path) -> None:
    code, text = export(trained, *arguments)
    assert code == 2
    assert said in " ".join(text.split())


def test_a_store_that_is_not_there_is_named_as_it_was_given(trained: Any, tmp_path: Path) -> None:
    """What is read in its place is somewhere else, and gone by then."""
    none = tmp_path / "none.db"
    done = CliRunner().invoke(
        app, ["export", str(trained.file), "mlp", "--format", "onnx", "--store", str(none)]
    )
    assert done.exit_code == 2
    assert f"there is no store {none}. Train it with `fairtrial run" in " ".join(done.output.split())
    assert not none.exists()


def test_what_a_file_says_of_itself_is_checked(trained: Any, tmp_path: Path) -> None:
    """Another's file, a damaged one, a description of a network that would not fit into memory."""
    made = verbs.export(
        trained.study, "mlp", seed=1, format="onnx", out=tmp_path / "m.onnx", store=trained.store
    )
    text = protobuf.metadata(made.path)["fairtrial"]
    assert card_from(text, "m") == made.card
    about = json.loads(text)
    huge = {
        **about,
        "network": [
            about["network"][0],
            {"kind": "dense", "name": "a", "units": 900_000},
            about["network"][-1],
        ],
    }
    for broken in (
        "[]", "{", "[" * 100_000, json.dumps({**about, "format": "else"}), json.dumps({**about, "input_shape": [28, 28]}),
        json.dumps({**about, "classes": ["1"]}), json.dumps({**about, "seeds": []}), json.dumps(huge),
        json.dumps({**about, "parameters": "many"}), json.dumps({**about, "network": 3}),
    ):  # fmt: skip
        with pytest.raises(FairtrialError, match=r"^m: "):
            card_from(broken, "m")
    content = made.path.read_bytes()
    for cut in (0, 1, 10, len(content) // 2, len(content) - 1):
        (tmp_path / "cut.onnx").write_bytes(content[:cut])
        with pytest.raises(FairtrialError):
            reading.open_file(tmp_path / "cut.onnx")


PAGE = Path(__file__).parents[2] / "docs" / "models.md"
COMMANDS = [
    line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("fairtrial export ")
]


@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=pytest.mark.long) if "keras" in line else line for line in COMMANDS]
)
def test_the_examples_of_the_page_work(
    line: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they stand there, of a smaller network; the files are opened again, from where they are without --out too."""
    if "keras" in line and find_spec("keras") is None:
        pytest.skip("needs Keras")
    monkeypatch.chdir(tmp_path)
    words = line.replace("width width-200", "STUDY mlp").split()[1:]
    arguments = [str(trained.file) if word == "STUDY" else word for word in words]
    done = CliRunner().invoke(app, [*arguments, "--store", str(trained.store)])
    assert done.exit_code == 0, done.output
    (file,) = tmp_path.iterdir()
    assert reading.open_file(file).card.arm == "mlp"
    if "ensemble" in line:
        assert reading.open_file(file).card.seeds == (1, 2, 3, 4)
        assert "Trained again, bit for bit as stored: seed 4." in done.output
