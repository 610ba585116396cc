"""What `fairtrial predict` prints."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.cli.console import emit_json, stdout
from fairtrial.errors import printable
from fairtrial.models.predicted import Prediction, Predictions

_MOST_SKIPPED = 5


def predict_pictures(found: Predictions, *, top: int, as_json: bool) -> bool:
    """Print them; whether every picture could be read."""
    for one in found.unread:
        typer.echo(f"fairtrial: {printable(one.error)}", err=True)
    if found.skipped:
        shown = ", ".join(map(printable, found.skipped[:_MOST_SKIPPED]))
        more = f" and {len(found.skipped) - _MOST_SKIPPED} more" if len(found.skipped) > _MOST_SKIPPED else ""
        typer.echo(f"skipped, as no picture: {shown}{more}", err=True)
    if as_json:
        emit_json(found.as_dict(top=top))
    elif found.read:
        _print(found, top)
    return not found.unread


def _print(found: Predictions, top: int) -> None:
    console = stdout()
    for line in _head(found):
        console.print(Text(line), soft_wrap=True)
    console.print()
    console.print(_table(found, min(top, len(found.card.classes))))
    notes = list(_notes(found))
    if notes:
        console.print()
    for note in notes:
        console.print(Padding(Text(note), (0, 0, 0, 2), expand=False))
    right, of = found.judged
    if of:
        console.print()
        console.print(
            Text(
                f"Accuracy {100 * right / of:.1f} %: {right} of {of} pictures in class folders are told right."
            ),
            soft_wrap=True,
        )


def _head(found: Predictions) -> Iterator[str]:
    card = found.card
    seeds = f"seed{'' if len(card.seeds) == 1 else 's'} {', '.join(map(str, card.seeds))}"
    yield printable(f"Arm {card.arm} of {card.study}, {seeds}, trained on {card.dataset}.")
    height, width, channels = card.input_shape
    if found.preparation == "resize":
        kind = "grey" if channels == 1 else "in colour"
        yield f"Pictures are scaled to {width} x {height} pixels {kind}, and nothing else, as its training images were."
    else:
        yield f"Pictures are laid out as the images of {found.preparation.upper()} are: one character, light on black, cropped and centred."


def _table(found: Predictions, top: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("picture", overflow="fold", max_width=40)
    table.add_column("answer", overflow="fold")
    table.add_column("prob.", justify="right", no_wrap=True)
    if top > 1:
        table.add_column("runner-up" if top == 2 else "then", overflow="fold")
    labelled = any(one.label is not None for one in found.read)
    if labelled:
        table.add_column("truth", overflow="fold")
    if any(one.members for one in found.read):
        table.add_column("agree", justify="right", no_wrap=True)
    table.add_column("done to it", overflow="fold")
    for one in found.read:
        table.add_row(*(Text(printable(cell)) for cell in _cells(one, top, labelled)))
    return table


def _cells(one: Prediction, top: int, labelled: bool) -> Iterator[str]:
    yield one.picture
    yield "-" if one.answer is None else one.answer
    yield "-" if one.probability is None else share(one.probability)
    if top > 1:
        yield ", ".join(f"{name} {share(probability)}" for name, probability in one.ranked[1:top]) or "-"
    if labelled:
        yield {True: f"{one.label}", False: f"{one.label}, wrong", None: "-"}[one.right]
    if one.members:
        yield f"{sum(answer == one.answer for _, answer, _ in one.members)} of {len(one.members)}"
    yield "; ".join(one.done)


def share(probability: float) -> str:
    """In per cent, never rounded to a certainty that it is not.

    >>> share(0.98765), share(0.99999), share(0.00001), share(1.0)
    ('98.8 %', '>99.9 %', '<0.1 %', '>99.9 %')
    """
    if probability > 0.9995:
        return ">99.9 %"
    return "<0.1 %" if probability < 0.0005 else f"{100 * probability:.1f} %"


def _notes(found: Predictions) -> Iterator[str]:
    for one in found.read:
        for warning in one.warnings:
            yield printable(f"{one.picture}: {warning}")
