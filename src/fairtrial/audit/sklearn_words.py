"""scikit-learn's estimators, and those of libraries that follow it."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import cast

from fairtrial.audit.activations import activation_name
from fairtrial.audit.experiment import LayerSeen, TrainingSeen
from fairtrial.audit.keras_words import shown
from fairtrial.audit.state import State, said
from fairtrial.audit.values import LayerMade, Net, Value, number, whole

_FAMILIES = frozenset(
    ["linear_model", "svm", "ensemble", "tree", "neighbors", "naive_bayes", "neural_network", "discriminant_analysis",
     "gaussian_process", "dummy"]
)  # fmt: skip
_OTHERS = ("xgboost.XGB", "lightgbm.LGBM", "catboost.CatBoost")
_JUDGING = frozenset(
    ["cross_val_score", "cross_validate", "cross_val_predict", "learning_curve", "validation_curve"]
)


def library_call(
    state: State, node: ast.Call, path: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value | None:
    """An estimator, or what is done with one; None for anything else."""
    parts = path.split(".")
    word = parts[-1]
    if (
        parts[0] == "sklearn" and len(parts) > 2 and parts[1] in _FAMILIES and word[:1].isupper()
    ) or path.startswith(_OTHERS):
        return _estimator(state, node, word, arguments, keywords)
    if path in ("sklearn.pipeline.make_pipeline", "sklearn.pipeline.Pipeline"):
        return _last(arguments, keywords)
    if word.endswith("SearchCV") or word in _JUDGING:
        net = next((one for one in [*arguments[:1], *keywords.values()] if isinstance(one, Net)), None)
        if net is not None:
            net.used = True
            net.cells.append(state.position)
            net.other["judged by"] = word
            if word in _JUDGING and net.training is None:
                own = net.training_of_estimator or TrainingSeen()
                net.trained_at = state.place
                net.training = replace(own, validation=said(node), other={**(own.other or {}), **net.other})
        return net if word.endswith("SearchCV") else None
    for one in [*arguments, *keywords.values()]:
        if isinstance(one, Net):
            one.used = True
    return None


def _estimator(
    state: State, node: ast.Call, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> Net:
    net = state.made(Net("sklearn", state.place))
    net.other["estimator"] = word
    for one in arguments:  # ensembles of estimators
        if isinstance(one, Net):
            one.used = True
    net.other.update({name: shown(value) for name, value in keywords.items() if name != "random_state"})
    seed = keywords.get("random_state", keywords.get("seed"))
    training = TrainingSeen(seed=seed if isinstance(seed, int) else None)
    if seed is not None and not isinstance(seed, int):
        training = TrainingSeen(other={"seed": shown(seed)})
    if word in ("MLPClassifier", "MLPRegressor"):
        training = _perceptron(state, net, node, arguments, keywords, training)
    net.training_of_estimator = training
    return net


def _perceptron(
    state: State,
    net: Net,
    node: ast.Call,
    arguments: list[Value],
    keywords: dict[str, Value],
    training: TrainingSeen,
) -> TrainingSeen:
    sizes = keywords.get("hidden_layer_sizes", arguments[0] if arguments else (100,))
    activation = activation_name(keywords.get("activation", arguments[1] if len(arguments) > 1 else "relu"))
    place = state.here(node)
    for size in cast("list[Value]", sizes) if isinstance(sizes, list | tuple) else [sizes]:
        settings = {"units": whole(size), "activation": activation}
        net.layers.append(
            LayerMade(
                LayerSeen(
                    "dense", {key: one for key, one in settings.items() if one is not None}, said(node), place
                )
            )
        )
    names = {"solver": "adam", "learning_rate_init": 0.001, "max_iter": 200}
    given = {name: keywords.get(name, default) for name, default in names.items()}
    defaults = [
        word
        for word, name in (
            ("optimizer", "solver"),
            ("learning_rate", "learning_rate_init"),
            ("epochs", "max_iter"),
        )
        if name not in keywords
    ]
    if "batch_size" not in keywords:
        defaults.append("batch_size")
    solver = given["solver"]
    return TrainingSeen(
        optimizer=solver if isinstance(solver, str) else None,
        learning_rate=number(given["learning_rate_init"]),
        batch_size=whole(keywords.get("batch_size", 200)),
        epochs=whole(given["max_iter"]),
        early_stopping=keywords.get("early_stopping") is True,
        seed=training.seed,
        other=training.other,
        defaults=tuple(defaults),
    )


def _last(arguments: list[Value], keywords: dict[str, Value]) -> Value | None:
    """The estimator at the end of a pipeline."""
    steps = arguments[0] if len(arguments) == 1 else keywords.get("steps", arguments)
    steps = cast("list[Value]", steps) if isinstance(steps, list | tuple) else [steps]
    end = steps[-1] if steps else None
    if isinstance(end, tuple) and end:
        end = cast("tuple[Value, ...]", end)[-1]
    return end if isinstance(end, Net) else None
