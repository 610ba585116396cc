"""`fairtrial predict`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fairtrial.cli.options import AsJson, Sets, StorePath


def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A file that export wrote (.onnx, .keras, .safetensors, .pt2), or STUDY:ARM.",
        ),
    ],
    pictures: Annotated[
        list[Path],
        typer.Argument(
            metavar="PICTURE...", help="Files, or folders of them; class folders give an accuracy."
        ),
    ],
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many of the likeliest answers to show.")
    ] = 2,
    invert: Annotated[
        Literal["auto", "yes", "no"],
        typer.Option(
            "--invert", metavar="auto|yes|no", help="Whether what is shown is darker than its paper."
        ),
    ] = "auto",
    prepare: Annotated[
        Literal["auto", "mnist", "emnist", "resize"],
        typer.Option(
            "--prepare",
            metavar="auto|mnist|emnist|resize",
            help="How pictures become images; as the model's data set needs it unless given.",
        ),
    ] = "auto",
    save_inputs: Annotated[
        Path | None,
        typer.Option("--save-inputs", metavar="FOLDER", help="Write what the network saw of each, as PNG."),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="SEED", help="Of STUDY:ARM: best, a number, or ensemble.")
    ] = "best",
    sets: Sets = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """What a trained network says of pictures: of any size, dark on light or light on dark, noisy and off-centre."""
    from fairtrial.cli.predicting import predict_pictures
    from fairtrial.models.verbs import predict as verb

    found = verb(
        model,
        pictures,
        prepare=prepare,
        invert=invert,
        save_inputs=save_inputs,
        seed=seed,
        sets=tuple(sets or ()),
        store=store,
    )
    if not predict_pictures(found, top=top, as_json=as_json):
        raise typer.Exit(2)
