"""`fairtrial audit`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def audit(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Notebooks (.ipynb), scripts (.py), exported texts (.txt, .md) or HTML."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one line of CSV per file.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the findings as a page.")
    ] = None,
    write_study: Annotated[
        Path | None,
        typer.Option(
            "--write-study", metavar="FILE", help="Write the study that would settle the file's questions."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a finding is serious.")] = False,
) -> None:
    """What is wrong with the experiments in notebooks and scripts, read without running them."""
    from fairtrial.cli.auditing import Wanted, audit_files

    if as_json and as_csv:
        raise typer.BadParameter("give one of --json and --csv")
    if write_study is not None and len(files) != 1:
        raise typer.BadParameter("--write-study writes the study of one file; give one")
    outcome = audit_files(
        files,
        Wanted(form="json" if as_json else "csv" if as_csv else "terminal", html=html, study=write_study),
    )
    if outcome.unreadable:
        raise typer.Exit(2)
    if strict and outcome.serious:
        raise typer.Exit(1)
