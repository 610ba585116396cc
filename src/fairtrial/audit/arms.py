"""A model that was seen as an arm of a study: what the file shows, what is assumed in its place, what cannot be said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairtrial.audit.activations import ACTIVATIONS
from fairtrial.audit.defaults import NAMES, OPTIMIZER_NAMES, default_learning_rate
from fairtrial.audit.experiment import LayerSeen, ModelSeen, TrainingSeen
from fairtrial.audit.figures import final_figures
from fairtrial.errors import StudyError
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import parameters
from fairtrial.study.studyfile import study_from_dict

ASSUMED_ACTIVATION = "relu"
ASSUMED_OPTIMIZER = "adam"
_DEFAULTS = {
    "activation": "linear",
    "bias": True,
    "padding": "valid",
    "initializer": "glorot_uniform",
    "stride": 1,
}
_SHORT = {"pool": "size", "average_pool": "size", "dropout": "rate", "activation": "function"}
_DONE_BY_STUDY = re.compile(r"\b(?:Rescaling|Normalization|Reshape)\b")
_OPTIMIZER_SETTINGS = {
    "adam": ("beta_1", "beta_2", "epsilon"),
    "adamw": ("weight_decay", "beta_1", "beta_2", "epsilon"),
    "sgd": ("momentum", "nesterov"),
    "rmsprop": ("rho", "momentum", "epsilon"),
    "adagrad": ("initial_accumulator_value", "epsilon"),
}
_MONITORS = {
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
    "val_acc": "validation_accuracy",
}
_NO_MATTER = ("callbacks", "class", "compile", "seed", "output activation", "buffer_size", "estimator", "hidden_layer_sizes", "solver", "max_iter", "learning_rate_init", "batch_size", "verbose", "activation")  # fmt: skip


@dataclass(frozen=True)
class Translated:
    """An arm's settings as a file writes them, and what is to be said beside them."""

    name: str
    model: ModelSeen
    settings: dict[str, Any]
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    published: tuple[tuple[str, float], ...] = ()
    arm: Arm | None = None
    """As a study would load it."""


class Untranslated(Exception):
    """Why a model is no arm of a study, in a sentence."""


@dataclass(frozen=True)
class Usual:
    """What most models of the file have: what is assumed of one that shows nothing."""

    optimizer: str
    batch_size: int
    epochs: int

    @classmethod
    def of(cls, models: Sequence[ModelSeen]) -> Usual:
        trainings = [model.training for model in models]
        return cls(
            _most([one.optimizer for one in trainings], ASSUMED_OPTIMIZER),
            _most([one.batch_size for one in trainings], 100),
            _most([one.epochs for one in trainings], 5),
        )


def translated(model: ModelSeen, usual: Usual) -> Translated:
    """The arm of a model. Raises Untranslated with the reason where there is none."""
    if not model.trained:
        raise Untranslated("it is built, and neither trained nor used")
    if model.library == "sklearn" and not model.layers:
        estimator = (model.training.other or {}).get("estimator", model.name)
        raise Untranslated(f"{estimator} is no network of layers")
    if model.classes is not None and model.classes != 10:
        raise Untranslated(f"its output layer has {model.classes} units, and MNIST has 10 classes")
    assumed: list[str] = []
    notes: list[str] = []
    settings = {
        "network": _network(model, assumed, notes),
        "optimizer": _optimizer(model, usual, assumed, notes),
        "batch_size": _value(
            "batch size", model.training.batch_size, usual.batch_size, "batch_size", model, assumed
        ),
        "epochs": _value("number of epochs", model.training.epochs, usual.epochs, "epochs", model, assumed),
        **_early_stopping(model.training, notes),
    }
    for key, value in (model.training.other or {}).items():
        if "." not in key and key not in (*_NO_MATTER, "learning_rate"):
            notes.append(f"{key}: {value} is not translated")
    if callbacks := (model.training.other or {}).get("callbacks"):
        notes.append(f"the callbacks {callbacks} are not translated")
    arm = _loaded(settings)
    count = parameters(arm)
    if model.printed_parameters is not None and model.printed_parameters != count:
        notes.append(
            f"this network has {count:,} parameters, but the file printed {model.printed_parameters:,}"
        )
    else:
        printed = ", as printed" if model.printed_parameters is not None else ""
        notes.insert(0, f"{count:,} parameters{printed}")
    return Translated(
        model.name, model, settings, tuple(assumed), tuple(notes), tuple(published(model).items()), arm
    )


def published(model: ModelSeen) -> dict[str, float]:
    """The figures that the file shows for a model, by the names of a study file."""
    found: dict[str, float] = {}
    for metric in ("accuracy", "loss"):
        for on in ("train", "validation", "test"):
            for figure in final_figures(model, metric, on):
                if metric == "loss" or 0 <= figure.value <= 1:
                    found[f"{on}_{metric}"] = figure.value
    for figure in final_figures(model, "time"):
        if figure.on == "train" and figure.value >= 0:
            found["train_seconds"] = figure.value
    return found


def _loaded(settings: dict[str, Any]) -> Arm:
    try:
        arm = study_from_dict({"schema": "fairtrial/1", "name": "audit", "arms": {"it": settings}}).arms["it"]
        parameters(arm)
    except StudyError as error:
        first = str(error).split("\n", 1)[0]
        raise Untranslated(re.sub(r"^.*?arms\.it[\w.]*: |arm 'it': ", "", first)) from None
    return arm


