"""What a call gives: of a function of the file, of a library's word, or of a method of a network."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any, cast

from fairtrial.audit import arithmetic, keras_words, sklearn_words, torch_words
from fairtrial.audit.containers import of_dictionary, of_list
from fairtrial.audit.experiment import LayerSeen
from fairtrial.audit.fitting import compiled, fitted, stepped
from fairtrial.audit.keras_words import made_unknown
from fairtrial.audit.loaders import dataset_loaded
from fairtrial.audit.state import State, said
from fairtrial.audit.values import (
    Batches,
    ClassMade,
    FunctionMade,
    Instance,
    LayerMade,
    Method,
    Net,
    OptimizerMade,
    Reference,
    Tensor,
    Unknown,
    Value,
    whole,
)

_KEEP_BATCHES = frozenset(
    [
        "cache",
        "filter",
        "map",
        "prefetch",
        "repeat",
        "shuffle",
        "skip",
        "take",
        "with_options",
        "apply",
        "enumerate",
    ]
)
_SEEDS = frozenset(
    [
        "keras.utils.set_random_seed", "tensorflow.random.set_seed", "tensorflow.set_random_seed", "torch.manual_seed",
        "torch.cuda.manual_seed_all", "numpy.random.seed", "random.seed", "lightning.seed_everything",
        "pytorch_lightning.seed_everything",
    ]
)  # fmt: skip
_FITS = frozenset(["fit", "fit_generator", "train_on_batch", "partial_fit"])
_USES = frozenset(
    ["evaluate", "evaluate_generator", "predict", "predict_proba", "predict_classes", "score", "summary", "transform",
     "decision_function", "test_on_batch", "predict_on_batch"]
)  # fmt: skip
_TRAINABLE = (
    "torch.nn.Module",
    "keras.Model",
    "lightning.LightningModule",
    "pytorch_lightning.LightningModule",
)


def call(
    state: State, node: ast.Call, function: Value, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """The value of the call `node`, whose parts are known already."""
    match function:
        case Reference():
            return _library(state, node, function.path, arguments, keywords)
        case Method():
            return _method(state, node, function.owner, function.word, arguments, keywords)
        case FunctionMade():
            return state.run_function(state, function, arguments, keywords)
        case ClassMade():
            return _instance(state, node, function, arguments, keywords)
        case LayerMade() | Net() | Instance():
            return _passed_through(state, node, function, arguments)
        case _:
            for one in arguments:
                _mark_used(one)
            return Unknown(said(node))


def _library(
    state: State, node: ast.Call, path: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    family, _, rest = path.partition(".")
    if path == "argparse.ArgumentParser":
        return Instance()
    if path in _SEEDS:
        state.seed, state.seeded = (
            (arguments[0] if arguments else next(iter(keywords.values()), Unknown())),
            True,
        )
        return None
    if name := dataset_loaded(path, arguments, keywords):
        if name not in state.datasets:
            state.datasets.append(name)
        return Unknown(said(node))
    if path in ("keras.models.clone_model", "copy.deepcopy", "copy.copy", "sklearn.base.clone"):
        return _copied(state, arguments[0] if arguments else Unknown())
    if family == "builtins" or family == "itertools":
        if rest == "dict":
            return dict(keywords)
        if rest == "zip" and any(isinstance(one, Unknown | Batches) for one in arguments):
            return next(one for one in arguments if isinstance(one, Unknown | Batches))
        if rest in ("enumerate", "list", "iter") and arguments and isinstance(arguments[0], Batches):
            return arguments[0]
        value = arithmetic.called(rest, [*arguments, *keywords.values()] if rest != "sorted" else arguments)
        return Unknown(said(node)) if isinstance(value, Unknown) else value
    if family == "tqdm":
        if path.endswith("trange"):
            return arithmetic.called("range", arguments)
        return arguments[0] if arguments else Unknown(said(node))
    words = {"keras": keras_words, "tensorflow": keras_words, "torch": torch_words}.get(family, sklearn_words)
    value = words.library_call(state, node, path, arguments, keywords)
    return Unknown(said(node)) if value is None else value


def _method(
    state: State, node: ast.Call, owner: Value, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    match owner:
        case Net():
            return _of_network(state, node, owner, word, arguments, keywords)
        case OptimizerMade():
            if word == "step" and owner.net is not None:
                stepped(state, owner.net, owner)
            if word in ("apply_gradients", "minimize"):
                for net in _named_networks(state, node):
                    stepped(state, net, owner)
            return Unknown(said(node))
        case list():
            return of_list(cast("list[Value]", owner), word, arguments, said(node))
        case dict():
            return of_dictionary(cast("dict[Any, Value]", owner), word, arguments, said(node))
        case Instance() if word == "add_argument":
            _option(owner, arguments, keywords)
            return Unknown(said(node))
        case Instance() if word == "parse_args":
            return owner
        case Tensor():
            return torch_words.tensor_method(node, owner, word, arguments)
        case LayerMade() if word == "parameters":  # a single layer that is trained is a network
            name = (
                node.func.value.id
                if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
                else ""
            )
            return state.made(Net("torch", state.place, layers=[owner], name=name))
        case Batches() if word in _KEEP_BATCHES:
            return owner
        case _:
            pass
    if word in ("batch", "padded_batch"):
        return Batches(whole(arguments[0] if arguments else keywords.get("batch_size")), said(node))
    if word in ("flow", "flow_from_directory", "flow_from_dataframe"):  # Keras's image generators
        size = keywords.get("batch_size", arguments[2] if word == "flow" and len(arguments) > 2 else 32)
        return Batches(whole(size), said(node))
    if (
        word == "fit"
        and isinstance(owner, Unknown)
        and ("epochs" in keywords or "validation_data" in keywords)
    ):
        state.note(node, f"{said(node.func)} trains something whose making could not be followed")
    for one in arguments:
        _mark_used(one)
    return Unknown(said(node))


def _option(options: Instance, arguments: list[Value], keywords: dict[str, Value]) -> None:
    """A program's option with the value it has unless the program is started with another."""
    names = [one for one in arguments if isinstance(one, str)]
    name = next((one for one in names if one.startswith("--")), names[0] if names else "")
    default = keywords.get("default", False if keywords.get("action") == "store_true" else Unknown(name))
    options.attributes[str(keywords.get("dest", name.lstrip("-").replace("-", "_")))] = default


