"""`fairtrial ask`: a study made of one setting and its values, trained and answered."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from fairtrial import runner
from fairtrial.cli.group import program
from fairtrial.cli.running import came_of_it, run_study
from fairtrial.durations import seconds_in
from fairtrial.executors.choice import Place
from fairtrial.study import asking
from fairtrial.study.studytext import study_text, write_new


def ask_study(
    path: str,
    values: Sequence[str],
    *,
    budget: str,
    save: Path | None,
    metrics: Sequence[str],
    on: Sequence[str],
    base: str,
    start: str | None,
    sets: Sequence[str],
    workers: int | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Nothing is trained and nothing written before path, values and options are known to be right."""
    seconds_in(budget)
    asked = asking.ask(
        path,
        asking.values_from_text(path, values),
        base=base,
        start=start,
        sets=sets,
        metrics=metrics,
        on=on,
    )
    if save is not None:
        write_new(save, study_text(asked, file=str(save)))
        typer.echo(f"wrote {save}", err=True)
    run_study(
        asked.study,
        named="",
        sets=[],
        store=store,
        arms=None,
        questions=None,
        seeds=None,
        budget=budget,
        executor=Place(workers=workers),
        weights="first",
        as_json=as_json,
        next_steps=lambda report, kept: next_steps(report, kept, saved=save, store=store),
    )


def next_steps(report: runner.RunReport, kept: Path, *, saved: Path | None, store: Path | None) -> str:
    """What came of it, and how to go on: longer, or with a file of one's own."""
    lines = [came_of_it([report], kept)]
    if saved is not None:
        same = [*program(), "run", str(saved), *(("--store", str(store)) if store else ()), "--budget", "5m"]
        return "\n".join([*lines, f"more seeds:       {shlex.join(same)}"])
    return "\n".join(
        [
            *lines,
            f"more seeds:       {_again('--budget', '5m')}",
            f"as a study file:  {_again('--save', 'study.yaml')}",
        ]
    )


def _again(option: str, value: str) -> str:
    """The command line of this process, with the option set anew."""
    words = sys.argv[1:]
    if option in words[:-1]:
        place = words.index(option)
        words = [*words[:place], *words[place + 2 :]]
    return shlex.join(
        [*program(), *(word for word in words if not word.startswith(f"{option}=")), option, value]
    )