def _network(model: ModelSeen, assumed: list[str], notes: list[str]) -> dict[str, Any]:
    layers: list[LayerSeen] = []
    flat = False
    for layer in model.layers:
        if layer.kind is None and _DONE_BY_STUDY.search(layer.said):
            notes.append(f"left out, because a study scales and shapes the images itself: {layer.said}")
            continue
        if layer.kind is None:
            raise Untranslated(f"a study file has no layer for {layer.said}")
        if layer.kind in ("dense", "conv") and not ({"units", "filters"} & set(layer.settings)):
            raise Untranslated(f"the size of a layer is not shown: {layer.said}")
        if layer.kind == "dense" and not flat:
            if not any(one.kind in ("flatten", "global_average_pool") for one in layers):
                layers.append(LayerSeen("flatten", {}, "", layer.place))
            flat = True
        if layer.kind in ("dense", "conv") and "activation" not in layer.settings:
            if "(" in layer.said and re.search(r"activation\s*=", layer.said):
                raise Untranslated(f"a study file has no such activation: {layer.said}")
            _once(
                assumed,
                f"assumed: {ASSUMED_ACTIVATION} as the activation of hidden layers; a printed table shows none",
            )
            layer = replace(layer, settings={**layer.settings, "activation": ASSUMED_ACTIVATION})  # noqa: PLW2901
        if layer.kind == "conv" and "kernel" not in layer.settings:
            _once(assumed, "assumed: 3 as the kernel of convolutions; what was printed does not tell it")
        layers.append(layer)
    if model.library == "torch":
        notes.append("PyTorch draws its first weights otherwise; a study draws them as Keras does")
    return _as_mlp(layers) or {"layers": [_as_written(layer) for layer in layers]}


def _as_mlp(layers: list[LayerSeen]) -> dict[str, Any] | None:
    dense = layers[1:]
    plain = [{key: value for key, value in layer.settings.items() if key != "name"} for layer in dense]
    if layers and layers[0].kind == "flatten" and dense and all(layer.kind == "dense" for layer in dense):
        first = {
            key: value
            for key, value in plain[0].items()
            if value != _DEFAULTS.get(key) or key == "activation"
        }
        alike = all(one == plain[0] for one in plain) and set(first) == {"units", "activation"}
        if alike and first["activation"] in ACTIVATIONS:
            return {"mlp": {"width": first["units"], "depth": len(dense), "activation": first["activation"]}}
    return None


def _as_written(layer: LayerSeen) -> Any:
    settings = {
        key: value
        for key, value in layer.settings.items()
        if key != "name"
        and not (key in _DEFAULTS and _DEFAULTS[key] == value and layer.kind in ("dense", "conv"))
    }
    short = _SHORT.get(layer.kind or "")
    if short and set(settings) == {short}:
        return {layer.kind: settings[short]}
    return {layer.kind: settings} if settings else layer.kind


def _optimizer(model: ModelSeen, usual: Usual, assumed: list[str], notes: list[str]) -> dict[str, Any]:
    training, other = model.training, dict(model.training.other or {})
    name = training.optimizer
    if name is None:
        if "optimizer" in other:
            raise Untranslated(f"its optimiser is not shown: {other['optimizer']}")
        name = usual.optimizer
        assumed.append(f"assumed: {name} as the optimiser; the file shows none")
    if name not in _OPTIMIZER_SETTINGS:
        raise Untranslated(f"a study file has no optimiser {name}")
    label = f"{NAMES[model.library]}'s default for {OPTIMIZER_NAMES.get(name, name)}"
    rate = training.learning_rate
    if rate is None:
        rate = default_learning_rate(model.library, name) or default_learning_rate("keras", name)
        shown = (
            f"`{other['learning_rate']}` is no number" if "learning_rate" in other else "the file shows none"
        )
        assumed.append(f"assumed: a learning rate of {rate:g}, {label}; {shown}")
    elif "learning_rate" in training.defaults:
        assumed.append(f"default: a learning rate of {rate:g} is {label}")
    settings: dict[str, Any] = {"name": name, "learning_rate": rate}
    for key in _OPTIMIZER_SETTINGS[name]:
        text = other.get(f"optimizer.{key}")
        if text is not None:
            value = _plain(text)
            if value is None:
                notes.append(f"the optimiser's {key}={text} is not translated")
            else:
                settings[key] = value
    return settings


def _value(words: str, shown: int | None, usual: int, key: str, model: ModelSeen, assumed: list[str]) -> int:
    if shown is None:
        assumed.append(f"assumed: a {words} of {usual}; the file does not show it")
        return usual
    if key in model.training.defaults:
        assumed.append(f"default: a {words} of {shown} is {NAMES[model.library]}'s")
    return shown


def _early_stopping(training: TrainingSeen, notes: list[str]) -> dict[str, Any]:
    if not training.early_stopping:
        return {}
    other = training.other or {}
    monitor = (other.get("early_stopping.monitor") or "'val_loss'").strip("'\"")
    if monitor not in _MONITORS:
        notes.append(f"early stopping on {monitor} is not translated: a study stops on validation alone")
        return {}
    patience, least = (
        _plain(other.get("early_stopping.patience", "")),
        _plain(other.get("early_stopping.min_delta", "")),
    )
    settings: dict[str, Any] = {"monitor": _MONITORS[monitor], "patience": max(int(patience or 1), 1)}
    if least:
        settings["min_delta"] = abs(float(least))
    return {"early_stopping": settings}


def _plain(text: str) -> Any:
    if text in ("True", "False"):
        return text == "True"
    try:
        return float(text)
    except ValueError:
        return None


def _once(sentences: list[str], sentence: str) -> None:
    if sentence not in sentences:
        sentences.append(sentence)


def _most(values: Sequence[Any], otherwise: Any) -> Any:
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else otherwise