def _of_network(
    state: State, node: ast.Call, net: Net, word: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    if word == "add":
        layer = arguments[0] if arguments else keywords.get("layer")
        net.put(keras_words.members(state, node, [layer]))
    elif word == "compile" and net.library == "keras":
        compiled(state, net, arguments, keywords)
    elif word in _FITS:
        fitted(state, net, node, arguments, keywords)
        return net if net.library == "sklearn" else Unknown(said(node))
    elif word in _USES:
        net.used = True
        net.cells.append(state.position)
    elif word in (
        "to",
        "cuda",
        "cpu",
        "train",
        "eval",
        "double",
        "float",
        "half",
        "apply",
        "set_params",
    ) or word in ("parameters", "named_parameters"):
        return net
    elif word in ("add_module", "append") and len(arguments) > (word == "add_module"):
        net.put(torch_words.members(state, node, arguments[-1:]))
    return Unknown(said(node))


def _instance(
    state: State, node: ast.Call, made_of: ClassMade, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """An object of a class of the file; where it is a network, its layers are those that data passes."""
    instance = Instance(made_of=made_of)
    start = made_of.attributes.get("__init__")
    if isinstance(start, FunctionMade):
        state.run_function(state, replace(start, bound=instance), arguments, keywords)
    elif not made_of.bases:
        instance.attributes.update(keywords)
    base = next(
        (one.path for one in made_of.bases if isinstance(one, Reference) and one.path in _TRAINABLE), None
    )
    if base is None:
        return instance
    library = "keras" if base == "keras.Model" else "torch"
    net = state.made(Net(library, state.place))
    net.other["class"] = made_of.node.name
    forward = made_of.attributes.get("call" if library == "keras" else "forward")
    if isinstance(forward, FunctionMade):
        passed = state.run_function(state, replace(forward, bound=instance), [Tensor()], {})
        if isinstance(passed, Tensor):
            net.put(passed.layers)
        else:
            state.note(node, f"what passes through {made_of.node.name} could not be followed")
    instance.net = net
    return instance


def _passed_through(state: State, node: ast.Call, function: Value, arguments: list[Value]) -> Value:
    """A layer or network called on what came before it."""
    if isinstance(function, Instance):
        if function.net is None:
            return Unknown(said(node))
        function = function.net
    before = arguments[0] if arguments else Unknown()
    if isinstance(before, list | tuple) and any(
        isinstance(one, Tensor) for one in cast("list[Value]", before)
    ):
        # Several branches meet: a chain cannot say it, so the layer stays in the author's words.
        branches = [one for one in cast("list[Value]", before) if isinstance(one, Tensor)]
        return Tensor((*max((one.layers for one in branches), key=len), made_unknown(state, node)))
    if isinstance(function, Net):
        function.used = True
        if isinstance(before, Tensor):
            function.part = True
            return Tensor((*before.layers, *function.layers))
        return Unknown(said(node))
    if isinstance(before, Tensor):
        return Tensor((*before.layers, function))
    if isinstance(before, Unknown):  # a chain whose beginning is not shown
        return Tensor((LayerMade(LayerSeen(None, {}, before.said or "?", state.here(node))), function))
    return Unknown(said(node))


def _copied(state: State, value: Value) -> Value:
    if not isinstance(value, Net):
        return value
    value.used = True
    return state.made(Net(value.library, state.place, layers=list(value.layers), other=dict(value.other)))


def _named_networks(state: State, node: ast.Call) -> list[Net]:
    """Networks whose names stand in the arguments: `zip(gradients, model.trainable_variables)`."""
    found: list[Net] = []
    for inner in ast.walk(node):
        value = state.scope.get(inner.id) if isinstance(inner, ast.Name) else None
        value = value.net if isinstance(value, Instance) else value
        if isinstance(value, Net) and value not in found:
            found.append(value)
    return found


def _mark_used(value: Value) -> None:
    """A network that is handed to something unknown may be used there."""
    if isinstance(value, Instance):
        value = value.net
    if isinstance(value, Net):
        value.used = True
