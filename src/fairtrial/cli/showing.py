"""`fairtrial show`: each model as a notebook shows it, then printed, reproduced and done right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import fairtrial
from fairtrial.api import open_to_read, store_path
from fairtrial.cli.console import emit_json, note_missing_store, stdout
from fairtrial.errors import StudyError
from fairtrial.report.blocks import Block
from fairtrial.report.reproduction import LABELS, Row
from fairtrial.report.show_markdown import markdown, three, times
from fairtrial.report.shown import Shown, chosen
from fairtrial.report.shown import shown as read_shown
from fairtrial.study.keras_code import keras_program
from fairtrial.study.schema import Arm, Study

Form = Literal["terminal", "json", "markdown", "code"]


def print_show(study: Study, *, arm: str | None, form: str, store: Path | None) -> None:
    """Raises FairtrialError for an arm the study does not have."""
    arms = chosen(study, arm)
    if form == "code":
        typer.echo("\n\n".join(_code(one, alone=len(arms) == 1).rstrip() for one in arms))
        return
    path = store_path(store)
    note_missing_store(path)
    with open_to_read(path) as opened:
        shown = read_shown(study, arm, opened)
    if form == "json":
        emit_json({"study": study.name, **asdict(shown)})
    elif form == "markdown":
        today = datetime.now().astimezone().date()
        made = f"Made by `fairtrial show {study.name} --markdown` {fairtrial.__version__} on {today}."
        text = markdown(
            study.title or study.name, shown.blocks, shown.rows, made=made, machines=shown.machines
        )
        typer.echo(text, nl=False)
    else:
        _render(shown, stdout())


def _code(arm: Arm, *, alone: bool) -> str:
    """The Keras program; of several arms, those that have none are told in a comment."""
    try:
        return keras_program(arm)
    except StudyError as error:
        if alone:
            raise
        return f"# {error}"


def _render(shown: Shown, console: Console) -> None:
    for one in shown.blocks:
        _render_block(one, console)
    if shown.rows:
        _render_rows(shown.rows, console)


def _render_block(one: Block, console: Console) -> None:
    console.rule(Text(one.name, style="bold"), align="left", characters="-")
    console.print(Text(f"Model: {one.title}", style="bold"))
    if one.note:
        console.print(Text(one.note, style="dim"))
    console.print()
    if one.made_by:
        console.print(Text(one.made_by), soft_wrap=True)
        console.print()
    console.print(Text("HyperParameters:"))
    console.print(Text(one.hyperparameters), soft_wrap=True)
    console.print()
    if one.layers:
        _render_layers(one, console)
    for line in one.counts:
        console.print(Text(line))
    console.print()
    _render_figures(one, console)
    console.print()


def _render_layers(one: Block, console: Console) -> None:
    layers = Table(box=None, pad_edge=False)
    layers.add_column("Layer (type)", overflow="fold")
    layers.add_column("Output Shape", overflow="fold")
    layers.add_column("Param #", justify="right")
    for layer in one.layers:
        layers.add_row(layer.layer, layer.output_shape, str(layer.parameters))
    console.print(layers)
    console.print()


def _render_figures(one: Block, console: Console) -> None:
    if one.diverged:
        console.print(
            Text(f"{one.diverged} of {one.diverged + one.finished} trials diverged.", style="yellow")
        )
    if not one.finished:
        console.print(Text("Not trained yet." if not one.diverged else "No trial finished."))
        return
    for figure in one.figures:
        if figure.end is None:
            continue  # a command need not measure everything
        line = f"{figure.label} = {figure.end.text()}"
        console.print(Text(line))
        if figure.last_epoch is not None:
            over = f"mean over the last epoch = {figure.last_epoch.text()}"
            console.print(Padding(Text(over, style="dim"), (0, 0, 0, 4), expand=False))
    console.print()
    console.print(Text(times(one)))


def _render_rows(rows: Sequence[Row], console: Console) -> None:
    console.rule(Text("printed, reproduced, done right", style="bold"), align="left", characters="-")
    console.print(
        Text(
            "printed: what the notebook shows. reproduced: its protocol, which trains on most of its validation "
            "images (data.split: reshuffled). done right: validation images never trained on (data.split: fixed). "
            "Mean ± standard deviation over seeds, number of seeds in brackets. The printed times are of another machine."
        )
    )
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("", overflow="fold")
    for head in ("printed", "reproduced", "done right"):
        table.add_column(head, justify="right", overflow="fold")
    for row in rows:
        table.add_row(Text(row.arm, style="bold"))
        for cells in row.cells:
            table.add_row(f"  {LABELS[cells.metric]}", *three(cells))
        for count, protocol in ((row.reproduced_diverged, "reproduced"), (row.right_diverged, "done right")):
            if count:
                table.add_row(Text(f"  {protocol}: {count} further trials diverged", style="yellow"))
    console.print(table)
