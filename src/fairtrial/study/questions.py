"""What questions refer to: arms, settings, each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fairtrial.errors import Mistake
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.paths import elsewhere, layer_paths, setting_paths
from fairtrial.study.schema import Arm
from fairtrial.study.tree import Node, shortened


def complete(question: Node) -> Node:
    """The question with arm names as text, and an id if it has none: `<variant>-vs-<baseline>`.

    One that is re-tuned ends in `-retuned`, so that it can stand beside the plain one; one that combines others is
    `combined`.
    """
    if question.entries is None:
        return question
    entries = dict(question.entries)
    for role in ("variant", "baseline"):
        node = entries.get(role)
        if node is not None and node.text and not isinstance(node.value, str) and node.value is not None:
            entries[role] = replace(node, value=node.text)
    names = [_text(entries.get(role)) for role in ("variant", "baseline")]
    if "id" not in entries and "combine" in entries:
        entries["id"] = replace(question, value="combined")
    elif "id" not in entries and all(names):
        allowed = re.sub(r"[^\w.+-]+", "-", f"{names[0]}-vs-{names[1]}").lstrip(".+-")
        end = "-retuned" if "retune" in entries else ""
        entries["id"] = replace(question, value=f"{allowed[: 80 - len(end)]}{end}")
    return replace(question, value=entries)


def misreferences(
    questions: Sequence[Node], *, names: Sequence[str], arms: Mapping[str, Arm]
) -> Iterator[Mistake]:
    """Unknown arms and factors, a variant that is its own baseline, ids given twice.

    `names` are all arms of the file, `arms` those without mistakes of their own.
    """
    first: dict[str, Node] = {}
    for place, question in enumerate(questions):
        entries = question.entries or {}
        identifier = _text(entries.get("id"))
        subject = f"question {shortened(identifier or str(place))!r}: "
        if identifier:
            if identifier in first:
                message = f"{subject}this id is given twice, first at {first[identifier].where}"
                yield Mistake(where=entries["id"].where, message=message)
            first.setdefault(identifier, entries["id"])
        yield from _roles(entries, subject, names)
        yield from _factors(entries, subject, arms)


def _roles(entries: Mapping[str, Node], subject: str, names: Sequence[str]) -> Iterator[Mistake]:
    for role in ("variant", "baseline"):
        node = entries.get(role)
        name = _text(node)
        # Without any arm that is the mistake, and is said where they are missing.
        if names and node is not None and name is not None and name not in names:
            hint = did_you_mean(name, names) or f"; arms here: {shortened(', '.join(names))}"
            if name == "base":
                hint = "; the base is no arm, but an arm without departures is the same: `plain: {}`"
            yield Mistake(
                where=node.where, message=f"{subject}{role} names an unknown arm {shortened(name)!r}{hint}"
            )
    variant, baseline = entries.get("variant"), entries.get("baseline")
    if variant and baseline and _text(variant) is not None and _text(variant) == _text(baseline):
        message = f"{subject}variant and baseline are the same arm, {shortened(str(variant.value))!r}"
        yield Mistake(where=baseline.where, message=message)


def _factors(entries: Mapping[str, Node], subject: str, arms: Mapping[str, Arm]) -> Iterator[Mistake]:
    factors = entries.get("factors")
    names = [_text(entries.get(role)) or "" for role in ("variant", "baseline")]
    compared = [arms[name] for name in names if name in arms]
    sound = len(compared) == len(names)
    known = setting_paths().union(*map(layer_paths, compared))
    for node in (factors.items or ()) if factors else ():
        path = _text(node)
        layer = path is not None and path.startswith("network.layers.")
        if path is None or path in known or (layer and not sound):
            continue
        hint = did_you_mean(path, sorted(known)) or elsewhere(path, known)
        message = f"{subject}factors names {shortened(path)!r}, which is no setting of its arms{hint}"
        yield Mistake(where=node.where, message=message)


def _text(node: Node | None) -> str | None:
    return node.value if node is not None and isinstance(node.value, str) else None
