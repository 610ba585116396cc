"""How commands end: mistakes, interruptions and closed pipes become exit codes, never tracebacks."""

from __future__ import annotations

import codecs
import io
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import typer
import typer.core

from fairtrial.cli.endings import Terminated
from fairtrial.errors import FairtrialError

WRONG_USE = 2
INTERRUPTED = 130

_PLAIN = {"±": "+/-", "…": "...", "–": "-", "—": "-", "×": "x", "·": "-", "→": "->"}


class Commands(typer.core.TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
            return done
        except FairtrialError as error:
            typer.echo(f"fairtrial: {error}", err=True)
            raise typer.Exit(WRONG_USE) from None
        except KeyboardInterrupt:
            typer.echo(f"\ninterrupted; nothing finished is lost. Go on with: {same_command()}", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except Terminated as end:
            typer.echo(f"\nended by {end}; nothing finished is lost. Go on with: {same_command()}", err=True)
            raise typer.Exit(end.status) from None
        except MemoryError:
            typer.echo(
                "fairtrial: out of memory; nothing finished is lost. End other programs or raise the limit (`ulimit -v`), "
                f"then go on with: {same_command()}",
                err=True,
            )
            raise typer.Exit(WRONG_USE) from None
        except BrokenPipeError:
            # The reader has what it wanted (`| head`); without this Python complains once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            # What no module foresaw of disks, folders and limits; where it was foreseen, more is said.
            place = "" if error.filename is None else f"{error.filename}: "
            typer.echo(
                f"fairtrial: {place}{error.strerror or error}; nothing finished is lost. Once that is mended, "
                f"go on with: {same_command()}",
                err=True,
            )
            raise typer.Exit(WRONG_USE) from None


def program() -> list[str]:
    """How this process's own command can be called again."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "fairtrial"]
    on_path = shutil.which("fairtrial")
    if started.name == "fairtrial" and started.exists() and not (on_path and started.samefile(on_path)):
        return [str(started)]
    return ["fairtrial"]


def same_command() -> str:
    """The command line this process was started with, ready to be pasted."""
    return shlex.join([*program(), *sys.argv[1:]])


def never_fail_to_encode() -> None:
    """Let a terminal that cannot show a character get a plain one instead of an error."""
    codecs.register_error("fairtrial-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fairtrial-plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in refused), error.end
