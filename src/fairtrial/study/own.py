"""Values of the user's own choosing: the arguments of a network's factory, the parameters of a command."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from fairtrial.study.limits import refusal
from fairtrial.study.nearest import did_you_mean

MOST_VALUES = 100
LONGEST_VALUE = 10_000
"""Characters of one value, written as JSON."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True, slots=True)
class Own:
    """Values by name, each kept as its JSON: there `1`, `1.0` and `true` are three values, as they are to a program.

    >>> Own.of({"width": 64, "blocks": {"deep": True}}).flat()
    {'blocks.deep': True, 'width': 64}
    """

    texts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Own:
        """Names are sorted: their order changes nothing. Raises ValueError for what JSON cannot hold."""
        return cls(tuple((name, _json(value)) for name, value in sorted(values.items())))

    def __bool__(self) -> bool:
        return bool(self.texts)

    def as_dict(self) -> dict[str, Any]:
        return {name: json.loads(text) for name, text in self.texts}

    def flat(self) -> dict[str, bool | int | float | str | None]:
        """Each value by its dotted path; a list as its JSON."""
        return dict(_flat(self.as_dict(), ""))

    def at(self, path: str) -> Any:
        """The value at a dotted path. Raises KeyError where there is none."""
        found: Any = self.as_dict()
        for part in path.split("."):
            if not isinstance(found, dict) or part not in found:
                raise KeyError(path)
            found = cast("dict[str, Any]", found)[part]
        return found


def _flat(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, bool | int | float | str | None]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(cast("dict[str, Any]", value), f"{above}{name}.")
        else:
            whole = value is None or isinstance(value, bool | int | float | str)
            yield (
                f"{above}{name}",
                cast("bool | int | float | str | None", value) if whole else _json(cast("object", value)),
            )


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _own(given: object) -> object:
    if isinstance(given, Own):
        return given
    if given is None:
        return Own()
    if not isinstance(given, Mapping):
        raise refusal("must be a mapping from names to values, such as {width: 64}")
    values = cast("Mapping[str, Any]", given)
    if len(values) > MOST_VALUES:
        raise refusal(f"must have at most {MOST_VALUES} values, got {len(values)}")
    for name, value in values.items():
        _check(str(name), value)
    return Own.of(values)


def _check(name: str, value: object) -> None:
    if not _NAME.fullmatch(name):
        raise refusal(
            f"the name {name[:40]!r} must be made of letters, digits, - and _, and begin with a letter or _"
        )
    try:
        text = _json(value)
    except (TypeError, ValueError):
        wrong = (
            "a number that is not finite" if isinstance(value, float) and not math.isfinite(value) else "that"
        )
        raise refusal(
            f"{name} must be a number, text, true, false, nothing, or a list or mapping of these; {wrong} cannot be "
            "handed on"
        ) from None
    if len(text) > LONGEST_VALUE:
        raise refusal(f"{name} must have at most {LONGEST_VALUE} characters, got {len(text)}")
    if isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            _check(str(key), one)


def nearest(path: str, own: Own) -> str:
    """The end of a message about a path that is not there."""
    known = tuple(own.flat())
    return did_you_mean(path, known) or (
        f"; there are {', '.join(known[:20])}" if known else "; there are none"
    )


OwnValues = Annotated[
    Own,
    BeforeValidator(_own),
    PlainSerializer(Own.as_dict, return_type=dict[str, Any]),
    WithJsonSchema({"type": "object"}),
]
