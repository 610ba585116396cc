"""One thing that a study's author should know before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "confounded",
    "implied",
    "undeclared",
    "unchanged",
    "unjudged",
    "unasked",
    "duplicate",
    "leak",
    "early_stopping",
    "precision",
    "horizon",
    "images",
    "same setting",
    "own code",
    "own data",
    "command",
]
Place = Literal["validation", "test", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know. Without `question` and `arm` it concerns the whole study."""

    kind: Kind
    message: str
    question: str | None = None
    arm: str | None = None

    def __str__(self) -> str:
        return self.message
