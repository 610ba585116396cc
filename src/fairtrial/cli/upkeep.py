"""`fairtrial doctor`, `merge` and `rerun`: can all this be relied on? Only typer and the standard library here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairtrial.cli.options import AsJson, StorePath


def doctor(
    selftest: Annotated[
        bool,
        typer.Option(
            "--selftest",
            help="Train every layer and optimiser on a few images, twice, and compare: about 15 s.",
        ),
    ] = False,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Look over environment, machine, data and store. Exits 1 if there is a problem."""
    from fairtrial.cli.upkeeping import print_diagnosis

    if not print_diagnosis(store=store, selftest=selftest, as_json=as_json):
        raise typer.Exit(1)


def merge(
    other: Annotated[
        Path, typer.Argument(metavar="OTHER", help="The store of another machine; it is only read.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be joined; change nothing.")
    ] = False,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Join the outcomes of another store to this one. What both have and differs is listed, never overwritten."""
    from fairtrial.cli.upkeeping import print_merged

    print_merged(other, store=store, dry_run=dry_run, as_json=as_json)


def rerun(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The key of a stored trial, or the first digits of it.")
    ],
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Train a stored trial again and say whether every bit is the same. Exits 1 if not; stores nothing."""
    from fairtrial.cli.upkeeping import print_rerun

    if not print_rerun(key, store=store, as_json=as_json):
        raise typer.Exit(1)
