"""What `fairtrial import` prints."""

from __future__ import annotations

from pathlib import Path

import typer

from fairtrial.cli.console import emit_json
from fairtrial.models.importing.imported import WEIGHTS, Imported
from fairtrial.models.verbs import import_keras


def import_model(
    model: str, *, arm: str | None, data: str | None, sets: tuple[str, ...], write: Path | None, as_json: bool
) -> None:
    """The study goes to standard output where it is not written; what should be known of it stands in its comments."""
    made = import_keras(model, arm=arm, data=data, sets=sets, write=write)
    if as_json:
        emit_json(as_dict(made))
    elif made.written is None:
        typer.echo(made.text, nl=False)
    else:
        typer.echo(
            f"{'added' if made.added else 'wrote'} arm {made.arm} {'to' if made.added else 'in'} {made.written}: "
            f"{made.parameters:,} parameters. {WEIGHTS}"
        )
        for note in made.notes:
            typer.echo(f"- {note}")


def as_dict(made: Imported) -> dict[str, object]:
    return {
        "source": made.source,
        "arm": made.arm,
        "parameters": made.parameters,
        "weights": "not taken",
        "notes": list(made.notes),
        "written": None if made.written is None else str(made.written),
        "added": made.added,
        "text": made.text,
    }
