"""What a model refuses, as a mistake in our own words: given, allowed, nearest, where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fairtrial.errors import Mistake
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.tree import Node, shortened
from fairtrial.study.yamltree import NUMBER

WINDOWS = ("kernel", "stride", "size")
TAGS = ("kind", "name")
OF_OTHER_KINDS = {"Question": ("retune", "combine")}
"""Keys that make another kind of what a model describes."""

SENTENCES: dict[str, str | Callable[[dict[str, Any]], str]] = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text (numbers and true or false as text need quotes)",
    "greater_than": lambda context: f"must be greater than {context['gt']:g}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "less_than": lambda context: f"must be less than {context['lt']:g}",
    "less_than_equal": lambda context: f"must be at most {context['le']:.12g}",
    "tuple_type": "must be a list, such as [a, b]",
    "too_short": lambda context: f"must have at least {context['min_length']} entry",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "string_too_short": "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": "must be made of the letters a to z, digits, - and _, and begin with a letter or _",
    "identifier": "must be made of letters, digits, -, _, . and +, and begin with a letter, a digit or _",
    "model_type": "must be a mapping of settings, such as {name: value}",
    "model_attributes_type": "must be a mapping of settings, such as {name: value}",
    "window": "must be a whole number from 1 to 1000000, or two of them: [height, width]",
    "rate": "must be a number, or a schedule such as {cosine: {initial: 0.001}}"
    " (constant, cosine, exponential, step)",
    "augment": "must be none, or how far images may be moved, such as {shift: 2, rotate: 10, zoom: 0.1}",
    "layer": "must be one layer with its settings, such as `dense: {units: 100}`, `pool: 2` or `flatten`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One refused value: its path in the file, its node, and what the model had to say."""

    path: tuple[str, ...]
    node: Node
    kind: str
    context: dict[str, Any]
    candidates: tuple[str, ...]


def mistakes_in(
    error: ValidationError,
    root: Node,
    model: type[BaseModel],
    *,
    known: Sequence[str] = (),
    elsewhere: Iterable[str] = (),
    incomplete: bool = False,
) -> Iterator[Mistake]:
    """Each thing `error` refuses in `root`, at the line of the value that is at fault.

    For the nearest valid name, `known` are names that may stand beside the model's own fields and
    `elsewhere` the paths of settings that a bare name may have meant. In what is `incomplete`
    nothing is missing yet.
    """
    seen: set[tuple[tuple[str, ...], str]] = set()
    found = False
    for detail in error.errors(include_url=False):
        complaint = _complaint(detail, root, model, known)
        if complaint is None or (complaint.path, complaint.kind) in seen:
            continue
        seen.add((complaint.path, complaint.kind))
        found = True
        if incomplete and complaint.kind == "missing":
            continue
        node = complaint.node
        subject = f"{node.owner}: " if node.owner else ""
        meant = _meant(complaint, elsewhere)
        message = f"unknown key {meant[0]!r}; did you mean {meant[1]!r}?" if meant else _sentence(complaint)
        yield Mistake(where=node.where, message=subject + message)
    if not found:
        # A refusal must never pass for an acceptance, whatever a union reports of its branches.
        subject = f"{root.owner}: " if root.owner else ""
        yield Mistake(where=root.where, message=f"{subject}cannot be used as it stands")


