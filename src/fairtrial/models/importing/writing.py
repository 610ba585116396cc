"""An imported arm as text: a study file of its own, commented, or lines among the arms of a study that is there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from fairtrial.errors import printable
from fairtrial.study.spelling import flow

WIDTH = 110


def study_lines(document: Mapping[str, Any], *, arm: str, opening: str, notes: Sequence[str]) -> str:
    """A whole study file, ending in a newline."""
    return "\n".join([*_comment(opening, notes), *_sections(document), *_further(arm), ""])


def arm_lines(name: str, body: Mapping[str, Any], *, indent: str) -> list[str]:
    """One arm; a network of layers has a line for each."""
    lines = [f"{indent}{flow(name)}:"]
    for key, value in body.items():
        layers = cast("Mapping[str, Any]", value).get("layers") if key == "network" else None
        if layers is None:
            lines.append(f"{indent}  {flow(key)}: {flow(value)}")
        elif not layers:
            lines.append(f"{indent}  network: {{layers: []}}")
        else:
            lines += [f"{indent}  network:", f"{indent}    layers:"]
            lines += [f"{indent}      - {_layer(layer)}" for layer in layers]
    return lines


def _layer(layer: Any) -> str:
    """`conv: {filters: 32}`, as one would write it, without braces around it."""
    if not isinstance(layer, dict):
        return flow(layer)
    return ", ".join(f"{flow(kind)}: {flow(one)}" for kind, one in cast("dict[str, Any]", layer).items())


def one_line(text: str) -> str:
    """A text from elsewhere, for a comment that ends where its line does."""
    return printable(" ".join(text.split()))


def _comment(opening: str, notes: Sequence[str]) -> Iterator[str]:
    for line in textwrap.wrap(one_line(opening), WIDTH, break_on_hyphens=False):
        yield f"# {line}"
    yield "#"
    for note in notes:
        first, *others = textwrap.wrap(one_line(note), WIDTH, break_on_hyphens=False) or [""]
        yield f"# - {first}"
        yield from (f"#   {line}" for line in others)


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    for key, value in document.items():
        if key == "arms":
            yield ""
            yield "arms:"
            for name, body in cast("Mapping[str, Any]", value).items():
                yield from arm_lines(name, body, indent="  ")
        elif key == "base":
            yield ""
            yield "base:"
            yield from (f"  {name}: {flow(one)}" for name, one in cast("Mapping[str, Any]", value).items())
        else:
            yield f"{key}: {flow(value)}"


def _further(arm: str) -> Iterator[str]:
    other = flow(f"{arm[:60]}-batch-50")
    yield ""
    yield "# A question holds one arm against another. For example, an arm more, and:"
    yield f"#   {other}: {{from: {flow(arm)}, batch_size: 50}}"
    yield "# questions:"
    yield f"#   - {{id: Q1, ask: What does the batch size do?, variant: {other}, baseline: {flow(arm)}}}"
