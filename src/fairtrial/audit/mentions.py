"""Which model a sentence names by its settings: `with 200 units`, `the sigmoid network`, `sequential_3`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fairtrial.audit.experiment import ModelSeen
from fairtrial.audit.words import meant

_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+)(?:[eE]-?\d+)?(?![\w]|\.\d)")
_PAIR = re.compile(
    r"\bfrom\s+(?P<first>\d[\d,]{0,15}(?:\.\d{1,12})?)\s+(?:\w+\s+)?to\s+(?P<second>\d[\d,]{0,15}(?:\.\d{1,12})?)",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\bfrom\s+(?P<first>[a-z_]\w{0,60})\s+to\s+(?P<second>[a-z_]\w{0,60})", re.IGNORECASE)
_LAYERS = re.compile(
    r"\b(?P<count>\d{1,2}|one|two|three|four|five|six|seven|eight)[\s-]+(?:hidden[\s-]+)?layers?\b",
    re.IGNORECASE,
)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
# `more than 1000` compares with no model.
_AGAINST = re.compile(
    r"(?<!more )(?<!less )\bthan\b|\bthan\b(?!\s+\d)|\b(?:compared (?:to|with)|in comparison (?:to|with)|versus|vs\.?|relative to|against)\b",
    re.IGNORECASE,
)
_PREVIOUS = re.compile(
    r"\b(?:previous|preceding|last|earlier|prior)\s+(?:\w+\s+)?(?:model|network|one|experiment|question|run|case|result|architecture)s?\b",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\b(?:first|original|initial|base(?:line)?|starting|reference)\s+(?:\w+\s+)?(?:model|network|one|experiment|run|architecture)\b",
    re.IGNORECASE,
)

# Names of variables that a text uses for whatever it speaks of.
_ORDINARY = frozenset(
    [
        "model",
        "models",
        "net",
        "network",
        "classifier",
        "cnn",
        "mlp",
        "nn",
        "ann",
        "dnn",
        "m",
        "clf",
        "estimator",
    ]
)

Feature = tuple[str, float | str]


@dataclass(frozen=True)
class Named:
    """The models that a text names as the one spoken of and as the one it is held against."""

    variant: ModelSeen | None = None
    baseline: ModelSeen | None = None
    several: bool = False
    """Whether it names more than one without saying which is which."""


def named_in(text: str, candidates: Sequence[ModelSeen], earlier: Sequence[ModelSeen]) -> Named:
    """What a sentence or an answer names among the models of its section, and among those shown before.

    `than` and `compared to` divide the one spoken of from the other; `from 50 to 200` and `from small to wide` name both.
    """
    everything = (*earlier, *(model for model in candidates if model not in earlier))
    for pair in _PAIR.finditer(text):
        first, second = (_by({("number", _value(pair[name]))}, candidates) for name in ("first", "second"))
        if first and second and first is not second:
            return Named(variant=second, baseline=first)
    by_name = {model.name: model for model in everything}
    for pair in _NAMES.finditer(text):
        first, second = by_name.get(pair["first"]), by_name.get(pair["second"])
        if first and second and first is not second:
            return Named(variant=second, baseline=first)
    around = _AGAINST.split(text, maxsplit=1)
    variants = mentioned(around[0], candidates) if len(candidates) > 1 else ()
    baseline = _held_against(around[1], everything, earlier) if len(around) > 1 else None
    if len(variants) > 1:
        return Named(baseline=baseline, several=True)
    return Named(variants[0] if variants else None, baseline)


def mentioned(text: str, models: Sequence[ModelSeen]) -> tuple[ModelSeen, ...]:
    """The models with a setting that the text names and no other of them has; by name, if it names any so.

    A model that is called by nothing but what others have, too, is not mentioned.
    """
    by_name = [
        model
        for model in models
        if model.name.lower() not in _ORDINARY and re.search(rf"(?<!\w){re.escape(model.name)}(?!\w)", text)
    ]
    if by_name:
        return tuple(by_name)
    said = _features_in(text)
    own = {model.name: features(model) for model in models}
    return tuple(
        model
        for model in models
        if said & own[model.name].difference(*(own[other.name] for other in models if other is not model))
    )


def features(model: ModelSeen) -> set[Feature]:
    """Everything a text can call a model by: numbers of its layers and training, activations, its depth."""
    found: set[Feature] = set()
    for layer in model.layers:
        for value in layer.settings.values():
            if isinstance(value, str):
                found.add(("word", value))
            elif isinstance(value, int | float):
                found.add(("number", float(value)))
    training = model.training
    for number in (training.learning_rate, training.batch_size, training.epochs):
        if number is not None:
            found.add(("number", float(number)))
    if training.optimizer:
        found.add(("word", training.optimizer))
    depth = sum(layer.kind == "dense" for layer in model.layers)
    if depth:
        found.add(("depth", float(depth)))
    if any(layer.kind == "conv" for layer in model.layers):
        found.add(("word", "cnn"))
    return found


def _held_against(text: str, models: Sequence[ModelSeen], earlier: Sequence[ModelSeen]) -> ModelSeen | None:
    if earlier and _PREVIOUS.search(text):
        return earlier[-1]
    if earlier and _FIRST.search(text):
        return earlier[0]
    found = mentioned(text, models)
    return found[0] if len(found) == 1 else None


def _by(said: set[Feature], models: Sequence[ModelSeen]) -> ModelSeen | None:
    found = [model for model in models if said <= features(model)]
    return found[0] if len(found) == 1 else None


def _features_in(text: str) -> set[Feature]:
    layers = [found["count"].lower() for found in _LAYERS.finditer(text)]
    numbers = _NUMBER.findall(_LAYERS.sub(" ", text))
    words = re.findall(r"[a-z]+", text.lower())
    return {
        *(("depth", float(_COUNTS.get(count) or count)) for count in layers),
        *(("number", _value(number)) for number in numbers),
        *(("word", "cnn" if word.startswith("convol") else meant(word)) for word in words),
    }


def _value(number: str) -> float:
    return float(number.replace(",", "").rstrip("."))
