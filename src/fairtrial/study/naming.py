"""What questions may be called, and lists of names in which each has its place once."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from fairtrial.study.limits import refusal

Identifier = Annotated[
    str,
    Field(
        pattern=r"^\w[\w.+-]*$",  # letters of any script
        max_length=80,
        # Editors do not agree on what a letter is: theirs leaves out the rest of ASCII.
        json_schema_extra={"pattern": r"^[^\x00-/:-@\[-^`{-\x7f][^\x00-*,/:-@\[-^`{-\x7f]*$"},
    ),
]


def _not_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refusal(f"names {twice} twice, and each would be a verdict to pay for; once is enough")
    return names


each_once = AfterValidator(_not_twice)
