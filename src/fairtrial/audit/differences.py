"""In which settings two models differ, as far as the file shows both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairtrial.audit.defaults import default_learning_rate
from fairtrial.audit.experiment import LayerSeen, ModelSeen


@dataclass(frozen=True)
class Difference:
    """One setting, and what each model has there, in words."""

    setting: str
    variant: str
    baseline: str

    @property
    def sentence(self) -> str:
        """`batch size (1000 against 100)`."""
        return f"{self.setting} ({self.variant} against {self.baseline})"


def differences(variant: ModelSeen, baseline: ModelSeen) -> tuple[Difference, ...]:
    """Settings that differ; one that the file shows for neither or, in a table of layers, cannot show, is none.

    A network with convolutions against one without is one difference: everything else of it goes with that.
    """
    return (*_network(variant, baseline), *_training(variant, baseline))


def _network(variant: ModelSeen, baseline: ModelSeen) -> Iterator[Difference]:
    one, other = _known(variant), _known(baseline)
    if not one or not other:
        return
    if bool(_of(one, "conv")) != bool(_of(other, "conv")):
        yield Difference("kind of network", _kind(one), _kind(other))
        return
    for kind, depth, width, key in (
        ("dense", "depth", "width", "units"),
        ("conv", "number of convolutions", "filters", "filters"),
    ):
        here, there = _values(one, kind, key), _values(other, kind, key)
        if len(here) != len(there):
            yield Difference(depth, str(len(here)), str(len(there)))
        if here and there and _unlike(here, there):
            yield Difference(width, _listed(here), _listed(there))
    for kind, key, name in (
        ("conv", "kernel", "kernel"),
        ("dropout", "rate", "dropout"),
        ("pool", "size", "pooling"),
        ("dense", "initializer", "initial weights"),
    ):
        here, there = _values(one, kind, key), _values(other, kind, key)
        both_show = here and there and None not in (*here, *there)
        if (both_show and _unlike(here, there)) or (
            kind in ("dropout", "pool") and bool(here) != bool(there)
        ):
            yield Difference(name, _listed(here), _listed(there))
    here, there = len(_of(one, "batch_norm")), len(_of(other, "batch_norm"))
    if bool(here) != bool(there):
        yield Difference("batch normalisation", "yes" if here else "no", "yes" if there else "no")
    yield from _activation(one, other)


def _activation(one: list[LayerSeen], other: list[LayerSeen]) -> Iterator[Difference]:
    if not all(any(layer.kind in ("dense", "conv") for layer in layers) for layers in (one, other)):
        return  # the first hidden layer brings its activation with it
    here, there = _activations(one), _activations(other)
    # A table shows no activation: one that only the other's title names has changed all the same.
    if (here or there) and set(here) != set(there):
        yield Difference("activation", _listed(here), _listed(there))


def _activations(layers: list[LayerSeen]) -> list[Any]:
    return [
        layer.settings[key]
        for layer in layers
        for key in ("activation", "function")
        if layer.settings.get(key) not in (None, "linear")
    ]


def _training(variant: ModelSeen, baseline: ModelSeen) -> Iterator[Difference]:
    one, other = variant.training, baseline.training
    same_optimizer = one.optimizer == other.optimizer
    if one.optimizer and other.optimizer and not same_optimizer:
        yield Difference("optimiser", one.optimizer, other.optimizer)
    rates = _rate(variant), _rate(baseline)
    told = same_optimizer or (None not in rates and not _default_rates(variant, baseline))
    if rates[0] != rates[1] and told:
        yield Difference("learning rate", *("not stated" if rate is None else f"{rate:g}" for rate in rates))
    for name, here, there in (
        ("batch size", one.batch_size, other.batch_size),
        ("epochs", one.epochs, other.epochs),
        ("loss", one.loss, other.loss),
    ):
        if here is not None and there is not None and here != there:
            yield Difference(name, str(here), str(there))
    if one.early_stopping != other.early_stopping:
        words = ["yes" if stops else "no" for stops in (one.early_stopping, other.early_stopping)]
        yield Difference("early stopping", *words)


def _rate(model: ModelSeen) -> float | None:
    if model.training.learning_rate is not None:
        return model.training.learning_rate
    return default_learning_rate(model.library, model.training.optimizer)


def _default_rates(*models: ModelSeen) -> bool:
    """Whether each has the rate that goes with its optimiser: then the optimiser is the one difference."""
    return all(
        _rate(model) == default_learning_rate(model.library, model.training.optimizer) for model in models
    )


def _known(model: ModelSeen) -> list[LayerSeen]:
    return [layer for layer in model.layers if layer.kind is not None]


def _of(layers: list[LayerSeen], kind: str) -> list[LayerSeen]:
    return [layer for layer in layers if layer.kind == kind]


def _values(layers: list[LayerSeen], kind: str, key: str) -> list[Any]:
    return [layer.settings.get(key) for layer in layers if layer.kind == kind]


def _unlike(here: list[Any], there: list[Any]) -> bool:
    """Whether values differ, apart from how many there are: layers added at the end are no other width."""
    short, long = sorted((here, there), key=len)
    return short != long[: len(short)] and short != long[-len(short) :]


def _kind(layers: list[LayerSeen]) -> str:
    return "convolutions" if _of(layers, "conv") else "dense layers alone"


def _listed(values: list[Any]) -> str:
    known = ["not shown" if value is None else str(value) for value in values]
    if len(set(known)) == 1:
        return known[0] if len(known) == 1 else f"{known[0]} in each"
    return ", ".join(known) if known else "none stated"
