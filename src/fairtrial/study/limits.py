"""How far a study goes: how many seeds, and the smallest change that matters."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def refusal(message: str, *fields: str) -> PydanticCustomError:
    """A complaint about several fields together; the first of them that was written is at fault."""
    return PydanticCustomError("refused", "{message}", {"message": message, "fields": fields})


class Seeds(Frozen):
    """How often each arm is trained: at least `min` seeds, at most `max` (the horizon)."""

    min: Annotated[int, Field(ge=3, le=999, strict=True)] = 3
    max: Annotated[int, Field(ge=3, le=999, strict=True)] = 50

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max < self.min:
            raise refusal(f"max must be at least min ({self.min}), got {self.max}", "max", "min")
        return self


def _amount(unit: str) -> BeforeValidator:
    """Reads `0.1pp` or `5%` as a fraction; a bare number is a fraction already."""
    pattern = re.compile(rf"\s*(-?[0-9]{{1,20}}(?:\.[0-9]{{1,20}})?)\s*{re.escape(unit)}\s*")

    def parse(value: object) -> object:
        if isinstance(value, str):
            match = pattern.fullmatch(value)
            if match is None:
                raise refusal(f"must be an amount such as 0.1{unit}, got {value[:40]!r}")
            # Decimal, because 0.7 * 0.01 is not 0.007 in binary.
            return float(Decimal(match[1]) / 100)
        return value

    return BeforeValidator(parse)


class Margins(Frozen):
    """The smallest contrast that matters. Accuracy: a difference (0.1pp is 0.001).

    Loss: a share of the baseline's mean loss over its first three seeds. Time: a ratio minus one.
    """

    accuracy: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False, strict=True), _amount("pp")] = 0.001
    loss: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True), _amount("%")] = 0.02
    time: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True), _amount("%")] = 0.05
