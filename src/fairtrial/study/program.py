"""The settings of an arm that a program of the user's own trains."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from fairtrial.durations import seconds_in
from fairtrial.errors import FairtrialError
from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.own import Own, OwnValues


def _length(given: object) -> object:
    if isinstance(given, str):
        try:
            return seconds_in(given)
        except FairtrialError as error:
            raise refusal(str(error)) from None
    return given


Length = Annotated[
    float, Field(gt=0, le=366 * 24 * 3600.0, allow_inf_nan=False, strict=True), BeforeValidator(_length)
]
FileName = Annotated[str, Field(min_length=1, max_length=400)]


class Program(Frozen):
    """A command that trains one trial, with what belongs to it."""

    command: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    """`python train.py --lr {optimizer.learning_rate} --seed {seed}`: run once for each trial, by no shell."""
    parameters: OwnValues = Own()
    """Values of your own for the command's placeholders: `{parameters.dropout}` or `{dropout}`."""
    files: Annotated[tuple[FileName, ...], Field(max_length=200)] = ()
    """Files besides those that the command names whose content can change a figure."""
    timeout: Length | None = None
    """How long a trial may take, such as `10m`; it is ended then, and has failed."""
    cores: Literal["one", "all"] = "one"
    """Processor cores that each trial may use; with `all`, run with `-j 1`."""

    @model_validator(mode="after")
    def _of_a_command(self) -> Self:
        if self.command is None:
            for name in ("parameters", "files", "timeout", "cores"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise refusal(
                        f"{name} is for an arm that a command trains; give the command as well", name
                    )
        return self
