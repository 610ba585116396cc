"""Names of layers: those that somebody gave are kept, since they decide which weights are drawn; Keras's own are not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ValidationError

from fairtrial.models.importing.layers import Hidden
from fairtrial.models.importing.told import Told
from fairtrial.study.layers import OUTPUT, Flatten
from fairtrial.study.tree import shortened


def automatic(kind: str) -> str:
    """What Keras calls the first layer of a class by itself.

    >>> automatic("Conv2D"), automatic("LeakyReLU"), automatic("GlobalAveragePooling2D")
    ('conv2d', 'leaky_re_lu', 'global_average_pooling2d')
    """
    name = re.sub(r"\W+", "", kind)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def names_of(hidden: Sequence[Hidden], told: Told) -> list[str | None]:
    """For each layer its name, or None where it has none worth keeping: ours then counts by kind, `conv-1`, `conv-2`."""
    counts: dict[str, int] = {}
    ours: list[str] = []
    for one in hidden:
        counts[one.layer.kind] = counts.get(one.layer.kind, 0) + 1
        ours.append(f"{one.layer.kind}-{counts[one.layer.kind]}")
    found: list[str | None] = []
    for place, one in enumerate(hidden):
        name = one.part.name
        if not name or name == ours[place] or re.fullmatch(rf"{automatic(one.part.kind)}(_[0-9]+)?", name):
            found.append(None)
            continue
        why = ""
        if not _possible(name):
            why = "no layer of an arm can have it"
        elif name == OUTPUT:
            why = "the output layer has it"
        elif name in ours or name in found:
            why = "another layer has it"
        if why:
            told.note(f"{one.part.where}: its name is not kept, {why}; it is called {shortened(ours[place])}")
        found.append(None if why else name)
    return found


def _possible(name: str) -> bool:
    try:
        return len(name) <= 80 and Flatten(name=name).name == name
    except ValidationError:
        return False
