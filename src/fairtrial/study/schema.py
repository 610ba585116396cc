"""What a study file may hold, and the study that comes of it.

The models check one value at a time and know nothing of files; questions have a module of their own. `studyfile.py` reads the file,
merges inheritance and turns every complaint into `file:line: what, allowed, nearest`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from fairtrial.study.commands import groups_used, placeholders
from fairtrial.study.data_settings import MAKING_IMAGES as MAKING_IMAGES
from fairtrial.study.data_settings import DataSettings as DataSettings
from fairtrial.study.layers import Network, Size, named
from fairtrial.study.limits import Frozen
from fairtrial.study.limits import Margins as Margins
from fairtrial.study.limits import Seeds as Seeds
from fairtrial.study.networks import Mlp as Mlp
from fairtrial.study.networks import NetworkSettings as NetworkSettings
from fairtrial.study.program import Program
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
from fairtrial.study.sources import Sources
from fairtrial.study.training import Adam, AnyOptimizer, EarlyStopping

SCHEMA = "fairtrial/1"
Precision = Literal["auto", "float32", "bfloat16"]
Fraction = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class ArmSettings(Program):
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
    sources: Sources | None = None
    """The user's own files that its trials are made by, where there are any."""

    @property
    def is_command(self) -> bool:
        """Whether a program of the user's own trains it."""
        return self.settings.command is not None

    @property
    def is_module(self) -> bool:
        """Whether the user's own code builds its network."""
        return not self.is_command and self.settings.network.python is not None

    @cached_property
    def uses(self) -> frozenset[str] | None:
        """Groups of settings that a command takes; None where our engine trains, which takes them all."""
        return groups_used(self.settings) if self.is_command else None

    @property
    def has_data(self) -> bool:
        """Whether it is known which images are trained and judged on; a command that takes no `{data}` has its own."""
        return not self.is_command or "data" in placeholders(self.settings.command or "")

    @property
    def is_described(self) -> bool:
        """Whether its network is known layer by layer."""
        known = self.uses is None or "network" in self.uses
        return known and self.settings.network.python is None

    @cached_property
    def network(self) -> Network:
        """The layers in order, each with its name, the output layer included; none where they are not known."""
        if not self.is_described:
            return ()
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
            # Imported here: it knows arms, which are of this module.
            from fairtrial.study.own_code import looked_for

            given |= {
                "arms": looked_for(cast("Mapping[str, Arm]", arms)),
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
