"""What a study file may hold, and the study that comes of it.

The models check one value at a time and know nothing of files; questions have a module of their own. `studyfile.py` reads the file,
merges inheritance and turns every complaint into `file:line: what, allowed, nearest`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, model_validator

from fairtrial.study.data_settings import MAKING_IMAGES as MAKING_IMAGES
from fairtrial.study.data_settings import DataSettings as DataSettings
from fairtrial.study.layers import ActivationName, Dense, FileLayer, Flatten, Network, Size, named
from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.limits import Margins as Margins
from fairtrial.study.limits import Seeds as Seeds
from fairtrial.study.question import Claim as Claim
from fairtrial.study.question import Metric as Metric
from fairtrial.study.question import Number
from fairtrial.study.question import On as On
from fairtrial.study.question import OwnTables as OwnTables
from fairtrial.study.question import Question as Question
from fairtrial.study.question import Says as Says
from fairtrial.study.question_kinds import Combining as Combining
from fairtrial.study.question_kinds import Retuning as Retuning
from fairtrial.study.question_kinds import by_kind
from fairtrial.study.searches import Search
from fairtrial.study.training import Adam, AnyOptimizer, EarlyStopping

SCHEMA = "fairtrial/1"
Precision = Literal["auto", "float32", "bfloat16"]
Fraction = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class Mlp(Frozen):
    """`depth` hidden layers of `width` units: shorthand for flatten and that many dense layers."""

    width: Size = 50
    depth: Annotated[int, Field(ge=0, le=1000, strict=True)] = 2
    activation: ActivationName = "relu"

    def layers(self) -> Network:
        dense = Dense(units=self.width, activation=self.activation)
        return (Flatten(), *[dense] * self.depth)


class NetworkSettings(Frozen):
    """Either `mlp` or `layers`; the output layer is added by itself."""

    mlp: Mlp | None = None
    layers: tuple[FileLayer, ...] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.mlp is None) == (self.layers is None):
            both = "not both" if self.mlp else "one of both"
            raise refusal(f"takes mlp or layers, {both}", "layers", "mlp")
        return self

    def hidden(self) -> Network:
        if self.layers is not None:
            return self.layers
        return (self.mlp or Mlp()).layers()


class ArmSettings(Frozen):
    """Everything about an arm that can change a number."""

    data: DataSettings = DataSettings()
    network: NetworkSettings = NetworkSettings(mlp=Mlp())
    optimizer: AnyOptimizer = Adam()
    batch_size: Size = 100
    epochs: Size = 5
    precision: Precision = "auto"
    early_stopping: EarlyStopping | None = None


class Published(Frozen):
    """Figures somebody printed for this arm, shown beside ours; they steer nothing."""

    train_accuracy: Fraction | None = None
    train_loss: Number | None = None
    validation_accuracy: Fraction | None = None
    validation_loss: Number | None = None
    test_accuracy: Fraction | None = None
    test_loss: Number | None = None
    train_seconds: Seconds | None = None
    seconds_per_epoch: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One complete configuration of data split, network and training, named."""

    name: str
    settings: ArmSettings
    title: str | None = None
    note: str | None = None
    published: Published | None = None
    block: int = 0
    """Where its seeds begin: its seed s is the number block + s. See BLOCKS in `trial.py`."""

    @cached_property
    def network(self) -> Network:
        """The layers in order, each with its name, the output layer included."""
        return named(self.settings.network.hidden(), classes=self.settings.data.facts.classes)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.settings.data.train_count / self.settings.batch_size)


