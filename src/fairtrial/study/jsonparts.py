"""Small parts that JSON Schemas are put together from."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel

Schema = dict[str, Any]
NOTHING: Schema = {"type": "null"}


def clean(schema: Any) -> Any:
    """Without the titles and null defaults that say nothing, and with one line of each docstring."""
    if isinstance(schema, list):
        return [clean(one) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    entries = cast("dict[str, Any]", schema)
    cleaned = {
        key: clean(value)
        for key, value in entries.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    if isinstance(cleaned.get("description"), str):
        cleaned["description"] = " ".join(str(cleaned["description"]).split())
    return cleaned


def first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def described(schema: Schema, field: Schema) -> Schema:
    return {**schema, "description": field["description"]}


def or_nothing(schema: Schema) -> Schema:
    """A section may be left empty."""
    return {"anyOf": [schema, NOTHING]}
