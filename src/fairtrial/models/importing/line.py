"""The layers of a Keras model as one straight line from the images to the output, or why they are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from fairtrial.models.importing.told import Part, Told, part_of
from fairtrial.study.tree import shortened

MOST_LAYERS = 1000
DEEPEST = 10
"""Models within models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`input_shape` is (batch, …) as Keras writes it, None where a length is open; None where the model does not say."""

    kind: str
    name: str
    layers: tuple[Part, ...]
    input_shape: tuple[int | None, ...] | None


def line_of(document: Mapping[str, Any], told: Told) -> Line | None:
    """None where `told` has been told that there is no such line."""
    model = part_of(document, "model")
    if model is None:
        told.refuse("", "it is no model that Keras wrote: it has no class_name")
        return None
    parts = list(_layers(model, document, "model", told, 0))
    if told.mistakes:
        return None
    if len(parts) > MOST_LAYERS:
        told.refuse("", f"it has {len(parts)} layers, more than {MOST_LAYERS}")
        return None
    # A layer later on was built for what the layers before it give.
    shapes = [_shape(one.config) for one in (*parts[:1], model)] + [_shape(_built(document))]
    layers = [one for one in parts if one.kind != "InputLayer"]
    for one in parts:
        if one.kind == "InputLayer" and (one.config.get("sparse") or one.config.get("ragged")):
            told.refuse(one, "fairtrial trains on images, none of them sparse or ragged")
    if not layers:
        told.refuse("", "it has no layers")
        return None
    return Line(
        kind=model.kind,
        name=model.name,
        layers=tuple(layers),
        input_shape=next((shape for shape in shapes if shape is not None), None),
    )


def _layers(model: Part, written: Mapping[str, Any], place: str, told: Told, depth: int) -> Iterator[Part]:
    if depth > DEEPEST:
        told.refuse(model, f"it holds models within models, more than {DEEPEST} deep")
    elif model.custom or model.kind not in ("Sequential", "Functional", "Model"):
        told.refuse(
            "" if depth == 0 else model,
            f"a model of class {shortened(model.kind)!r} does not say which layers it computes with; build it as "
            f"keras.Sequential",
        )
    else:
        if model.config.get("trainable") is False:
            told.refuse(
                "" if depth == 0 else model,
                "trainable is false: every layer of an arm is trained; set trainable = True",
            )
        listed = model.config.get(
            "layers", model.config.get("name") if isinstance(written.get("config"), list) else None
        )
        if not isinstance(listed, list):
            told.refuse("" if depth == 0 else model, "it has no list of layers")
            return
        entries = cast("list[Any]", listed)[: MOST_LAYERS + 2]
        chain = (
            _sequence(entries, place, told)
            if model.kind == "Sequential"
            else _chain(model, entries, place, told)
        )
        for part, entry in chain:
            if part.kind in ("Sequential", "Functional", "Model") and not part.custom:
                yield from _layers(part, entry, part.place, told, depth + 1)
            else:
                yield replace(part, config={**part.config, **_built(entry)})


def _built(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The shape a layer was built for stands beside its configuration."""
    build = entry.get("build_config")
    shape = cast("dict[str, Any]", build).get("input_shape") if isinstance(build, dict) else None
    return {} if shape is None else {"build_input_shape": shape}


def _sequence(entries: list[Any], place: str, told: Told) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    index = 0
    for entry in entries:
        part = part_of(entry, f"{place}.layers[{index}]")
        if part is None:
            told.refuse(f"{place}.layers[{index}]", "it is no layer that Keras wrote: it has no class_name")
            return
        if part.kind == "InputLayer":
            part = replace(
                part, place=f"{place} input"
            )  # Keras does not count it among the layers of a Sequential
        else:
            index += 1
        yield part, cast("dict[str, Any]", entry)