Section = Mapping[str, Any]
"""A part of a study file as Python writes it."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False)
class Study:
    """What is asked, fixed before training: arms, questions, margins, confidence, horizon.

    Written in Python it takes the sections of a study file, as mappings and lists; a mistake in them
    raises StudyError, with all there are.

    >>> Study(arms={"slow": {}, "fast": {"optimizer.learning_rate": 0.01}}, base={"epochs": 2})
    <Study 'study': 2 arms, 0 questions>
    """

    name: str
    arms: dict[str, Arm]
    title: str = ""
    questions: tuple[Question, ...] = ()
    seeds: Seeds = field(default_factory=Seeds)
    confidence: float = 0.95
    margins: Margins = field(default_factory=Margins)
    search: tuple[Search, ...] = ()
    retuned: tuple[Retuning, ...] = ()
    """Questions whose two arms are each tuned anew before they are compared."""
    combined: tuple[Combining, ...] = ()
    """Questions that put together what other questions have settled."""
    facts: tuple[str, ...] = ()
    """What else is known of where its claims come from, in sentences."""
    source: str = ""
    """The file it came from, the name of a built-in, or empty for one written in Python."""
    confirms: bool = False
    """Whether it judges what another study has selected: its questions share all of the allowed error."""
    sets: tuple[str, ...] = field(default=(), compare=False)
    """What was changed when it was loaded, each as `PATH=VALUE`."""

    def __init__(
        self,
        *,
        schema: str = SCHEMA,
        name: str = "study",
        title: str = "",
        data: Section | None = None,
        base: Section | None = None,
        arms: Mapping[str, Arm | Section | None],
        questions: Sequence[Question | Combining | Section] = (),
        search: Sequence[Search | Section] | Section = (),
        retuned: Sequence[Retuning] = (),
        combined: Sequence[Combining] = (),
        seeds: Seeds | Section | None = None,
        confidence: float = 0.95,
        margins: Margins | Section | None = None,
        facts: Sequence[str] = (),
        source: str = "",
        confirms: bool = False,
        sets: Sequence[str] = (),
    ) -> None:
        """Raises StudyError with every mistake in sections written in Python.

        Questions of whatever kind may be among `questions`, as in a file; each finds its place.
        """
        asked = (*questions, *retuned, *combined)
        given: dict[str, Any] = {
            "name": name, "title": title, "arms": arms, "questions": asked, "confidence": confidence, "facts": facts,
            "seeds": Seeds() if seeds is None else seeds,
            "margins": Margins() if margins is None else margins,
        }  # fmt: skip
        if _is_read(given, search) and data is None and base is None:
            given |= {
                "arms": dict(arms),
                **by_kind(cast("tuple[Question | Combining, ...]", asked)),
                "search": tuple(search),
                "source": source,
                "confirms": confirms,
                "sets": tuple(sets),
            }
        else:
            # Imported here: what reads sections makes studies of this very class.
            from fairtrial.study.studyfile import study_from_dict

            sections = {
                "schema": schema,
                "data": data,
                "base": base,
                "seeds": seeds,
                "margins": margins,
                "search": search,
            }
            made = study_from_dict(given | sections, sets=sets)
            given = {one.name: getattr(made, one.name) for one in fields(made)}
        for key, value in given.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        counts = (
            f"{len(many)} {word}{'' if len(many) == 1 else 's'}"
            for many, word in (
                (self.arms, "arm"),
                ((*self.questions, *self.retuned, *self.combined), "question"),
            )
        )
        return f"<Study {self.name!r}: {', '.join(counts)}>"

    def _repr_html_(self) -> str:
        from fairtrial.study.html import study_html

        return study_html(self)


def _is_read(given: Mapping[str, Any], searches: object) -> bool:
    """Whether these are parts that a reader of files has made, not sections to be read."""
    arms = given["arms"]
    named = list(cast("Mapping[str, object]", arms).values()) if isinstance(arms, Mapping) else []
    read = all(isinstance(arm, Arm) for arm in named) and isinstance(given["seeds"], Seeds)
    questions = all(isinstance(question, Question | Combining) for question in given["questions"])
    searched = isinstance(searches, Sequence) and all(
        isinstance(search, Search) for search in cast("Sequence[object]", searches)
    )
    return bool(named) and read and questions and searched and isinstance(given["margins"], Margins)
