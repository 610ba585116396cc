"""`fairtrial import`: models of other programs as arms. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairtrial.cli.options import AsJson, Sets

importing = typer.Typer(
    no_args_is_help=True, help="Make an arm of a model of another program: its layers and its training."
)


@importing.callback()
def _importing() -> None:
    """Make an arm of a model of another program: its layers and its training."""


@importing.command()
def keras(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="MODEL.keras, a .json file of model.to_json(), or FILE.py:build, a function that returns the model.",
        ),
    ],
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", metavar="STUDY", help="Write a study file; one that is there gets the arm added."
        ),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(
            "--arm", metavar="NAME", help="What to call the arm; the model's file says it otherwise."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="A catalogue name, or a folder or file of images; mnist unless given.",
        ),
    ] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """A Keras Sequential (or a straight Functional model) as an arm: its layers and how it was compiled, not its weights."""
    from fairtrial.cli.imports import import_model

    import_model(model, arm=arm, data=data, sets=tuple(sets or ()), write=write, as_json=as_json)
