"""How a study file writes which images it means, and how that becomes facts."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field

from fairtrial.errors import DataError
from fairtrial.images.facts import LARGEST_SIDE, MNIST, DatasetFacts, Source, size_of
from fairtrial.study.limits import refusal
from fairtrial.study.tree import Node, plain

Known = dict[Source, "DatasetFacts | str"]
"""What was found out of sources while one study was read: facts, or why there are none."""


def _absolute(reference: str) -> str:
    from fairtrial.images.opening import absolute

    try:
        return absolute(reference)
    except DataError as error:
        raise refusal(str(error)) from None


def _size(value: object) -> object:
    if (sides := size_of(value)) is None:
        raise refusal(f"must be a height and a width in pixels, such as 28x28, got {str(value)[:40]!r}")
    return sides


_Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE, strict=True)]
ImageSize = Annotated[tuple[_Side, _Side], BeforeValidator(_size)]


def _text(value: object) -> object:
    if isinstance(value, str):
        return value
    got = "nothing" if value is None else f"{type(value).__name__} {' '.join(str(value).split())[:40]}"
    raise refusal(
        f"must be a name of the catalogue or a path, as text, or in Python fairtrial.Data(images, labels), got {got}"
    )


Reference = Annotated[
    str, BeforeValidator(_text), Field(min_length=1, max_length=4096), AfterValidator(_absolute)
]


def placed(settings: Node, folder: Path | None) -> Node:
    """Settings of an arm whose path of images means the same anywhere: relative ones are completed.

    What a study file writes is relative to `folder`, that of the file; what `--set` gives, and what Python writes, to the
    current folder. Images that are at hand in Python are named by their content.
    """
    data = (settings.entries or {}).get("data")
    node = (data.entries or {}).get("dataset") if data is not None else None
    if data is None or node is None:
        return settings
    value: Any = plain(node)
    if isinstance(reference := getattr(value, "reference", None), str):
        value = reference
    elif isinstance(value, PathLike):
        value = fspath(cast("PathLike[str]", value))
    elif isinstance(value, list) and all(isinstance(one, str) for one in cast("list[Any]", value)):
        value = ",".join(cast("list[str]", value))
    if isinstance(value, str):
        from fairtrial.images.opening import absolute

        with contextlib.suppress(DataError):  # said when the settings are checked
            value = absolute(value, folder=None if node.where.startswith("--set ") else folder)
    dataset = replace(node, value=value)
    return replace(
        settings,
        value={
            **(settings.entries or {}),
            "data": replace(data, value={**(data.entries or {}), "dataset": dataset}),
        },
    )


def known_facts(source: Source, context: object) -> DatasetFacts:
    """What is known of the images of `source`: as the context of the validation has it, else found out now.

    A refusal where they cannot be read, at the setting that names them. The context is a mapping, with `facts`
    where they came with the settings, or `known`, what was found out of other arms.
    """
    given = cast("dict[str, Any]", context) if isinstance(context, dict) else {}
    if isinstance(facts := given.get("facts"), DatasetFacts):
        return facts
    if source == MNIST.source:
        return MNIST
    from fairtrial.images.opening import facts_of

    known: Known = given.get("known", {})
    if source not in known:
        try:
            known[source] = facts_of(source)
        except DataError as error:
            known[source] = str(error)
    found = known[source]
    if isinstance(found, str):
        raise refusal(found, "dataset", "colour", "size", "background", "highest", "test")
    return found
