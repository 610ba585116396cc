"""Methods of lists and dictionaries of shown values."""

from __future__ import annotations

from typing import Any, cast

from fairtrial.audit import arithmetic
from fairtrial.audit.values import Unknown, Value


def of_list(owner: list[Value], word: str, arguments: list[Value], text: str) -> Value:
    """What a method of a list gives; what it adds is added, up to a bound."""
    if len(owner) < arithmetic.LONGEST_SEQUENCE and arguments and arguments[0] is not owner:
        if word == "append":
            owner.append(arguments[0])
            return None
        if word == "insert" and len(arguments) == 2 and isinstance(arguments[0], int):
            owner.insert(arguments[0], arguments[1])
            return None
        if word in ("extend", "__iadd__"):
            owner.extend(
                (arithmetic.sequence(arguments[0]) or [])[: arithmetic.LONGEST_SEQUENCE - len(owner)]
            )
            return None
    return list(owner) if word == "copy" else Unknown(text)


def of_dictionary(owner: dict[Any, Value], word: str, arguments: list[Value], text: str) -> Value:
    """What a method of a dictionary gives."""
    if word in ("items", "keys", "values", "copy"):
        return {"items": lambda: list(owner.items()), "copy": lambda: dict(owner)}.get(
            word, lambda: list(owner.keys() if word == "keys" else owner.values())
        )()
    if word == "get" and arguments and isinstance(arguments[0], arithmetic.PLAIN):
        return owner.get(arguments[0], arguments[1] if len(arguments) > 1 else None)
    if word == "update" and arguments and isinstance(arguments[0], dict):
        owner.update(cast("dict[Any, Value]", arguments[0]))
    return Unknown(text)
