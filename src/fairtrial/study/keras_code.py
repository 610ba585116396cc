"""The Keras program that does what an arm does, for a reader to run without fairtrial.

Every value of the arm enters the program as a Python literal, never as bare text, so that no
title or note can become code.
"""

from __future__ import annotations

import re

from fairtrial.errors import StudyError
from fairtrial.images.facts import Source
from fairtrial.study.keras_augment import MOVED
from fairtrial.study.layers import AnyLayer
from fairtrial.study.schema import Arm, DataSettings
from fairtrial.study.shapes import parameters, updates
from fairtrial.study.training import Cosine, EarlyStopping, Exponential, Optimizer, Schedule, Step

SEED = 1

# Our names of layer fields where Keras has others.
KERAS_NAMES = {
    "kernel": "kernel_size",
    "stride": "strides",
    "size": "pool_size",
    "initializer": "kernel_initializer",
    "bias": "use_bias",
    "function": "activation",
}

_HEAD = '''"""One arm of a fairtrial study as a Keras 3 program with the TensorFlow backend.

The same recipe with other random numbers: its figures agree with fairtrial's as two seeds do.
"""

import time

import keras
import numpy as np
import tensorflow as tf
'''

_IMAGES = """(train_images, train_labels), (test_images, test_labels) = keras.datasets.{dataset}.load_data()
train_images = train_images[..., None].astype("float32") / 255
test_images = test_images[..., None].astype("float32") / 255
"""

_COLOUR = """(train_images, train_labels), (test_images, test_labels) = keras.datasets.{dataset}.load_data()
train_images = train_images.astype("float32") / 255
test_images = test_images.astype("float32") / 255
train_labels, test_labels = train_labels.reshape(-1), test_labels.reshape(-1)
"""

_SAVED = """# `fairtrial data save DATA FILE.npz` writes this file.
with np.load({file}) as arrays:
    train_images = arrays["train_images"].astype("float32") / 255
    train_labels = arrays["train_labels"]
    test_images = arrays["test_images"].astype("float32") / 255
    test_labels = arrays["test_labels"]
"""

_OF_KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")

_FIXED = """# The validation images are drawn once and never trained on.
drawn = np.random.default_rng(SEED).permutation(len(train_images))
validation_data = (train_images[drawn[:VALIDATION]], train_labels[drawn[:VALIDATION]])
kept = np.sort(drawn[VALIDATION : VALIDATION + TRAIN])
training = tf.data.Dataset.from_tensor_slices((train_images[kept], train_labels[kept]))
training = training.shuffle(BUFFER_SIZE, reshuffle_each_iteration=True).batch(BATCH_SIZE)
"""

_RESHUFFLED = """# The order is drawn anew in every epoch but the validation images only once: most of them are trained on.
used = VALIDATION + TRAIN
shuffled = tf.data.Dataset.from_tensor_slices((train_images[:used], train_labels[:used]))
shuffled = shuffled.shuffle(BUFFER_SIZE, reshuffle_each_iteration=True)
validation_data = next(iter(shuffled.take(VALIDATION).batch(VALIDATION)))
training = shuffled.skip(VALIDATION).batch(BATCH_SIZE)
"""

# Keras's CosineDecay warms up from another value and reaches its target one step later.
_WARMUP_COSINE = '''class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A linear warm-up, then half a cosine over the rest of the training."""

    initial = {initial}
    final = {final}
    warmup_steps = {warmup_steps}
    falling_steps = {falling_steps}

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        share = keras.ops.minimum((step - self.warmup_steps) / self.falling_steps, 1.0)
        falling = self.final + (self.initial - self.final) * (1 + keras.ops.cos(np.pi * share)) / 2
        return keras.ops.where(step < self.warmup_steps, self.initial * (step + 1) / self.warmup_steps, falling)

    def get_config(self):
        return {{}}
'''

_COMPILE = """model.compile(
    optimizer={optimizer},
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()
assert model.count_params() == {parameters}
"""

_FIT = """begin = time.perf_counter()
history = model.fit(
    training,
    epochs=EPOCHS,
    validation_data=validation_data,
{callbacks}    verbose=2,
).history
seconds = time.perf_counter() - begin

test_loss, test_accuracy = model.evaluate(test_images, test_labels, batch_size=1000, verbose=0)
"""

_PRINT = """print(f"Train Accuracy = {history['accuracy'][-1]:.3f}")
print(f"Train Loss = {history['loss'][-1]:.3f}")
print(f"Validation Accuracy = {history['val_accuracy'][-1]:.3f}")
print(f"Validation Loss = {history['val_loss'][-1]:.3f}")
print(f"Test Accuracy = {test_accuracy:.3f}")
print(f"Test Loss = {test_loss:.3f}")
print(f"Training Time = {seconds:.3f} seconds")
"""


class _Code(str):
    """A piece of program where a literal is expected; never made from a study's text."""


def keras_program(arm: Arm) -> str:
    """A complete Keras 3 program, ending in a newline: data, network, training, evaluation.

    `precision: auto` becomes Keras's own default, float32. Raises StudyError for a network
    whose layers do not fit together.
    """
    settings = arm.settings
    if arm.is_command or not arm.is_described:
        what = "a command of your own trains it" if arm.is_command else "its network is code of your own"
        raise StudyError(f"arm {arm.name!r} has no Keras program: {what}")
    sections = [
        _HEAD,
        _constants(arm),
        "keras.utils.set_random_seed(SEED)\n" + _policy(settings.precision == "bfloat16"),
        _images(settings.data) + "\n" + _split(settings.data),
        "\n" + MOVED if settings.data.augment.moves else "",
        _model(arm),
        _schedule_class(arm),
        _COMPILE.format(optimizer=_optimizer(arm), parameters=parameters(arm)),
        _FIT.format(callbacks=_callbacks(settings.early_stopping)),
        _PRINT,
    ]
    return "\n".join(section for section in sections if section)


