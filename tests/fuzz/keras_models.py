"""Keras models to be imported, for the fuzzer: whole ones in every form that is read without Keras, and bombs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import model_files  # pyright: ignore[reportMissingImports]
from keras_words import OUTPUT, functional, layer, optimizer, sequential, text  # pyright: ignore[reportMissingImports]

from fairtrial.models.verbs import import_keras

HIDDEN = (
    layer("Conv2D", filters=4, kernel_size=(3, 2), strides=2, padding="same", activation="gelu"),
    layer("BatchNormalization", momentum=0.9),
    layer("LeakyReLU", negative_slope=0.2),
    layer("MaxPooling2D", pool_size=2),
    layer("Dropout", rate=0.5),
    layer("Flatten", name="rows"),
    layer("Dense", units=7, activation="relu", kernel_initializer="he_uniform"),
)
COSINE = {
    "class_name": "CosineDecay",
    "config": {"initial_learning_rate": 0.01, "decay_steps": 540, "alpha": 0.1},
}
STEP = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 1688, "decay_rate": 0.5, "staircase": True}}  # fmt: skip
WORDS = tuple(
    word.encode()
    for word in (
        '"class_name": "Dense"', '"class_name": "Conv2D"', '"class_name": "Softmax"', '"class_name": "Rescaling"', '"class_name": "Reshape"',
        '"class_name": "Sequential"', '"class_name": "Functional"', '"class_name": "function"', '"config": {}', '"config": "relu"',
        '"activation": "softmax"', '"batch_shape": [32, 28, 28, 1]', '"batch_input_shape": [null, 784]', '"strides": [1, 2]', '"axis": [3]',
        '"learning_rate": 1e999', '"decay_steps": 0', '"loss": ["mse"]', '"from_logits": true', '"name": "output"', '"units": 1e3', "null",
        "NaN", "-1", "true", "[]", "{}", '"\\u202e"',
    )
)  # fmt: skip


def documents() -> list[dict[str, Any]]:
    named = [{**one, "config": {**one["config"], "name": f"l{n}"}} for n, one in enumerate(HIDDEN)]
    return [
        sequential(*HIDDEN, OUTPUT, optimizer=optimizer(learning_rate=COSINE), metrics=["accuracy", "auc"]),
        sequential(
            sequential(layer("Rescaling", scale=1 / 255, offset=0)), OUTPUT, shape=(32, 784),
            optimizer=optimizer("SGD", momentum=0.9, learning_rate=STEP), loss={"class_name": "SparseCategoricalCrossentropy", "config": {}},
        ),
        functional(*named, OUTPUT),
    ]  # fmt: skip


def json_files(folder: Path) -> list[bytes]:
    del folder
    return [text(one).encode() for one in documents()]


def keras_files(folder: Path) -> list[bytes]:
    del folder
    return [
        model_files.zipped([("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", one)])
        for one in json_files(Path())
    ]


def json_bombs() -> Iterable[tuple[str, bytes]]:
    yield "brackets without end", b"[" * 2**22
    yield "models within models", b'{"class_name": "Sequential", "config": {"layers": [' * 50_000
    deep: dict[str, Any] = sequential(OUTPUT)
    for _ in range(300):
        deep = sequential(deep)
    yield "300 models within models", text(deep).encode()
    yield "many layers", text(sequential(*[layer("Flatten")] * 5_000, OUTPUT)).encode()
    yield "a thousand wrong layers", text(sequential(*[layer("LSTM")] * 998, OUTPUT)).encode()
    number = "9" * 4_000
    yield "a number of 4,000 digits", text(sequential(*HIDDEN, OUTPUT)).replace("0.9,", f"{number},").encode()
    yield "a name of three megabytes", text(sequential(layer("Dense", name="x" * 3 * 2**20), OUTPUT)).encode()
    yield "larger than a model can be", b" " * 5 * 2**20
    row = [layer("Dense", units=3, name=f"l{n}") for n in range(900)]
    yield "each layer after all others", text(functional(*row, after={one["config"]["name"]: ["input", *(f"l{k}" for k in range(30))] for one in row})).encode()  # fmt: skip


def keras_bombs() -> Iterable[tuple[str, bytes]]:
    yield from model_files.zip_bombs()
    yield "a gigabyte of layers", model_files.swelling("config.json", 2**30)
    whole = text(documents()[0]).encode()
    yield "a gigabyte of metadata", model_files.swelling("metadata.json", 2**30, config_json=whole)
    yield from ((name, model_files.zipped([("config.json", one)])) for name, one in json_bombs())
    yield "its weights swell", model_files.swelling("model.weights.h5", 2**30, config_json=whole)
    yield "metadata that is a list", model_files.zipped([("config.json", whole), ("metadata.json", json.dumps([1]).encode())])  # fmt: skip


def importer(name: str, put: Callable[[Path, bytes], None], made: Callable[[bytes], bytes] = bytes) -> Any:
    """What imports an input as a file of this name."""

    def read(content: bytes, folder: Path) -> None:
        put(folder / name, made(content))
        import_keras(folder / name)

    return read
