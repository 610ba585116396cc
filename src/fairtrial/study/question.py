"""Questions, and what somebody said their answers were."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.naming import Identifier, each_once

Metric = Literal["accuracy", "loss", "time"]
On = Literal["validation", "test"]
Says = Literal["increase", "decrease", "no change", "level", "plateau"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class OwnTables(Frozen):
    """What the tables of whoever made the claim show for the same comparison."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    says: Says
    from_: Number | None = Field(None, alias="from")
    to: Number | None = None


class Claim(Frozen):
    """What somebody said the answer was. Accuracies in [0, 1], times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    metric: Metric = "accuracy"
    on: On = "validation"
    says: Says
    from_: Number | None = Field(None, alias="from")
    to: Number | None = None
    level: Number | None = None
    text: str | None = None
    own_tables: OwnTables | None = None

    @model_validator(mode="after")
    def _figures_fit(self) -> Self:
        if self.says == "level" and self.level is None:
            raise refusal("says level and names none; give it as `level: 0.98`", "says")
        if self.says != "level" and self.level is not None:
            raise refusal(f"level is for claims that say level; this one says {self.says}", "level")
        for name, figure in (("from", self.from_), ("to", self.to), ("level", self.level)):
            if self.metric == "accuracy" and figure is not None and not 0 <= figure <= 1:
                raise refusal(f"{name} must be an accuracy from 0 to 1, got {figure:g}", name)
        return self


class Question(Frozen):
    """A variant against a baseline, in the asker's own words."""

    id: Identifier
    ask: str = ""
    variant: str
    baseline: str
    factors: tuple[str, ...] | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1), each_once] = ("accuracy",)
    on: Annotated[tuple[On, ...], Field(min_length=1), each_once] = ("validation",)
    over: Literal["last_epoch", "end"] = "last_epoch"
    goal: Literal["change", "not_worse"] = "change"
    claims: tuple[Claim, ...] = ()
    note: str | None = None
