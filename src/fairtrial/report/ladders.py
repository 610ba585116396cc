"""Arms that differ in one ordered setting alone, such as the width: the ladders of a study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairtrial.study.schema import Arm

_LEAST = 3
"""Two levels are a question, not a curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """`arms` by increasing level of the setting `path`."""

    path: str
    arms: tuple[tuple[float, str], ...]


def ladders(arms: Iterable[Arm]) -> tuple[Ladder, ...]:
    """Every ordered setting with three levels or more while all else is held fixed, longest first.

    A level that two arms share is the first one's.
    """
    groups: dict[tuple[str, frozenset[tuple[str, Any]]], dict[float, str]] = defaultdict(dict)
    for arm in arms:
        settings = dict(_leaves(arm.settings.model_dump(mode="json")))
        for path, value in settings.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                rest = frozenset((name, one) for name, one in settings.items() if name != path)
                groups[path, rest].setdefault(float(value), arm.name)
    found = [
        Ladder(path=path, arms=tuple(sorted(levels.items())))
        for (path, _), levels in groups.items()
        if len(levels) >= _LEAST
    ]
    return tuple(sorted(found, key=lambda one: -len(one.arms)))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting that is no table itself, by its dotted path.

    >>> list(_leaves({"network": {"mlp": {"width": 50}}, "batch_size": 100}))
    [('network.mlp.width', 50), ('batch_size', 100)]
    """
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for place, one in enumerate(value):
            yield from _leaves(one, f"{path}.{place}")
    else:
        yield path, str(value) if isinstance(value, list | Mapping) else value
