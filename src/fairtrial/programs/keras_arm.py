# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportCallIssue=false, reportArgumentType=false
"""One trial of a fairtrial arm as a real tf.keras program: a command arm's program, for the study `keras`.

    python keras_arm.py SETTINGS.json DATA.npz --seed N

Needs TensorFlow and Keras 3 and nothing of fairtrial. Compiles and fits the model as the program of `fairtrial show --code`
does, on the images, the split and the orders of DATA, so that it differs from our own trial in what trains and in
how the initial weights are drawn. Tells a line of JSON after each epoch and its figures at the end.
"""

import argparse
import json
import math
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

VALIDATION_MOMENTS, TEST_MOMENTS = 10, 5
EVALUATION_BATCH = 1000

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
KERAS_NAMES = {
    "kernel": "kernel_size",
    "stride": "strides",
    "size": "pool_size",
    "initializer": "kernel_initializer",
    "bias": "use_bias",
}
LAYERS = {
    "dense": "Dense", "conv": "Conv2D", "pool": "MaxPooling2D", "average_pool": "AveragePooling2D",
    "global_average_pool": "GlobalAveragePooling2D", "flatten": "Flatten", "dropout": "Dropout",
    "batch_norm": "BatchNormalization",
}  # fmt: skip


def moments(steps, count):
    """`count` equally spaced steps of an epoch, its last among them; each step where it has fewer."""
    return sorted({-(-part * steps // count) for part in range(1, count + 1)})


def layer(description, last):
    kind, name = description["kind"], description["name"]
    if kind == "activation":
        return keras.layers.Activation(description["function"], name=name)
    given = {
        KERAS_NAMES.get(key, key): value for key, value in description.items() if key not in ("kind", "name")
    }
    if last:
        # In mixed precision the probabilities stay in float32.
        given |= {"activation": "softmax", "dtype": "float32"}
    return getattr(keras.layers, LAYERS[kind])(**given, name=name)


def learning_rate(rate, steps_per_epoch, epochs):
    if not isinstance(rate, dict):
        return rate
    schedules, kind = keras.optimizers.schedules, rate["kind"]
    if kind == "cosine" and not rate["warmup_epochs"]:
        return schedules.CosineDecay(
            rate["initial"], decay_steps=steps_per_epoch * epochs, alpha=rate["final"] / rate["initial"]
        )
    if kind in ("exponential", "step"):
        falling = rate["rate"] if kind == "exponential" else rate["factor"]
        steps = rate["every"] * steps_per_epoch
        return schedules.ExponentialDecay(rate["initial"], steps, falling, staircase=kind == "step")
    sys.exit("keras_arm.py knows no cosine schedule with a warm-up")


def compiled(settings, shape, steps_per_epoch):
    if settings["precision"] == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    described = settings["network"]
    layers = [layer(one, last=one is described[-1]) for one in described]
    model = keras.Sequential([keras.Input(shape), *layers])
    optimizer = dict(settings["optimizer"])
    kind = getattr(keras.optimizers, OPTIMIZERS[optimizer.pop("name")])
    rate = learning_rate(optimizer.pop("learning_rate"), steps_per_epoch, settings["epochs"])
    model.compile(
        optimizer=kind(learning_rate=rate, **optimizer),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Judge:
    """Accuracy and loss of the model as it is now, without touching what `fit` counts."""

    def __init__(self, model):
        self.said = tf.function(lambda images: model(images, training=False))

    def __call__(self, images, labels):
        parts = [
            self.said(images[start : start + EVALUATION_BATCH]).numpy()
            for start in range(0, len(labels), EVALUATION_BATCH)
        ]
        probabilities = np.concatenate(parts).astype(np.float64)
        of_label = np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1 - 1e-7)
        if not np.isfinite(probabilities).all():
            return float("nan"), float("nan")
        return float((probabilities.argmax(1) == labels).mean()), float(-np.log(of_label).mean())


class LastEpoch(keras.callbacks.Callback):
    """Judges at equally spaced moments of the last epoch; the seconds it takes are not training."""

    def __init__(self, judge, data, steps):
        super().__init__()
        self.judge, self.data, self.steps = judge, data, steps
        self.seconds = 0.0
        self.validation, self.test = [], []

    def on_train_batch_end(self, batch, logs=None):
        begin = time.perf_counter()
        if batch + 1 in moments(self.steps, VALIDATION_MOMENTS):
            self.validation.append(self.judge(*self.data["validation"]))
        if batch + 1 in moments(self.steps, TEST_MOMENTS):
            self.test.append(self.judge(*self.data["test"]))
        self.seconds += time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("settings")
    parser.add_argument("data")
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    began = time.perf_counter()
    settings = json.loads(pathlib.Path(asked.settings).read_text(encoding="utf-8"))
    if settings["early_stopping"] is not None:
        sys.exit("keras_arm.py does not stop early")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    keras.utils.set_random_seed(asked.seed)
    with np.load(asked.data, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    data = {
        part: (arrays[f"{part}_images"].astype("float32") / 255, arrays[f"{part}_labels"].astype("int64"))
        for part in ("train", "validation", "test")
    }
    batch, epochs, orders = settings["batch_size"], settings["epochs"], arrays["orders"]
    steps = math.ceil(orders.shape[1] / batch)
    images, labels = data["train"]
    model = compiled(settings, images.shape[1:], steps)
    judge = Judge(model)
    judge(*data["validation"])  # compiled before anything is timed
    everything = tf.constant(images), tf.constant(labels)
    setup = time.perf_counter() - began
    seconds = dict.fromkeys(("train", "validation", "last_epoch"), 0.0)
    watched = LastEpoch(judge, data, steps)
    told = {}
    for epoch in range(1, epochs + 1):
        order = tf.data.Dataset.from_tensor_slices(orders[(epoch - 1) % len(orders)]).batch(batch)
        batches = order.map(lambda chosen: tuple(tf.gather(one, chosen) for one in everything))
        begin = time.perf_counter()
        history = model.fit(
            batches.prefetch(1), initial_epoch=epoch - 1, epochs=epoch, verbose=0,
            callbacks=[watched] if epoch == epochs else [],
        ).history  # fmt: skip
        train = time.perf_counter() - begin - (watched.seconds if epoch == epochs else 0.0)
        begin = time.perf_counter()
        accuracy, loss = judge(*data["validation"])
        validation = time.perf_counter() - begin
        told = {
            "epoch": epoch,
            "train_accuracy": float(history["accuracy"][-1]), "train_loss": float(history["loss"][-1]),
            "validation_accuracy": accuracy, "validation_loss": loss,
            "train_seconds": train, "validation_seconds": validation,
        }  # fmt: skip
        seconds["train"] += train
        seconds["validation"] += validation
        for which in ("train_loss", "validation_loss"):
            if not math.isfinite(told[which]):
                print(json.dumps({"diverged": f"{which} became {told[which]} in epoch {epoch}"}), flush=True)
                return
        print(json.dumps(told), flush=True)
    seconds["last_epoch"] = watched.seconds
    test_accuracy, test_loss = watched.test[-1]
    result = {
        **{name: told[name] for name in ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")},
        "test_accuracy": test_accuracy, "test_loss": test_loss,
        "last_epoch": {
            f"{part}_{what}": [moment[place] for moment in curve]
            for part, curve in (("validation", watched.validation), ("test", watched.test))
            for place, what in enumerate(("accuracy", "loss"))
        },
        **{f"{phase}_seconds": spent for phase, spent in seconds.items()},
        "setup_seconds": setup,
    }  # fmt: skip
    if settings["data"]["split"] == "fixed":
        result["validation_seen"] = 0.0
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