def ordered(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """In the order of the file's lines, each once."""

    def line(mistake: Mistake) -> int:
        found = re.search(r":(\d+)$", mistake.where)
        return int(found[1]) if found else 0

    return tuple(sorted(dict.fromkeys(mistakes), key=line))


def _complaint(detail: Any, root: Node, model: type[BaseModel], known: Sequence[str]) -> Complaint | None:
    """The refusal located in the tree, or None if it concerns the other branch of a union."""
    node, path, location, kind = root, tuple[str, ...](), list(detail["loc"]), str(detail["type"])
    for place, part in enumerate(location):
        if node.entries is not None and part in node.entries:
            node = node.entries[str(part)]
            path = (*path, str(part))
        elif node.items is not None and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            path = (*path, _item_name(node, part))
        elif kind == "missing" and place == len(location) - 1:
            path = (*path, str(part))
        if part == "learning_rate" and place < len(location) - 1:
            schedule = node.entries is not None
            if str(location[place + 1]).startswith("tagged-union") != schedule:
                return None
        if path[-1:] and path[-1] in WINDOWS and path[:2] == ("network", "layers"):
            kind = "window" if kind != "extra_forbidden" else kind
            break
    if kind == "string_pattern_mismatch" and path[-1:] == ("id",):
        kind = "identifier"
    if kind == "too_short" and node.items:
        return None  # it is too short only without the entries that are refused themselves
    if kind in ("union_tag_not_found", "model_attributes_type", "model_type"):
        kind = {"learning_rate": "rate", "augment": "augment"}.get(path[-1], kind) if path else kind
        kind = "layer" if path[:2] == ("network", "layers") and len(path) == 3 else kind
    context = dict(detail.get("ctx", {}))
    if kind == "union_tag_invalid":
        # The line of the name that is unknown, which need not be the line of what it names.
        node = (node.entries or {}).get(str(context["discriminator"]).strip("'"), node)
    if kind == "refused":
        node, path = _at_fault(node, path, context["fields"])
    candidates = tuple(_fields(model, location[:-1])) + (tuple(known) if len(path) == 1 else ())
    return Complaint(path=path, node=node, kind=kind, context=context, candidates=candidates)


def _item_name(node: Node, place: int) -> str:
    """A layer is called by its own name, a question by its id, anything else by its position."""
    for key in ("name", "id"):
        own = (node.entries or {}).get(key)
        if own is not None and isinstance(own.value, str) and own.value:
            return shortened(own.value)
    return str(place)


def _at_fault(node: Node, path: tuple[str, ...], fields: Sequence[str]) -> tuple[Node, tuple[str, ...]]:
    """Of fields that do not go together, the one written last: by an arm rather than by its base."""
    written = [(node.entries or {})[name] for name in fields if name in (node.entries or {})]
    if not written:
        return node, path
    by_arm = [one for one in written if one.owner != "base"]
    return (by_arm or written)[0], path


def _sentence(complaint: Complaint) -> str:
    path, given, context = ".".join(complaint.path), complaint.node.shown(), complaint.context
    last = complaint.path[-1] if complaint.path else ""
    match complaint.kind:
        case "refused":
            message = str(context["message"])
            return f"{path}: {message}" if path else message
        case "missing":
            return f"{path} is missing"
        case "extra_forbidden":
            allowed = sorted(set(complaint.candidates) - {"kind"})
            hint = did_you_mean(last, allowed) or f"; known here: {', '.join(allowed) or 'nothing'}"
            return f"unknown key {shortened(path)!r}{hint}"
        case "union_tag_invalid":
            allowed = re.findall(r"'([^']*)'", str(context["expected_tags"]))
            tag, noun = str(context["tag"]), _noun(complaint.path)
            return f"{path}: unknown {noun} {shortened(tag)!r}; known are {', '.join(allowed)}{did_you_mean(tag, allowed)}"
        case "union_tag_not_found":
            return f"{path} must be a mapping of settings with a name, such as {{name: adam}}, got {given}"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", str(context["expected"]))
            options = f"one of {', '.join(allowed)}" if len(allowed) > 1 else "".join(allowed)
            hint = did_you_mean(str(complaint.node.value), allowed)
            return f"{path} must be {options}, got {given}{hint}"
        case kind:
            rule = SENTENCES.get(kind, "cannot be used")
            hint = " (a number stands without quotes)" if _quoted_number(complaint) else ""
            return f"{path} {rule if isinstance(rule, str) else rule(context)}, got {given}{hint}"


def _quoted_number(complaint: Complaint) -> bool:
    value = complaint.node.value
    return (
        complaint.kind in ("int_type", "float_type")
        and isinstance(value, str)
        and bool(NUMBER.fullmatch(value))
    )


def _meant(complaint: Complaint, elsewhere: Iterable[str]) -> tuple[str, str] | None:
    """A bare `width` and the path it belongs at, if it is the name of a setting elsewhere."""
    if complaint.kind != "extra_forbidden" or len(complaint.path) != 1 or complaint.path[0] in TAGS:
        return None
    paths = sorted((path for path in elsewhere if path.endswith(f".{complaint.path[0]}")), key=len)
    return (complaint.path[0], paths[0]) if paths else None


def _noun(path: tuple[str, ...]) -> str:
    if path[:2] == ("network", "layers"):
        return "layer"
    return "schedule" if path[-1:] == ("learning_rate",) else "optimizer"


def _fields(model: type[BaseModel], location: Sequence[int | str]) -> Iterator[str]:
    """Names of the fields that may stand at `location` (tags of unions included in it)."""
    models = [model]
    for part in location:
        tagged = [
            one for one in models if part == one.__name__ or part in (_default(one, tag) for tag in TAGS)
        ]
        fields = [
            field
            for one in models
            for name, field in one.model_fields.items()
            if _called(name, field) == part
        ]
        if tagged:
            models = tagged
        elif fields:
            models = [inner for field in fields for inner in _models(field.annotation)]
    for one in models:
        yield from OF_OTHER_KINDS.get(one.__name__, ())
        for name, field in one.model_fields.items():
            yield _called(name, field)


def _called(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _default(model: type[BaseModel], field: str) -> object:
    return model.model_fields[field].default if field in model.model_fields else None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """All models within a type such as `tuple[Dense | Conv, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
