"""Hyperparameters as authors write them down: `BATCH SIZE = 100`, `epochs: 5`, `(use Learning rate 0.0001)`."""

from __future__ import annotations

import re
from dataclasses import replace

from fairtrial.audit.experiment import TrainingSeen
from fairtrial.audit.words import words_of

_NUMBER = r"(?P<value>\d{1,3}(?:,\d{3})+(?!\d)|\d{0,9}\.\d{1,12}(?:[eE]-?\d{1,2})?|\d{1,9}(?:[eE]-?\d{1,2})?)(?![\w.]\d)"
_BETWEEN = r"['\"]?\s*(?:\([^)]{0,20}\)\s*)?(?P<mark>[:=]|->)?\s*"
_LOOSE = r"['\"]?\s*(?:[:=]|->|\b(?:of|is|to|was|with|a|an|value|the|set|be)\b|\s)*\s*"
_NAMES = {
    "batch_size": r"\b(?:mini[\s_-]*)?batch(?:es)?[\s_-]*size",
    "epochs": r"(?:\b(?:num(?:ber)?|no|n|max)[\s_.-]*(?:of[\s_-]*)?)?(?:train(?:ing)?[\s_-]*)?epochs?\b",
    "learning_rate": r"\b(?:initial[\s_-]*)?(?:learn(?:i?n?g)?[\s_-]*rate|learningrate|lr)\b",
    "seed": r"\b(?:random[\s_-]*)?(?:seed|random[\s_-]*state)\b",
    "buffer_size": r"\b(?:shuffle[\s_-]*)?buffer[\s_-]*size",
    "momentum": r"\bmomentum\b",
    "dropout": r"\bdrop[\s_-]*out(?:[\s_-]*(?:rate|prob(?:ability)?))?\b",
}
_COUNTED = {"epochs": re.compile(r"(?<![\w.])(?P<value>\d{1,6})\s+epochs?\b", re.IGNORECASE)}
_STRICT = {name: re.compile(words + _BETWEEN + _NUMBER, re.IGNORECASE) for name, words in _NAMES.items()}
_SPOKEN = {name: re.compile(words + _LOOSE + _NUMBER, re.IGNORECASE) for name, words in _NAMES.items()}
_OPTIMIZER = re.compile(
    r"\boptimi[sz]er\b\W{0,4}(?:is|used|with)?\W{0,4}(?P<name>[A-Za-z]{3,12})", re.IGNORECASE
)
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "ftrl", "lion")
_ACTIVATIONS = {
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "softplus": "softplus",
    "leakyrelu": "leaky_relu",
}


def numbers_stated(text: str, *, spoken: bool = False) -> dict[str, float]:
    """The hyperparameters that a line gives a number for, by the study file's names.

    A colon or an equals sign must stand between name and number; in a title (`spoken`) words such as `of` will do.

    >>> numbers_stated("BUFFER SIZE =10000, BATCH SIZE = 100, NUM_EPOCHS = 5")
    {'batch_size': 100.0, 'epochs': 5.0, 'buffer_size': 10000.0}
    >>> numbers_stated("use a learning rate of 0.0001", spoken=True)
    {'learning_rate': 0.0001}
    """
    found: dict[str, float] = {}
    for name in _NAMES:
        matched = (_SPOKEN if spoken else _STRICT)[name].search(text)
        if matched is not None and (spoken or matched["mark"]):
            found[name] = float(matched["value"].replace(",", ""))
        elif name in _COUNTED and (counted := _COUNTED[name].search(text)) is not None:
            found[name] = float(counted["value"])
    return found


def optimizer_stated(text: str) -> str | None:
    """The optimiser that a line names as one: `Optimizer: Adam`."""
    found = _OPTIMIZER.search(text)
    name = found["name"].lower() if found else None
    return name if name in OPTIMIZERS else None


def activation_stated(text: str) -> str | None:
    """The one activation that a title names; None for none and for several.

    >>> activation_stated("(use Tanh Activation Funcation)")
    'tanh'
    """
    words = words_of(re.sub(r"leaky[\s_-]*relu", "leakyrelu", text, flags=re.IGNORECASE))
    named = {_ACTIVATIONS[word] for word in words if word in _ACTIVATIONS}
    return named.pop() if len(named) == 1 else None


def with_stated(training: TrainingSeen, text: str, *, spoken: bool = False) -> TrainingSeen:
    """What is known of a training, and what a line adds to it; what was known already stays."""
    numbers = numbers_stated(text, spoken=spoken)
    other = dict(training.other or {})
    for name in ("buffer_size", "momentum", "dropout"):
        if name in numbers:
            other.setdefault(name, f"{numbers[name]:g}")
    return replace(
        training,
        optimizer=training.optimizer or optimizer_stated(text),
        learning_rate=_first(training.learning_rate, numbers.get("learning_rate")),
        batch_size=_whole(training.batch_size, numbers.get("batch_size")),
        epochs=_whole(training.epochs, numbers.get("epochs")),
        seed=_whole(training.seed, numbers.get("seed")),
        other=other or None,
    )


def _first(known: float | None, stated: float | None) -> float | None:
    return stated if known is None else known


def _whole(known: int | None, stated: float | None) -> int | None:
    return int(stated) if known is None and stated is not None and stated == int(stated) else known