def _constants(arm: Arm) -> str:
    settings = arm.settings
    constants = {
        "ARM": arm.name,
        "TITLE": arm.title,
        "NOTE": arm.note,
        "SEED": SEED,
        "VALIDATION": settings.data.validation,
        "TRAIN": settings.data.train_count,
        "BUFFER_SIZE": settings.data.buffer_size,
        "BATCH_SIZE": settings.batch_size,
        "EPOCHS": settings.epochs,
    }
    if settings.data.augment.moves:
        constants |= {name.upper(): amount for name, amount in settings.data.augment}
    lines = [f"{name} = {_literal(value)}" for name, value in constants.items() if value is not None]
    return "\n".join(lines) + "\n"


def _policy(bfloat16: bool) -> str:
    return 'keras.config.set_dtype_policy("mixed_bfloat16")\n' if bfloat16 else ""


def _images(data: DataSettings) -> str:
    """Keras loads some data sets by name; any other is read from the arrays that `fairtrial data save` writes."""
    if data.source == Source(dataset=data.dataset) and data.dataset in _OF_KERAS:
        return (_COLOUR if data.facts.input_shape[2] == 3 else _IMAGES).format(dataset=data.dataset)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", data.facts.name.removesuffix(".npz"))[:60] or "data"
    return _SAVED.format(file=_literal(f"{stem}.npz"))


def _split(data: DataSettings) -> str:
    return _FIXED if data.split == "fixed" else _RESHUFFLED


def _model(arm: Arm) -> str:
    *hidden, output = arm.network
    # The loss takes probabilities; in mixed precision they must stay in float32.
    dtype = {"dtype": "float32"} if arm.settings.precision == "bfloat16" else {}
    lines = [
        _call("keras.Input", arm.settings.data.facts.input_shape),
        *[_layer(layer) for layer in hidden],
        _layer(output, activation="softmax", **dtype),
    ]
    inner = "".join(f"        {line},\n" for line in lines)
    return f"model = keras.Sequential(\n    [\n{inner}    ]\n)\n"


def _layer(layer: AnyLayer, **also: object) -> str:
    return _call(f"keras.layers.{layer.keras_class}", **layer_arguments(layer), **also, name=layer.name)


def layer_arguments(layer: AnyLayer) -> dict[str, object]:
    """What the layer must say to Keras and what departs from Keras's defaults, which are ours; without its name."""
    given = layer.model_dump(exclude={"kind", "name"})
    defaults = {name: field.default for name, field in type(layer).model_fields.items()}
    # A kernel has a default here and none in Keras; a window is worth saying in any case.
    return {
        KERAS_NAMES.get(name, name): value
        for name, value in given.items()
        if value != defaults[name] or name in {"kernel", "size"}
    }


def _optimizer(arm: Arm) -> str:
    optimizer: Optimizer = arm.settings.optimizer
    departures = optimizer.model_dump(exclude={"name", "learning_rate"}, exclude_defaults=True)
    rate = _learning_rate(arm)
    return _call(f"keras.optimizers.{optimizer.keras_class}", learning_rate=rate, **departures)


def _learning_rate(arm: Arm) -> object:
    """The learning rate, or the Keras schedule that gives the same rate at every step."""
    rate: float | Schedule = arm.settings.optimizer.learning_rate
    schedules = "keras.optimizers.schedules"
    match rate:
        case Cosine() if rate.warmup_epochs:
            return _Code("WarmupCosine()")
        case Cosine():
            end = {"alpha": rate.final / rate.initial} if rate.final else {}
            return _Code(_call(f"{schedules}.CosineDecay", rate.initial, decay_steps=updates(arm), **end))
        case Exponential():
            steps = rate.every * arm.steps_per_epoch
            return _Code(
                _call(f"{schedules}.ExponentialDecay", rate.initial, decay_steps=steps, decay_rate=rate.rate)
            )
        case Step():
            steps = rate.every * arm.steps_per_epoch
            return _Code(
                _call(
                    f"{schedules}.ExponentialDecay",
                    rate.initial,
                    decay_steps=steps,
                    decay_rate=rate.factor,
                    staircase=True,
                )
            )
        case _:
            return rate


def _schedule_class(arm: Arm) -> str:
    rate = arm.settings.optimizer.learning_rate
    if not isinstance(rate, Cosine) or not rate.warmup_epochs:
        return ""
    warmup = rate.warmup_epochs * arm.steps_per_epoch
    return "\n" + _WARMUP_COSINE.format(
        initial=_literal(rate.initial),
        final=_literal(rate.final),
        warmup_steps=_literal(warmup),
        falling_steps=_literal(max(1.0, updates(arm) - warmup)),
    )


def _callbacks(stopping: EarlyStopping | None) -> str:
    if stopping is None:
        return ""
    monitor = stopping.monitor.replace("validation", "val")
    call = _call(
        "keras.callbacks.EarlyStopping",
        monitor=monitor,
        mode="min" if monitor == "val_loss" else "max",
        patience=stopping.patience,
        min_delta=stopping.min_delta,
    )
    return f"    callbacks=[{call}],\n"


def _call(function: str, *arguments: object, **named: object) -> str:
    inner = [_literal(value) for value in arguments]
    inner += [f"{name}={_literal(value)}" for name, value in named.items()]
    return f"{function}({', '.join(inner)})"


def _literal(value: object) -> str:
    """The Python literal of a value; text in double quotes where nothing in it needs escaping."""
    if isinstance(value, _Code):
        return str(value)
    if isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & {'"', "\\"}:
        return f'"{value}"'
    return repr(value)