def _chain(
    model: Part, entries: list[Any], place: str, told: Told
) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    """The layers of a functional model in the order in which images pass them, if they pass them one after the other."""
    known: dict[str, tuple[Part, Mapping[str, Any]]] = {}
    after: dict[str, list[str]] = {}
    begins: list[str] = []
    for index, entry in enumerate(entries):
        part = part_of(entry, f"{place}.layers[{index}]")
        if part is None:
            told.refuse(f"{place}.layers[{index}]", "it is no layer that Keras wrote: it has no class_name")
            return
        given = cast("dict[str, Any]", entry)
        name = given.get("name", part.name)
        if not isinstance(name, str) or name in known:
            told.refuse(part, "it has no name of its own, so that nobody can tell what it is connected to")
            return
        known[name] = part, given
        if part.kind == "InputLayer":
            begins.append(name)
            continue
        nodes = given.get("inbound_nodes")
        origins = (
            [_origins(node, part, told) for node in cast("list[Any]", nodes)]
            if isinstance(nodes, list)
            else []
        )
        if len(origins) != 1 or len(origins[0]) != 1:
            told.refuse(part, _tangled(origins))
        else:
            after.setdefault(origins[0][0], []).append(name)
    for name, followers in after.items():
        if len(followers) > 1 and name in known:
            names = ", ".join(shortened(one) for one in followers[:5])
            told.refuse(
                known[name][0],
                f"its output goes to {len(followers)} layers ({names}): an arm is one straight line",
            )
    if len(begins) != 1:
        told.refuse("", f"it has {len(begins)} inputs; an arm takes one image")
    if told.mistakes:
        return
    yield from _followed(model, begins[0], known, {one: many[0] for one, many in after.items()}, told)


def _followed(
    model: Part,
    begin: str,
    known: Mapping[str, tuple[Part, Mapping[str, Any]]],
    after: Mapping[str, str],
    told: Told,
) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    passed: list[str] = []
    name: str | None = begin
    while name is not None and name in known and len(passed) < len(known):
        passed.append(name)
        name = after.get(name)
    if len(passed) != len(known) or _outputs(model) not in ([], [passed[-1]]):
        told.refuse("", "its layers are not one straight line from the input to the output")
        return
    yield from (known[one] for one in passed)


def _outputs(model: Part) -> list[str]:
    """The layers whose outputs are the model's: `[name, 0, 0]`, alone, in a list or in a mapping."""
    given = model.config.get("output_layers")
    if isinstance(given, dict):
        given = list(cast("dict[str, Any]", given).values())
    if not isinstance(given, list):
        return []
    rows = cast("list[Any]", given)
    if rows and isinstance(rows[0], str):
        rows = [rows]
    return [str(cast("list[Any]", row)[0]) for row in rows if isinstance(row, list) and row]


def _tangled(origins: list[list[str]]) -> str:
    if len(origins) > 1:
        return f"it is called {len(origins)} times, with the same weights: an arm is one straight line"
    names = ", ".join(shortened(one) for one in origins[0][:5]) if origins else ""
    if not names:
        return "it does not say what comes before it: an arm is one straight line"
    return f"it puts together what several layers give ({names}): an arm is one straight line"


def _origins(node: Any, part: Part, told: Told) -> list[str]:
    """Names of the layers whose outputs a call takes; what else it was called with is refused."""
    if isinstance(node, dict):
        call = cast("dict[str, Any]", node)
        others = call.get("kwargs")
        tensors = list(_tensors(call.get("args"), 0))
    elif isinstance(node, list):  # Keras 2: [[name, node, tensor, kwargs], …]
        rows = [cast("list[Any]", one) for one in cast("list[Any]", node) if isinstance(one, list)]
        tensors = [row[0] for row in rows if row and isinstance(row[0], str)]
        others = next((row[3] for row in rows if len(row) > 3 and row[3]), {})
    else:
        return []
    if isinstance(others, dict):
        for name, value in cast("dict[str, Any]", others).items():
            if value is not None:
                told.refuse(
                    part,
                    f"it is called with {shortened(name)}={shortened(str(value))}, which an arm cannot say; leave that out",
                )
    return tensors


def _tensors(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, list) and depth < DEEPEST:
        for one in cast("list[Any]", value):
            yield from _tensors(one, depth + 1)
    part = part_of(value, "")
    if part is not None and part.kind == "__keras_tensor__":
        history = part.config.get("keras_history")
        if isinstance(history, list) and history and isinstance(history[0], str):
            yield history[0]


def _shape(config: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The shape of what comes in, wherever Keras 2 or 3 has written it."""
    for key in ("batch_shape", "batch_input_shape", "build_input_shape"):
        given = config.get(key)
        if isinstance(given, list) and 1 < len(cast("list[Any]", given)) < 8:
            shape = cast("list[Any]", given)
            if all(one is None or (isinstance(one, int) and not isinstance(one, bool)) for one in shape):
                return tuple(shape)
    return None
