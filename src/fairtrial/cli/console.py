"""Where output goes: data to stdout, progress to stderr, JSON as nothing but JSON."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, TextIO, cast

import typer
from rich.console import Console


class PipeConsole(Console):
    """A console that leaves a closed pipe to its caller; rich would end the program with status 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Trimmed:
    """A stream whose lines end where their text ends: rich fills them up with blanks, which files and diffs keep."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(re.sub(r" +(?=\n)", "", text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def stdout() -> Console:
    return PipeConsole(file=cast("TextIO", Trimmed(sys.stdout)), highlight=False, emoji=False, markup=False)


def stderr() -> Console:
    return PipeConsole(stderr=True, highlight=False, emoji=False, markup=False)


def emit_json(value: Any) -> None:
    """One JSON document, ASCII alone so that any terminal and any pipe takes it."""
    typer.echo(json.dumps(value, indent=1, allow_nan=False))


def note_missing_store(path: Path) -> None:
    """Say on stderr that nothing is stored yet: a mistyped path would otherwise look like no results."""
    if not path.exists():
        typer.echo(f"note: no store at {path} yet; nothing has been trained", err=True)


def on_terminal() -> bool:
    return sys.stderr.isatty()
