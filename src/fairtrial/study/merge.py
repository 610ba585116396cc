"""Inheritance: what an arm is once its departures are laid over what it starts from.

A departure is nested (`network: {mlp: {width: 200}}`) or dotted (`network.mlp.width: 200`); both
change that setting and leave the rest. Lists are replaced whole; `network.layers` may be
departed from layer by layer, by name or position. Layers and schedules come out tagged
(`{kind: dense, units: 100}`), the form the models of `schema.py` validate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from pydantic import BaseModel

from fairtrial.errors import Mistake
from fairtrial.study.layers import LAYERS
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.training import AnyOptimizer, Schedule
from fairtrial.study.tree import Node, shortened

Path = tuple[str, ...]
OPTIMIZERS: dict[str, type[BaseModel]] = {
    kind.model_fields["name"].default: kind for kind in get_args(get_args(AnyOptimizer)[0])
}
SCHEDULES: dict[str, type[BaseModel]] = {
    kind.model_fields["kind"].default: kind for kind in get_args(Schedule)
}
DEEPEST_SETTING = 12
SCHEDULE_FIELDS = frozenset(name for kind in SCHEDULES.values() for name in kind.model_fields)

ORIGIN = Node(
    value={"optimizer": Node(value={"name": Node(value="adam", where="")}, where="")}, where="", owner="base"
)
"""What the base itself starts from: an optimiser must have its kind before anything departs from it."""


def expanded(body: Node, mistakes: list[Mistake], *, depth: int = 0) -> Node:
    """The mapping `body` with its dotted keys as nested mappings."""
    tree = replace(body, value={})
    for key, value in (body.entries or {}).items():
        first, *rest = key.split(".")
        fault = "has an empty part" if not all((first, *rest)) else ""
        if depth + len(rest) >= DEEPEST_SETTING:
            fault = f"lies deeper than any setting does ({DEEPEST_SETTING} levels)"
        if fault:
            message = f"{_subject(value)}the path {shortened(key)!r} {fault}"
            mistakes.append(Mistake(where=value.where, message=message))
            continue
        node = value
        if value.entries is not None:
            node = expanded(value, mistakes, depth=depth + 1 + len(rest))
        for part in reversed(rest):
            node = replace(node, value={part: node}, implied=True)
        tree = _joined(tree, replace(node, value={first: node}), (), mistakes)
    return tree


def _joined(one: Node, other: Node, path: Path, mistakes: list[Mistake]) -> Node:
    """Two parts of the same body as one mapping; a setting given by both is a mistake."""
    if one.entries is None or other.entries is None:
        message = f"{_subject(other)}{'.'.join(path)} is given twice, first at {one.where}"
        mistakes.append(Mistake(where=other.where, message=message))
        return one
    entries = dict(one.entries)
    for key, child in other.entries.items():
        entries[key] = _joined(entries[key], child, (*path, key), mistakes) if key in entries else child
    return replace(one, value=entries, implied=one.implied and other.implied)


def departed(old: Node | None, new: Node, mistakes: list[Mistake], *, path: Path = ()) -> Node:
    """`old` with the departures `new` (already expanded) laid over it.

    Each value keeps the origin of whoever wrote it, and a mapping that of whoever wrote it first.
    What cannot be applied becomes a mistake and is left out.
    """
    if path == ("optimizer", "learning_rate"):
        new = _tagged_schedule(new)
    if path == ("network",) and isinstance(new.value, str):
        new = replace(new, value={"python": new})
    if new.entries is None:
        return new
    if path == ("network",):
        return _departed_network(old, new, mistakes)
    inherited = dict((old.entries if old else None) or {})
    if path == ("optimizer",):
        inherited = _kept_by_optimizer(inherited, new.entries)
    if _another_kind(inherited, new.entries) and not _is_own(path):
        inherited = {}
    return _laid_over(old if inherited else None, inherited, new, mistakes, path)


def _another_kind(inherited: dict[str, Node], new: dict[str, Node]) -> bool:
    """Whether another schedule is given, which shares no settings with the one inherited."""
    return "kind" in inherited and "kind" in new and inherited["kind"].value != new["kind"].value


def _is_own(path: Path) -> bool:
    """Whether names here are of the user's choosing, so that `kind` is a name like any other."""
    return path[:1] == ("parameters",) or path[:2] == ("network", "arguments")


