"""The experiments of a document: the networks its code makes, those it shows in print alone, and what it says of them."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.audit.asked import asked_in
from fairtrial.audit.attaching import with_figures, with_titles
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments, LayerSeen, ModelSeen, TrainingSeen
from fairtrial.audit.following import followed
from fairtrial.audit.lines import order_of
from fairtrial.audit.merging import merged
from fairtrial.audit.printed import models_printed
from fairtrial.audit.state import State
from fairtrial.audit.values import Net


def experiments(document: Document) -> Experiments:
    """What the author did and said, as far as the file shows it; nothing in it is run."""
    state = followed(document)
    nets = [net for net in state.nets if _is_model(net)]
    models = [_seen(state, net) for net in nets]
    models = with_figures(document, models, nets)
    models = with_titles(document, _distinct(models, nets))
    models = merged(document, models, models_printed(document))
    models.sort(key=lambda model: order_of(document, model.place))
    models = _named_once(models)
    return Experiments(
        models=tuple(models),
        asked=asked_in(document, [model for model in models if model.trained]),
        not_understood=tuple(state.notes),
        datasets=tuple(state.datasets),
    )


def _is_model(net: Net) -> bool:
    """Whether it stands for itself: parts of other networks do not, unless they are trained."""
    if net.training is None and (net.part or (not net.layers and net.library != "sklearn")):
        return False
    return bool(net.layers) or net.library == "sklearn" or net.training is not None


def _seen(state: State, net: Net) -> ModelSeen:
    layers = [made.seen for made in net.layers if made.seen.kind != "input"]
    shape = next((made.input_shape for made in net.layers if made.input_shape is not None), None)
    training = net.training or TrainingSeen(
        optimizer=net.optimizer.name if net.optimizer else None,
        learning_rate=net.optimizer.learning_rate if net.optimizer else None,
        loss=net.loss,
        other=net.other or None,
        defaults=net.optimizer.defaults if net.optimizer else (),
    )
    classes = None
    if net.library != "sklearn":
        layers, classes, output = without_output(layers)
        if output is not None:
            training = replace(training, other={**(training.other or {}), "output activation": output})
    # An excerpt that trains nothing shows models without what was done with them.
    excerpt = state.document.kind == "text" and not any(one.training for one in state.nets)
    return ModelSeen(
        name=net.name or net.other.get("estimator") or net.other.get("class") or "model",
        title="",
        library=net.library,
        layers=tuple(layers),
        training=training,
        place=net.place,
        input_shape=shape,
        classes=classes,
        trained=net.training is not None or net.used or excerpt,
    )


def without_output(layers: list[LayerSeen]) -> tuple[list[LayerSeen], int | None, str | None]:
    """The hidden layers, the units of the output layer, and its activation.

    An activation that stands as a layer of its own after a linear layer becomes that layer's.
    """
    folded: list[LayerSeen] = []
    for layer in layers:
        before = folded[-1] if folded else None
        if (
            layer.kind == "activation"
            and before is not None
            and before.kind in ("dense", "conv")
            and before.settings.get("activation") == "linear"
        ):
            settings = {**before.settings, "activation": layer.settings.get("function")}
            folded[-1] = replace(before, settings=settings)
        else:
            folded.append(layer)
    if folded and folded[-1].kind == "dense":
        last = folded.pop()
        return folded, last.settings.get("units"), last.settings.get("activation")
    return folded, None, None


def _distinct(models: list[ModelSeen], nets: list[Net]) -> list[ModelSeen]:
    """One model for each configuration: trainings that differ in nothing but the seed are runs of it."""
    kept: dict[object, tuple[ModelSeen, dict[str, str]]] = {}
    for model, net in zip(models, nets, strict=True):
        training = replace(model.training, seed=None, other=None)
        other = {key: value for key, value in (model.training.other or {}).items() if key != "seed"}
        settings = tuple((layer.kind, str(layer.settings), layer.said) for layer in model.layers)
        key = (model.name, model.place, settings, model.classes, model.trained, str(training), str(other))
        if key not in kept:
            kept[key] = (model, dict(net.labels))
            continue
        first, labels = kept[key]
        again = replace(first.training, runs=first.training.runs + 1)
        if first.training.seed != model.training.seed:
            again = replace(again, seed=None, other={**(again.other or {}), "seed": "one for each run"})
        kept[key] = (
            replace(first, training=again, figures=(*first.figures, *model.figures)),
            {name: value for name, value in labels.items() if net.labels.get(name) == value},
        )
    return _labelled(list(kept.values()))


def _labelled(found: list[tuple[ModelSeen, dict[str, str]]]) -> list[ModelSeen]:
    """Models of one name told apart by the values of the loop that made them: `model-units-50`."""
    models: list[ModelSeen] = []
    for model, labels in found:
        others = [theirs for one, theirs in found if one.name == model.name and one.place == model.place]
        telling = [
            f"{name}-{value}" for name, value in labels.items() if len({one.get(name) for one in others}) > 1
        ]
        models.append(replace(model, name="-".join([model.name, *telling])))
    return models


def _named_once(models: list[ModelSeen]) -> list[ModelSeen]:
    taken: set[str] = set()
    named: list[ModelSeen] = []
    for model in models:
        name, number = model.name, 2
        while name in taken:
            name, number = f"{model.name}-{number}", number + 1
        taken.add(name)
        named.append(replace(model, name=name))
    return named
