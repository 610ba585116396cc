"""`fairtrial data`: its commands and options. Like app.py, only typer and the standard library until one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fairtrial.cli.options import AsJson

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Data sets: what there is, fetching one, and what is in it.",
)

Reference = Annotated[
    str, typer.Argument(metavar="DATA", help="A name of the catalogue, or the path of a folder or file.")
]
ColourOption = Annotated[
    Literal["grey", "rgb"] | None,
    typer.Option("--colour", metavar="grey|rgb", help="Make every image grey, or colour."),
]
SizeOption = Annotated[
    str | None, typer.Option("--size", metavar="HxW", help="Scale every image to this height and width.")
]
BackgroundOption = Annotated[
    Literal["black", "white"] | None,
    typer.Option("--background", metavar="black|white", help="What shows through transparent images."),
]
HighestOption = Annotated[
    float | None, typer.Option("--highest", metavar="VALUE", help="The value of a white pixel in arrays.")
]
TestOption = Annotated[
    float | None,
    typer.Option("--test", metavar="SHARE", help="The share set apart as test images where there are none."),
]


@data.command("list")
def list_data(as_json: AsJson = False) -> None:
    """The catalogue: names that `data.dataset` takes, and which of them are here already."""
    from fairtrial.cli.catalogue import print_catalogue

    print_catalogue(as_json=as_json)


@data.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of the catalogue.")],
    as_json: AsJson = False,
) -> None:
    """Fetch a data set of the catalogue, check it, and keep it for studies."""
    from fairtrial.cli.datasets import fetch

    fetch(name, as_json=as_json)


@data.command()
def info(
    reference: Reference,
    colour: ColourOption = None,
    size: SizeOption = None,
    background: BackgroundOption = None,
    highest: HighestOption = None,
    test: TestOption = None,
    as_json: AsJson = False,
) -> None:
    """Shape, classes, counts, fingerprint, where it is; what was done to make a data set of it. Fetches nothing."""
    from fairtrial.cli.datasets import print_info, source_of

    source = source_of(reference, colour=colour, size=size, background=background, highest=highest, test=test)
    print_info(source, as_json=as_json)


@data.command()
def inspect(
    reference: Reference,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write what was found as a page, with pictures."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="FILE", help="Write a sheet of example images of each class."),
    ] = None,
    colour: ColourOption = None,
    size: SizeOption = None,
    background: BackgroundOption = None,
    highest: HighestOption = None,
    test: TestOption = None,
    as_json: AsJson = False,
) -> None:
    """Class balance, exact and near duplicates, constant pixels, candidates for wrong labels."""
    from fairtrial.cli.datasets import print_inspection, source_of

    source = source_of(reference, colour=colour, size=size, background=background, highest=highest, test=test)
    print_inspection(source, html=html, png=png, as_json=as_json)


@data.command()
def save(
    reference: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The .npz file to write.")],
    colour: ColourOption = None,
    size: SizeOption = None,
    background: BackgroundOption = None,
    highest: HighestOption = None,
    test: TestOption = None,
) -> None:
    """Write a data set as an .npz file with train_images, train_labels, test_images and test_labels."""
    from fairtrial.cli.datasets import save_arrays, source_of

    source = source_of(reference, colour=colour, size=size, background=background, highest=highest, test=test)
    save_arrays(source, file)