def _laid_over(
    old: Node | None, inherited: dict[str, Node], new: Node, mistakes: list[Mistake], path: Path
) -> Node:
    entries = dict(inherited)
    for key, child in (new.entries or {}).items():
        entries[key] = departed(entries.get(key), child, mistakes, path=(*path, key))
    return replace(old if old and old.where else new, value=entries)


def _kept_by_optimizer(inherited: dict[str, Node], new: dict[str, Node]) -> dict[str, Node]:
    """What is inherited, without settings that another optimiser has no meaning for."""
    name = new["name"].value if "name" in new else None
    kind = OPTIMIZERS.get(name) if isinstance(name, str) else None
    if kind is None or "name" not in inherited or inherited["name"].value == name:
        return inherited
    return {key: node for key, node in inherited.items() if key in kind.model_fields}


def _departed_network(old: Node | None, new: Node, mistakes: list[Mistake]) -> Node:
    """An arm that gives `layers` gives up an inherited `mlp`, and the other way round; so with `python` and both."""
    inherited = dict((old.entries if old else None) or {})
    given = {key: child for key, child in (new.entries or {}).items() if child.value is not None}
    subject = _subject(new)
    forms = [key for key in ("mlp", "layers", "python") if key in given]
    if len(forms) > 1:
        first, second = forms[:2]
        message = (
            f"{subject}network takes {first} or {second}, not both; {first} is given at {given[first].where}"
        )
        mistakes.append(Mistake(where=given[second].where, message=message))
        return old or replace(new, value={first: given[first]})
    inherited = _kept_by_network(inherited, given)
    for key, child in given.items():
        if key in ("mlp", "layers") and "python" in inherited:
            mistakes.append(_other_network(child, key, "python", inherited["python"]))
            continue
        if key == "mlp" and "layers" in inherited:
            if child.implied:
                mistakes.append(_other_network(child, "mlp", "layers", inherited["layers"]))
                continue
            del inherited["layers"]
        if key == "layers" and child.entries is not None and inherited.get("layers") is None:
            mistakes.append(_other_network(child, "layers", "mlp", inherited.get("mlp")))
            # The network that the default is, so that one mistake is not reported as two.
            inherited.setdefault("mlp", replace(child, value={}))
            continue
        if key == "layers":
            inherited.pop("mlp", None)
            inherited["layers"] = _departed_layers(inherited.get("layers"), child, mistakes)
        else:
            inherited[key] = departed(inherited.get(key), child, mistakes, path=("network", key))
    return replace(old if old and old.where else new, value=inherited)


def _kept_by_network(inherited: dict[str, Node], given: dict[str, Node]) -> dict[str, Node]:
    """What is inherited, without what belongs to a network of another make."""
    if "python" in given:
        return {key: node for key, node in inherited.items() if key not in ("mlp", "layers")}
    whole = any(
        key in given and not (given[key].implied or (key == "layers" and given[key].entries is not None))
        for key in ("mlp", "layers")
    )
    if whole and "python" in inherited:
        return {key: node for key, node in inherited.items() if key not in ("python", "arguments")}
    return inherited


def _other_network(child: Node, wanted: str, present: str, origin: Node | None) -> Mistake:
    node, path = child, f"network.{wanted}"
    while node.entries and len(node.entries) == 1:
        (key, node), *_ = node.entries.items()
        path = f"{path}.{key}"
    given = f" (given at {origin.where})" if origin is not None and origin.where else ""
    if present == "python":
        present = "a factory of your own"
    remedy = "give mlp as a whole" if wanted == "mlp" else "give layers as a list"
    message = f"{_subject(child)}{path} does not apply: this network is made of {present}{given}; {remedy}"
    return Mistake(where=node.where, message=message)


