"""A row of the course in Keras, written as the course's notebook writes it.

    KERAS_BACKEND=tensorflow python -m benchmarks.peers.keras_peer ROW.json --mnist FOLDER

One shuffled tf.data stream of all training images, its first 6 000 taken for validation once and skipped in
every epoch, and `model.fit`. Runs on any of Keras's backends, in an environment of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers.measuring import Asked, asked, images, measure

BEGAN = perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402  # pyright: ignore[reportMissingImports]
import tensorflow as tf  # noqa: E402  # pyright: ignore[reportMissingImports, reportMissingModuleSource]

SEED = 0

SILENT: Any = 0
"""Keras says that this is text, and takes numbers."""


class KerasPeer:
    """The notebook's program for one row."""

    def __init__(self, asked: Asked) -> None:
        row = asked.row
        keras.utils.set_random_seed(SEED)
        self.test = images(asked.mnist, "t10k")
        everything = tf.data.Dataset.from_tensor_slices(images(asked.mnist, "train"))
        shuffled = everything.shuffle(row["buffer_size"])
        self.validation = next(iter(shuffled.take(row["validation"]).batch(row["validation"])))
        self.batches = shuffled.skip(row["validation"]).batch(row["batch_size"])
        self.model = keras.Sequential([keras.Input((28, 28, 1)), *map(_layer, row["layers"])])
        self.model.add(keras.layers.Dense(row["classes"], activation="softmax"))
        self.model.compile(
            optimizer=keras.optimizers.Adam(learning_rate=row["learning_rate"]),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        self.versions = {"keras": keras.__version__, "backend": keras.backend.backend(), **_versions()}

    def fit(self, epochs: int, ended: Callable[[], None]) -> None:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, _logs: ended())
        self.model.fit(
            self.batches,
            epochs=epochs,
            validation_data=self.validation,
            callbacks=[callback],
            verbose=SILENT,
        )

    def train(self, steps: int) -> None:
        self.model.fit(self.batches.take(steps), epochs=1, verbose=SILENT)

    def validate(self) -> None:
        # What `fit` does with validation data that comes as arrays: batches of 32.
        self.model.evaluate(*self.validation, verbose=SILENT)

    def test_accuracy(self) -> float:
        return float(self.model.evaluate(*self.test, batch_size=1000, verbose=SILENT)[1])


def _layer(layer: dict[str, Any]) -> Any:
    match layer["kind"]:
        case "flatten":
            return keras.layers.Flatten()
        case "dense":
            return keras.layers.Dense(
                layer["units"], activation=layer["activation"], kernel_initializer=layer["initializer"]
            )
        case "conv":
            return keras.layers.Conv2D(
                layer["filters"], layer["kernel"], activation=layer["activation"],
                kernel_initializer=layer["initializer"],
            )  # fmt: skip
        case "pool":
            return keras.layers.MaxPooling2D(layer["size"])
        case kind:
            raise ValueError(f"no row of the course has a layer {kind!r}")


def _versions() -> dict[str, str]:
    found = {"tensorflow": tf.__version__, "numpy": np.__version__}
    if keras.backend.backend() == "jax":
        import jax  # pyright: ignore[reportMissingImports]

        found["jax"] = jax.__version__
    return found


if __name__ == "__main__":
    what = asked(__doc__)
    measure(KerasPeer(what), what, began=BEGAN)
