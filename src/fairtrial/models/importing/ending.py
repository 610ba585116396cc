"""Where a Keras model ends: its output layer, the softmax over the classes, and the loss that takes what comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fairtrial.models.importing import functions
from fairtrial.models.importing.settings import check
from fairtrial.models.importing.told import Part, Told, part_of, said

_LOSSES = {"sparsecategoricalcrossentropy": "sparse", "categoricalcrossentropy": "one-hot"}
_WANTED = "sparse_categorical_crossentropy, the loss of every arm"
_ACCURACIES = ("accuracy", "acc", "sparsecategoricalaccuracy", "categoricalaccuracy")
_DONE = "end the model with Dense(CLASSES, activation='softmax'), as an arm does"


def without_ending(
    layers: tuple[Part, ...], told: Told, *, classes: int
) -> tuple[tuple[Part, ...], bool | None]:
    """The layers before the output layer, and whether probabilities come out; None where it is no output of ours."""
    *rest, last = layers
    softmaxes = 0
    if functions.function_of_layer(last) == functions.SOFTMAX or _is_softmax(last):
        softmaxes = 1
        if last.kind == "Softmax":
            check(last, ("axis",), told)
        if not rest:
            told.refuse(last, f"there is no layer before it; {_DONE}")
            return (), None
        *rest, last = rest
    if last.custom or last.kind != "Dense":
        told.refuse(last, f"it is the last layer; {_DONE}")
        return tuple(layers), None
    activation = functions.activation_of(last.config.get("activation"), last, told)
    softmaxes += activation == functions.SOFTMAX
    if activation not in (None, functions.SOFTMAX, "linear") or softmaxes > 1:
        what = "softmax twice" if softmaxes > 1 else f"{activation} over the classes"
        told.refuse(last, f"it ends with {what}; {_DONE}")
    _check_output(last, told, classes=classes)
    return tuple(rest), softmaxes == 1


def _is_softmax(part: Part) -> bool:
    return (
        part.kind == "Activation" and not part.custom and part.config.get("activation") == functions.SOFTMAX
    )


def _check_output(last: Part, told: Told, *, classes: int) -> None:
    units = last.config.get("units")
    if units == 1:
        told.refuse(
            last,
            f"it has one output; an arm has one for each of its {classes} classes, two where there are two: {_DONE}",
        )
    elif units != classes or isinstance(units, bool):
        told.refuse(
            last, f"it has {said(units)} outputs and the data {classes} classes: name the data with --data"
        )
    if last.config.get("use_bias", True) is not True:
        told.refuse(
            last,
            f"use_bias is {said(last.config['use_bias'])}: the output layer of an arm has a bias",
        )
    given = last.config.get("kernel_initializer", "glorot_uniform")
    initializer = functions.initializer_of(given, last, told, key="kernel_initializer")
    if initializer not in (None, "glorot_uniform"):
        told.refuse(
            last,
            f"kernel_initializer is {said(given)}: the output layer of an arm is drawn by glorot_uniform",
        )
    rest = {
        key: one
        for key, one in last.config.items()
        if key not in ("units", "activation", "use_bias", "kernel_initializer")
    }
    check(replace(last, config=rest), (), told)


def check_loss(value: Any, told: Told, *, probabilities: bool) -> None:
    """The loss must be the one that arms are trained with, and take what the model gives."""
    while isinstance(value, list | dict) and len(value) == 1 and part_of(value, "") is None:
        (value,) = value.values() if isinstance(value, dict) else value
    part, name = _named(value, "loss")
    kind = _LOSSES.get(_plain(name))
    if kind is not None and part.kind == "function":
        told.note(f"the loss is a function called {said(name)}, and is taken for Keras's own of that name")
    if part.custom or kind is None:
        told.refuse("loss", f"it is {said(value)}; fairtrial trains with {_WANTED}")
        return
    settings = part.config
    for key, one, fits in (
        ("label_smoothing", settings.get("label_smoothing"), (None, 0)),
        ("ignore_class", settings.get("ignore_class"), (None,)),
        ("axis", settings.get("axis"), (None, -1)),
        ("reduction", settings.get("reduction"), (None, "sum_over_batch_size", "mean", "auto")),
    ):
        if one not in fits:
            told.refuse(
                "loss",
                f"{key} is {said(one)}: fairtrial trains with the mean over the batch of {_WANTED}; leave it out",
            )
    logits = settings.get("from_logits", False)
    if logits is True and probabilities:
        told.refuse(
            "loss",
            "from_logits=True, and the model gives probabilities: softmax would be taken twice; leave one of them out",
        )
    if logits is not True and not probabilities:
        told.refuse(
            "loss",
            "from_logits is not set, and the model gives no probabilities; set from_logits=True, or end with softmax",
        )
    if kind == "one-hot":
        told.note(
            "loss categorical_crossentropy takes labels as rows of zeros and a one: of class numbers, as fairtrial has them, it is the same"
        )


def note_metrics(value: Any, told: Told) -> None:
    """They change nothing that is trained; those that fairtrial does not measure are said."""
    others: list[str] = []
    for one in _flat(value, 0):
        _, name = _named(one, "metrics")
        if _plain(name) not in _ACCURACIES and _plain(name) not in _LOSSES:
            others.append(name)
    if others:
        told.note(
            f"metrics {', '.join(said(one) for one in others[:10])} are not measured; fairtrial measures accuracy and loss"
        )


def _named(value: Any, place: str) -> tuple[Part, str]:
    """A loss or metric as an object, a function or a word, and its class or name."""
    part = part_of(value, place)
    if part is None:
        return Part(place=place, kind="", config={}), value if isinstance(value, str) else said(value)
    name = part.config.get("name")
    if part.kind in ("function", "MeanMetricWrapper", "LossFunctionWrapper") and isinstance(name, str):
        return part, name
    return part, part.kind


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _flat(value: Any, depth: int) -> list[Any]:
    if value is None or depth > 4:
        return []
    if isinstance(value, dict) and part_of(value, "") is None:
        value = list(value.values())
    if isinstance(value, list):
        return [inner for one in value for inner in _flat(one, depth + 1)]
    return [value]
