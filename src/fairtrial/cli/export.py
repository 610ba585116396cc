"""`fairtrial export`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairtrial.cli.options import AsJson, Sets, StorePath, StudyName


def export(
    study: StudyName,
    arm: Annotated[
        str | None, typer.Argument(metavar="[ARM]", help="Whose network; needed for the formats of models.")
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="keras, onnx, safetensors, torch.export or torchscript; csv, parquet, tensorboard or mlflow; "
            "the end of --out says it, too.",
        ),
    ] = None,
    seed: Annotated[
        str,
        typer.Option(
            "--seed", metavar="SEED", help="best (by validation), a number, or ensemble: the mean of all."
        ),
    ] = "best",
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="PLACE", help="A file, a folder or an address; named by itself unless given."
        ),
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain", help="Train again, bit for bit, what has no weights kept, and export that."
        ),
    ] = False,
    sets: Sets = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Take what was trained elsewhere: one network as a file that other programs load, checked on the test images."""
    from fairtrial.cli.exporting import Request, export_study

    export_study(
        Request(
            study=study,
            sets=tuple(sets or ()),
            arm=arm,
            format=format,
            seed=seed,
            out=None if out is None else Path(out),
            place=out,
            retrain=retrain,
            store=store,
            as_json=as_json,
        )
    )
