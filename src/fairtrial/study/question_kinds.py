"""The kinds of questions: of two arms as they are, of two that are tuned first, of what other questions have settled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.naming import Identifier
from fairtrial.study.question import Question

Measured = Literal["accuracy", "loss"]

MOST_VALUES = 20
"""Values that a re-tuning may try of one setting."""

MOST_COMBINATIONS = 100
"""Of the values of several settings."""


def _values(given: object) -> object:
    """Settings with the values to try; raises a refusal for what is nothing of the kind."""
    if not isinstance(given, Mapping) or not given:
        raise refusal(
            "must be a mapping from settings to the values to try, such as {optimizer.learning_rate: [0.001, 0.003]}"
        )
    entries = cast("Mapping[str, object]", given)
    for path, values in entries.items():
        listed = cast("Sequence[object]", values) if isinstance(values, list | tuple) else ()
        if not 2 <= len(listed) <= MOST_VALUES:
            raise refusal(
                f"{path} must be a list of 2 to {MOST_VALUES} values to try, such as [0.001, 0.003]", path
            )
        if any(one in listed[:place] for place, one in enumerate(listed)):
            raise refusal(f"{path} names a value twice", path)
    combinations = math.prod(len(cast("Sequence[object]", values)) for values in entries.values())
    if combinations > MOST_COMBINATIONS:
        raise refusal(
            f"{combinations} combinations of values for each arm; at most {MOST_COMBINATIONS} are tried"
        )
    return {path: tuple(cast("Sequence[object]", values)) for path, values in entries.items()}


class Retuning(Question):
    """A question whose two arms are each tuned anew before they are held against each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    retune: Annotated[dict[str, tuple[Any, ...]], BeforeValidator(_values)]
    """Settings by dotted path, each with the values to try; of several settings, every combination."""
    retune_seeds: Annotated[int, Field(ge=1, le=50, strict=True)] = 3
    """How many seeds each value is trained on to choose among them; the comparison has other seeds."""

    @model_validator(mode="after")
    def _has_what_is_tuned_for(self) -> Retuning:
        if all(metric == "time" for metric in self.metrics):
            raise refusal(
                "retune chooses by validation accuracy or loss, and the question asks about time alone; add one",
                "metrics",
            )
        return self

    @property
    def tuned_for(self) -> Measured:
        """What each arm is tuned for: the first that the question asks about."""
        return next(metric for metric in self.metrics if metric != "time")


class Combining(Frozen):
    """A question that puts together whatever other questions have settled as improvements."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: Identifier
    ask: str = ""
    combine: tuple[str, ...]
    """Ids of questions: of each whose variant is settled to be better, what it changes is taken."""
    baseline: str | None = None
    """The arm they are put together on; without it, the one that they all have."""
    metric: Measured = "accuracy"
    """What counts as better, on validation images; the combination is judged on it, on the test set too."""
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_one_kind(cls, data: object) -> object:
        entries = _entries(data)
        if "retune" in entries:
            raise refusal("combine and retune do not go together in one question", "retune")
        if "variant" in entries:
            raise refusal("combine makes the variant itself; leave variant out", "variant")
        return entries or data

    @model_validator(mode="after")
    def _several_once_each(self) -> Combining:
        twice = next((one for one in self.combine if self.combine.count(one) > 1), None)
        if twice is not None:
            raise refusal(f"combine names {twice} twice", "combine")
        if len(self.combine) < 2:
            raise refusal("combine must name at least two questions", "combine")
        return self


def _kind(given: object) -> str:
    """A question's kind, known by its keys."""
    entries = _entries(given)
    return "Combining" if "combine" in entries else "Retuning" if "retune" in entries else "Question"


def _entries(given: object) -> dict[str, object]:
    return dict(cast("Mapping[str, object]", given)) if isinstance(given, Mapping) else {}


AnyQuestion = Annotated[
    Annotated[Question, Tag("Question")]
    | Annotated[Retuning, Tag("Retuning")]
    | Annotated[Combining, Tag("Combining")],
    Discriminator(_kind),
]
"""A question of a file, of whichever kind."""


def by_kind(asked: Sequence[Question | Combining]) -> dict[str, tuple[Any, ...]]:
    """Questions sorted as a study keeps them: `questions`, `retuned` and `combined`."""
    return {
        "questions": tuple(one for one in asked if not isinstance(one, Retuning | Combining)),
        "retuned": tuple(one for one in asked if isinstance(one, Retuning)),
        "combined": tuple(one for one in asked if isinstance(one, Combining)),
    }
