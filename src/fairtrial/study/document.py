"""The parts of a study file that are not settings of an arm: its head, questions, seeds, margins."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fairtrial.study.question_kinds import AnyQuestion
from fairtrial.study.schema import Margins, Published, Seeds
from fairtrial.study.searches import Search

Title = Annotated[str, Field(max_length=1000)]
Fact = Annotated[str, Field(min_length=1, max_length=1000)]


def _several(value: object) -> object:
    """One search may stand without a list around it."""
    return [cast("dict[str, Any]", value)] if isinstance(value, dict) else value


class Document(BaseModel):
    """What a fairtrial study asks: arms, each trained over many seeds, and questions about them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )

    schema_: Literal["fairtrial/1"] = Field(alias="schema")
    """The version of this format: `fairtrial/1`."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """A short name; without one, the file's."""
    title: Title = ""
    data: Any = None
    """Which images, and how they are divided; every arm starts from this."""
    base: Any = None
    """The settings every arm starts from."""
    arms: Any = None
    """The configurations to train, by name: departures from the base or from another arm."""
    questions: tuple[AnyQuestion, ...] = ()
    seeds: Seeds = Seeds()
    confidence: Annotated[float, Field(gt=0, lt=1, strict=True, allow_inf_nan=False)] = 0.95
    """The share of answers that are meant to be right, between 0 and 1."""
    margins: Margins = Margins()
    search: Annotated[tuple[Search, ...], BeforeValidator(_several)] = ()
    """Searches for settings that do better than an arm, each confirmed on fresh seeds: `fairtrial search`."""
    facts: tuple[Fact, ...] = ()
    """What else is known of where the claims come from: said after them, and judged by nobody."""


class About(BaseModel):
    """What an arm says of itself; nothing here can change a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title | None = None
    note: Annotated[str, Field(max_length=10_000)] | None = None
    published: Published | None = None