def _departed_layers(old: Node | None, new: Node, mistakes: list[Mistake]) -> Node:
    if new.items is not None:
        return replace(new, value=tuple(map(_tagged_layer, new.items)))
    if new.entries is None or old is None or old.items is None:
        return new
    layers = list(old.items)
    for reference, child in new.entries.items():
        place = _place(layers, reference)
        if place is None:
            names = layer_names(layers)
            known = (
                f"; layers here: {', '.join(names)} (or 0 to {len(names) - 1})" if names else "; it is empty"
            )
            message = f"{_subject(child)}network.layers has no layer {shortened(reference)!r}{did_you_mean(reference, names)}{known}"
            mistakes.append(Mistake(where=child.where, message=message))
        else:
            layers[place] = _departed_layer(layers[place], child, mistakes)
    return replace(old, value=tuple(layers))


def _departed_layer(old: Node, new: Node, mistakes: list[Mistake]) -> Node:
    """Settings change the layer; a layer as the file writes one (`{dropout: 0.5}`) replaces it."""
    kind = _kind(old)
    own = LAYERS[kind].model_fields if kind in LAYERS else {}
    whole = not new.implied and len(new.entries or ()) == 1 and not set(new.entries or ()) & set(own)
    if new.entries is None or whole:
        return _tagged_layer(new)
    return departed(old, new, mistakes, path=("network", "layers", ""))


def _place(layers: list[Node], reference: str) -> int | None:
    if reference.isascii() and reference.isdecimal():
        place = int(reference) if len(reference) < 8 else len(layers)
        return place if place < len(layers) else None
    names = layer_names(layers)
    return names.index(reference) if reference in names else None


def layer_names(layers: list[Node] | tuple[Node, ...]) -> list[str]:
    """The name of each tagged layer: its own, or its kind and its place among its kind."""
    counts: dict[str, int] = {}
    names: list[str] = []
    for layer in layers:
        kind = _kind(layer)
        counts[kind] = counts.get(kind, 0) + 1
        own = (layer.entries or {}).get("name")
        names.append(own.value if own and isinstance(own.value, str) else f"{kind}-{counts[kind]}")
    return names


def _kind(layer: Node) -> str:
    kind = (layer.entries or {}).get("kind")
    return kind.value if kind and isinstance(kind.value, str) else "layer"


def _tagged_layer(layer: Node) -> Node:
    """`flatten`, `pool: 2` or `dense: {units: 9}` as `{kind: ..., ...}`; anything else as it is."""
    if isinstance(layer.value, str):
        return replace(layer, value={"kind": layer})
    if layer.entries is None or len(layer.entries) != 1 or "kind" in layer.entries:
        return layer
    (kind, body), *_ = layer.entries.items()
    tag = {"kind": replace(body, value=kind)}
    if body.entries is not None:
        return replace(layer, value={**tag, **body.entries})
    if body.value is None or kind not in LAYERS:
        return replace(layer, value=tag)
    shorthand = LAYERS[kind].shorthand
    return layer if shorthand is None else replace(layer, value={**tag, shorthand: body})


def _tagged_schedule(rate: Node) -> Node:
    """`{constant: 0.1}` or `{constant: {initial: 0.1}}` as the number, `{cosine: {...}}` as `{kind: cosine, ...}`."""
    if rate.entries is None or len(rate.entries) != 1:
        return rate
    (kind, body), *_ = rate.entries.items()
    if kind == "constant":
        return body.entries["initial"] if body.entries and set(body.entries) == {"initial"} else body
    if kind in SCHEDULE_FIELDS:
        return rate
    return replace(rate, value={"kind": replace(body, value=kind), **(body.entries or {})})


def _subject(node: Node) -> str:
    return f"{node.owner}: " if node.owner else ""
