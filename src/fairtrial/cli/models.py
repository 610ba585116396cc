"""What `export` prints of the formats of models."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer
from rich.text import Text

from fairtrial.analysis.sentences import count_of
from fairtrial.api import store_path
from fairtrial.cli.console import emit_json, note_missing_store, stdout
from fairtrial.cli.exporting import Request, format_of
from fairtrial.cli.group import program
from fairtrial.errors import FairtrialError
from fairtrial.models.exporting import CheckFailed, Exported
from fairtrial.models.naming import FORMATS
from fairtrial.models.reading import READABLE
from fairtrial.models.verbs import export
from fairtrial.study import studyfile
from fairtrial.trial import Event, Progress


def export_model(request: Request) -> None:
    study = studyfile.load(request.study, sets=request.sets)
    if request.arm is None:
        raise FairtrialError(f"which arm? This format holds one network: {', '.join(study.arms)}")
    format = format_of(request)
    suffix = FORMATS[format].suffix
    if request.out is not None and request.out.suffix.lower() not in (
        suffix,
        ".ts" if suffix == ".pt" else suffix,
    ):
        raise FairtrialError(
            f"--out {request.out}: a file of {format} must end in {suffix}, by which programs know it"
        )
    note_missing_store(store_path(request.store))
    try:
        made = export(
            study,
            request.arm,
            seed=request.seed,
            format=format,
            out=request.out,
            retrain=request.retrain,
            store=request.store,
            on_event=_tell,
            on_step=lambda step: typer.echo(step, err=True),
        )
    except CheckFailed as error:
        typer.echo(f"fairtrial: {error}", err=True)
        raise typer.Exit(1) from None
    if request.as_json:
        emit_json(as_dict(made))
        return
    console = stdout()
    for line in lines(made):
        console.print(Text(line), soft_wrap=True)


def _tell(event: Event) -> None:
    if isinstance(event, Progress):
        record = event.record
        typer.echo(
            f"training again, epoch {record.epoch} of {event.epochs}: training loss {record.train_loss:.4f}",
            err=True,
        )


def lines(made: Exported) -> Iterator[str]:
    card = made.card
    yield f"Wrote {made.path}: arm {card.arm} of {card.study}, {card.parameters:,} parameters, {made.size:,} bytes."
    yield made.how
    if made.retrained:
        yield f"Trained again, bit for bit as stored: seed {', '.join(map(str, made.retrained))}."
    shape = card.input_shape if card.layout == "NHWC" else (card.input_shape[2], *card.input_shape[:2])
    if made.format == "safetensors":
        yield "Weights alone, in Keras's names and layouts; what network they are of stands in the metadata."
    else:
        size = " x ".join(map(str, shape))
        yield f"Takes images as float32 in [0, 1], n x {size} ({card.layout}); gives the probabilities of {len(card.classes)} classes."
    yield (
        f"Checked by {made.checked_by} on {count_of(made.images, 'test image')}: no probability differs from ours by more than "
        f"{made.difference:.1e} ({made.allowed:.1e} allowed)."
    )
    yield _accuracies(made)
    if made.path.suffix in READABLE:
        yield f"Ask it:  {shlex.join([*program(), 'predict', str(made.path), 'PICTURE'])}"


def _accuracies(made: Exported) -> str:
    card, stored = made.card, f"{100 * made.stored_accuracy:.2f} %"
    text = f"Test accuracy {100 * made.test_accuracy:.2f} %; "
    text += f"its networks one by one {stored} on average." if len(card.seeds) > 1 else f"stored {stored}."
    if card.precision == "bfloat16":
        text += " Stored figures are of products in bfloat16; the file, and ours that it is held against, multiply the same weights in float32."
    return text


def as_dict(made: Exported) -> dict[str, Any]:
    return asdict(made) | {"path": str(made.path)}
