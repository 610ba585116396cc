"""What `doctor`, `merge` and `rerun` print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fairtrial import upkeep
from fairtrial.analysis.sentences import count_of
from fairtrial.api import store_path
from fairtrial.cli.console import emit_json, note_missing_store, stdout
from fairtrial.diagnosis import Diagnosis
from fairtrial.merging import Conflict, Merged
from fairtrial.rerunning import Difference, Rerun
from fairtrial.trial import Event, Progress

_STYLES = {"ok": "", "warning": "yellow", "problem": "red"}
_MOST_DIFFERENCES = 20
_MOST_CONFLICTS = 10
_MOST_OF_A_CONFLICT = 4


def print_diagnosis(*, store: Path | None, selftest: bool, as_json: bool) -> bool:
    """Whether there is no problem."""
    found = upkeep.doctor(store=store, selftest=selftest, on_step=lambda step: typer.echo(step, err=True))
    if as_json:
        emit_json(found.as_dict())
    else:
        _render_diagnosis(found, stdout())
    return found.sound


def _render_diagnosis(found: Diagnosis, console: Console) -> None:
    names = max(len(one.name) for one in found)
    for one in found:
        line = Text(f"{one.state:<7}", style=_STYLES[one.state])
        line.append(f"  {one.name:<{names}}  {one.text} {one.advice}".rstrip(), style="")
        # One line for each however narrow the terminal, so that they can be searched and counted.
        console.print(line, soft_wrap=True)
    console.print()
    console.print(Text(found.sentence))


def print_merged(other: Path, *, store: Path | None, dry_run: bool, as_json: bool) -> None:
    path = store_path(store)
    if dry_run:
        note_missing_store(path)
    found = upkeep.merge(other, store=store, dry_run=dry_run)
    if as_json:
        emit_json(found.as_dict())
        return
    console = stdout()
    for line in merged_lines(found, path):
        console.print(Text(line), soft_wrap=True)
    for one in found.conflicts[:_MOST_CONFLICTS]:
        _render_conflict(one, console)
    if len(found.conflicts) > _MOST_CONFLICTS:
        console.print(
            Text(f"and {len(found.conflicts) - _MOST_CONFLICTS} more conflicts; --json lists all of them")
        )
    if found.conflicts:
        told = "`fairtrial rerun KEY` tells whether this machine still comes to its own figures."
        console.print(Text(told), soft_wrap=True)


def merged_lines(found: Merged, path: Path) -> Iterator[str]:
    """What came of it, in sentences; the conflicts come after them."""
    would = "would be joined" if found.dry else "joined"
    yield f"{count_of(found.trials, 'trial')} {would} to {path} from {found.other}{_machines(found)}."
    if found.pairs:
        yield f"{count_of(found.pairs, 'pair')} of timings {would}; answers on time use those of one machine alone."
    beside = [
        count_of(count, noun)
        for count, noun in (
            (found.weights, "weights file"),
            (found.plans, "plan"),
            (found.selections, "selection"),
        )
        if count
    ]
    if found.searches:
        beside.append("1 search" if found.searches == 1 else f"{found.searches} searches")
    if beside:
        yield f"With them: {', '.join(beside)}."
    if found.no_weights:
        yield f"The weights of {count_of(found.no_weights, 'trial')} are not there, or damaged: left out."
    if found.alike:
        yield f"{count_of(found.alike, 'trial')} {'was' if found.alike == 1 else 'were'} here already, with the same figures."
    for note in found.notes:
        yield f"{note[:1].upper()}{note[1:]}."
    if found.dry:
        yield "Nothing was changed."
    if found.conflicts:
        yield f"{count_of(len(found.conflicts), 'conflict')}: here already with other figures, which stay as they are:"


def _machines(found: Merged) -> str:
    if len(found.by_machine) < 2:
        return ""
    return f" ({', '.join(f'{count} of machine {name}' for name, count in found.by_machine.items())})"


def _render_conflict(one: Conflict, console: Console) -> None:
    console.print(Text(f"  {one.key[:12]} ({one.arm}, seed {one.seed})"), soft_wrap=True)
    for apart in one.differences[:_MOST_OF_A_CONFLICT]:
        console.print(Text(f"    {apart.told('here', 'there')}"), soft_wrap=True)
    if len(one.differences) > _MOST_OF_A_CONFLICT:
        console.print(Text(f"    and {count_of(len(one.differences) - _MOST_OF_A_CONFLICT, 'more figure')}"))
    for where, made in (("here", one.made_here), ("there", one.made_there)):
        console.print(Text(f"    trained {where} by {_maker(made)}"), soft_wrap=True)


def _maker(made: dict[str, str]) -> str:
    return f"torch {made.get('torch', '?')} on machine {made.get('machine', '?')} ({made.get('processor', 'unknown processor')})"


def print_rerun(key: str, *, store: Path | None, as_json: bool) -> bool:
    """Whether every bit came out the same."""
    found = upkeep.rerun(key, store=store, on_event=_tell)
    if as_json:
        emit_json(found.as_dict())
    else:
        _render_rerun(found, stdout())
    return found.equal


def _tell(event: Event) -> None:
    if isinstance(event, Progress):
        record = event.record
        # A command may tell of its validation alone.
        told = {"training loss": record.train_loss, "validation accuracy": record.validation_accuracy}
        said = ", ".join(f"{what} {value:.4f}" for what, value in told.items() if isfinite(value))
        typer.echo(f"epoch {record.epoch} of {event.epochs}" + (f": {said}" if said else ""), err=True)


def _render_rerun(found: Rerun, console: Console) -> None:
    console.print(Text(found.sentence), soft_wrap=True)
    for line in _differences(found.differences):
        console.print(Text(f"  {line}"), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for head in ("made with", "stored", "now"):
        table.add_column(head, overflow="fold")
    for name, stored, now in found.made_with:
        style = "yellow" if stored != now else ""
        table.add_row(name, *(Text(_short(name, side) or "-", style=style) for side in (stored, now)))
    console.print()
    console.print(table)


def _short(name: str, value: str) -> str:
    """Of a commit the first digits, and whether files were changed since."""
    return f"{value[:12]}{'+' if value.endswith('+') else ''}" if name == "commit" else value


def _differences(some: Sequence[Difference]) -> Iterator[str]:
    yield from (str(one) for one in some[:_MOST_DIFFERENCES])
    if len(some) > _MOST_DIFFERENCES:
        yield f"and {len(some) - _MOST_DIFFERENCES} more figures; --json lists all of them"
