"""What fairtrial says when it cannot go on: what was given, what is allowed, what to do, and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029]")


def printable(text: str) -> str:
    """The text as any terminal and any file takes it: what commands a terminal, or is no character, is spelled out."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class FairtrialError(Exception):
    """Any mistake or fault that fairtrial explains itself; the command line prints it without a traceback.

    It quotes what was given, which may have come from anywhere: nothing in it commands a terminal.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


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
        self.mistakes: tuple[Mistake, ...] = tuple(
            Mistake(where=printable(one.where), message=printable(one.message)) for one in mistakes
        )
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class DataError(FairtrialError):
    """A data file that is missing, damaged or not what it claims to be."""


class DataTooLargeError(DataError):
    """Data with nothing wrong with them, but that they do not fit into the memory there is."""


class AuditError(FairtrialError):
    """A notebook, script or exported text that cannot be read."""


class OwnCodeError(FairtrialError):
    """The user's own network or program failed in a way that trying again would not better."""


class StoreError(FairtrialError):
    """A store that cannot be opened, read or written."""


class ExecutorError(FairtrialError):
    """The place where trials run cannot be used (no worker starts, for example)."""
