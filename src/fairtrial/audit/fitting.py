"""How a network is trained: what `compile`, `fit` and a loop of steps show of it."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import cast

from fairtrial.audit.activations import loss_name
from fairtrial.audit.experiment import TrainingSeen
from fairtrial.audit.keras_words import optimizer, shown
from fairtrial.audit.state import MOST_NETS, State, said
from fairtrial.audit.values import (
    Batches,
    CallbackMade,
    Loop,
    Net,
    OptimizerMade,
    TooMuch,
    Unknown,
    Value,
    whole,
)

KERAS_BATCH = 32
"""What `fit` takes where it is given arrays and no batch size."""


def compiled(state: State, net: Net, arguments: list[Value], keywords: dict[str, Value]) -> None:
    """Note the optimiser and loss; Keras's own is rmsprop. A network that has been trained is another from here on."""
    if net.training is not None:
        if len(state.nets) >= MOST_NETS:
            raise TooMuch
        earlier = replace(net, layers=list(net.layers), cells=list(net.cells), other=dict(net.other))
        state.nets.insert(state.nets.index(net), earlier)
        net.other["continues"] = "the weights that it was trained to before"
        net.training, net.place, net.cells = None, state.place, []
        net.labels, net.loops = dict(loop.label for loop in state.loops if loop.label), len(state.loops)
    given = keywords.get("optimizer", arguments[0] if arguments else None)
    if given is None:
        net.optimizer = optimizer("rmsprop")
        net.other["compile"] = "without an optimizer"
    else:
        net.optimizer = optimizer(given)
        if net.optimizer is None:
            net.other["optimizer"] = shown(given)
    net.loss = loss_name(keywords.get("loss", arguments[1] if len(arguments) > 1 else None))


def fitted(
    state: State, net: Net, node: ast.Call, arguments: list[Value], keywords: dict[str, Value]
) -> None:
    """Note a call of `fit`. A second one of the same network goes on training it."""
    net.cells.append(state.position)
    state.trained.append(net)
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if net.library == "sklearn":
        if net.training is None:
            net.training, net.trained_at = _of_estimator(state, net), state.place
        return
    training = _keras_training(state, net, arguments, keywords, given)
    if net.training is None:
        net.training, net.trained_at = training, state.place
    elif net.trained_at == state.place:
        if net.training.epochs and training.epochs and "epochs" not in training.defaults:
            net.training = replace(net.training, epochs=net.training.epochs + training.epochs)
    else:
        net.training = replace(net.training, other={**(net.training.other or {}), "fitted again": said(node)})


def stepped(state: State, net: Net, made: OptimizerMade) -> None:
    """Note a step of an optimiser, with the loops that it runs in."""
    state.trained.append(net)
    net.cells.append(state.position)
    if net.training is not None:
        return
    loops: list[Loop] = state.loops[net.loops :]
    batches = next((loop.batches for loop in loops if loop.batches is not None), None)
    epochs = next((loop.times for loop in loops if loop.batches is None and loop.times is not None), None)
    net.optimizer = made
    net.stepped = True
    net.trained_at = state.place
    net.training = _training(state, net, batch_size=batches.size if batches else None, epochs=epochs)


def _keras_training(
    state: State,
    net: Net,
    arguments: list[Value],
    keywords: dict[str, Value],
    given: dict[str | None, ast.expr],
) -> TrainingSeen:
    data = arguments[0] if arguments else keywords.get("x", Unknown())
    defaults: list[str] = []
    size = keywords.get("batch_size", arguments[2] if len(arguments) > 2 else None)
    if size is not None:
        batch_size = whole(size)
    elif isinstance(data, Batches):
        batch_size = data.size
    elif len(arguments) > 1 or "y" in keywords:
        batch_size = KERAS_BATCH
        defaults.append("batch_size")
    else:
        batch_size = None
    epochs = keywords.get("epochs", keywords.get("nb_epoch", arguments[3] if len(arguments) > 3 else None))
    if epochs is None:
        epochs = 1
        defaults.append("epochs")
    validation = next(
        (said(given[name]) for name in ("validation_data", "validation_split") if name in given), None
    )
    if isinstance(share := keywords.get("validation_split"), int | float):
        validation = f"{share:g}"
    other: dict[str, str] = {}
    stopping = False
    callbacks = keywords.get("callbacks")
    for one in cast("list[Value]", callbacks) if isinstance(callbacks, list | tuple) else [callbacks]:
        if isinstance(one, CallbackMade):
            if one.name == "EarlyStopping":
                stopping = True
                other.update({f"early_stopping.{key}": shown(value) for key, value in one.settings.items()})
            else:
                other["callbacks"] = ", ".join(filter(None, [other.get("callbacks"), one.name]))
        elif one is not None:
            other["callbacks"] = ", ".join(filter(None, [other.get("callbacks"), shown(one)]))
            stopping = stopping or "earlystopping" in shown(one).lower().replace("_", "")
    for name in ("class_weight", "sample_weight", "steps_per_epoch", "initial_epoch", "shuffle"):
        if name in given:
            other[name] = said(given[name])
    training = _training(state, net, batch_size=batch_size, epochs=whole(epochs), other=other)
    return replace(
        training,
        validation=validation,
        early_stopping=stopping,
        defaults=(*training.defaults, *defaults),
    )


def _training(
    state: State, net: Net, *, batch_size: int | None, epochs: int | None, other: dict[str, str] | None = None
) -> TrainingSeen:
    made = net.optimizer
    return TrainingSeen(
        optimizer=made.name if made else None,
        learning_rate=made.learning_rate if made else None,
        loss=net.loss,
        batch_size=batch_size,
        epochs=epochs,
        seed=state.seed if isinstance(state.seed, int) else None,
        other={**net.other, **(made.settings if made else {}), **(other or {}), **_seed(state)},
        defaults=made.defaults if made else (),
    )


def _of_estimator(state: State, net: Net) -> TrainingSeen:
    own = net.training_of_estimator or TrainingSeen()
    other = {**net.other, **(own.other or {})}
    if own.seed is None and isinstance(state.seed, int):
        own = replace(own, seed=state.seed)
    return replace(own, other=other)


def _seed(state: State) -> dict[str, str]:
    return {"seed": shown(state.seed)} if state.seeded and not isinstance(state.seed, int) else {}
