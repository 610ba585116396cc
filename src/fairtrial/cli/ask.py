"""`fairtrial ask`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairtrial.cli.options import AsJson, Sets, StorePath, Workers


def ask(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A setting, as a study file names it: network.mlp.width.")
    ],
    values: Annotated[
        list[str],
        typer.Argument(metavar="VALUE VALUE...", help="Its values; the first is the baseline."),
    ],
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Train for about this long: 60s, 5m, 1h30m.")
    ] = "60s",
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the study file that asks the same.")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="accuracy (unless given), loss or time; repeatable."),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", metavar="IMAGES", help="validation (unless given) or test; repeatable."),
    ] = None,
    base: Annotated[
        str,
        typer.Option(metavar="STUDY", help="The study whose base to depart from: a file or a built-in."),
    ] = "width",
    start: Annotated[
        str | None, typer.Option("--from", metavar="ARM", help="Depart from this arm of it instead.")
    ] = None,
    sets: Sets = None,
    workers: Workers = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """What does this setting do? Trains each value and answers; needs no file, takes about a minute."""
    from fairtrial.cli.asking import ask_study

    if len(values) < 2:
        raise typer.BadParameter(
            "give at least two values, the baseline first: fairtrial ask network.mlp.width 50 200"
        )
    ask_study(
        path,
        values,
        budget=budget,
        save=save,
        metrics=metrics or ["accuracy"],
        on=on or ["validation"],
        base=base,
        start=start,
        sets=sets or [],
        workers=workers,
        store=store,
        as_json=as_json,
    )
