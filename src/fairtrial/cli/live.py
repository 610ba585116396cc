"""The screen of a run: a live table on a terminal, a line per finished trial elsewhere."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fairtrial.cli.console import on_terminal, stderr
from fairtrial.cli.tally import ArmTally, Tally
from fairtrial.durations import duration
from fairtrial.trial import Event

REFRESH_SECONDS = 0.25


@contextmanager
def watching(tally: Tally) -> Generator[Callable[[Event], None]]:
    """What to call with every event of the run, for as long as it lasts."""
    if on_terminal():
        with Live(screen(tally), console=stderr(), auto_refresh=False, transient=True) as live:
            yield _drawing(tally, live)
    else:
        yield _printing(tally)


def _printing(tally: Tally) -> Callable[[Event], None]:
    def take(event: Event) -> None:
        line = tally.take(event)
        if line is not None:
            typer.echo(line, err=True)

    return take


def _drawing(tally: Tally, live: Live) -> Callable[[Event], None]:
    drawn = time.monotonic()

    def take(event: Event) -> None:
        nonlocal drawn
        line = tally.take(event)
        if line is not None:
            tally.last = line
        if line is not None or time.monotonic() - drawn > REFRESH_SECONDS:
            live.update(screen(tally), refresh=True)
            drawn = time.monotonic()

    return take


def screen(tally: Tally) -> Group:
    """Trials done and left, what runs now, and each arm's mean so far."""
    of = "" if tally.open_ended else f" of {len(tally.planned)}"
    head = f"{tally.done}{of} new trials done, {len(tally.running)} running"
    if tally.running or tally.waiting:
        head += f", about {duration(tally.seconds_left())} left"
    return Group(Text(head, style="bold"), _running(tally), _arms(tally), Text(tally.last, style="dim"))


def _running(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False, show_header=bool(tally.running))
    table.add_column("running", overflow="fold")
    for head in ("seed", "epoch", "train loss"):
        table.add_column(head, justify="right")
    for one in tally.running.values():
        table.add_row(
            one.trial.arm.name,
            str(one.trial.number),
            f"{one.epoch} of {one.trial.arm.settings.epochs}",
            "-" if one.loss is None else f"{one.loss:.4f}",
        )
    return table


def _arms(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("arm", overflow="fold")
    table.add_column("seeds", justify="right")
    table.add_column("validation accuracy so far", justify="right")
    table.add_column("", style="yellow")
    for name, arm in tally.arms.items():
        mean = f"{100 * statistics.fmean(arm.values):.2f} %" if arm.values else "-"
        table.add_row(name, str(len(arm.values)), mean, _trouble(arm))
    return table


def _trouble(arm: ArmTally) -> str:
    counts = {"diverged": arm.diverged, "failed": arm.failed}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
