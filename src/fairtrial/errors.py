"""What fairtrial says when it cannot go on: what was given, what is allowed, what to do, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FairtrialError(Exception):
    """Any mistake or fault that fairtrial explains itself; the command line prints it without a traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong in a study file.

    `where` is `file:line`, or the command-line option that brought the value in.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class StudyError(FairtrialError):
    """A study that cannot be used; carries every mistake found, not the first alone."""

    def __init__(self, mistakes: str | Sequence[Mistake]) -> None:
        if isinstance(mistakes, str):
            mistakes = (Mistake(where="", message=mistakes),)
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class DataError(FairtrialError):
    """A data file that is missing, damaged or not what it claims to be."""


class AuditError(FairtrialError):
    """A notebook, script or exported text that cannot be read."""


class StoreError(FairtrialError):
    """A store that cannot be opened, read or written."""


class ExecutorError(FairtrialError):
    """The place where trials run cannot be used (no worker starts, for example)."""
