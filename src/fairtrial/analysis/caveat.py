"""A stated reason to trust an answer less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CaveatKind = Literal[
    "confounded",
    "implied change",
    "leaked validation",
    "diverged",
    "failed",
    "another engine version",
    "another machine",
    "shared machine",
    "missing seeds",
    "beyond the horizon",
    "identical contrasts",
    "identical weights",
    "skewed contrasts",
    "late plan",
    "changed plan",
    "outside the promise",
    "early stopping",
    "end alone",
    "not measured",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """A stated reason to trust an answer less."""

    kind: CaveatKind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
