"""`fairtrial run`: train what is missing under the reader's eyes, then say what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from fairtrial import due, runner
from fairtrial.analysis import answers as answers_from
from fairtrial.analysis.cost import costs
from fairtrial.analysis.gather import gather, trials
from fairtrial.api import DEFAULT_STORE, store_path
from fairtrial.cli.answering import print_answers
from fairtrial.cli.group import program
from fairtrial.cli.live import watching
from fairtrial.cli.tally import METRIC, ArmTally, Tally, names_by_key
from fairtrial.data.heldout import notes_of
from fairtrial.dispatch import Weights
from fairtrial.durations import seconds_in
from fairtrial.executors.choice import Place
from fairtrial.searching import following
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.tracking.live import tracked
from fairtrial.trial import Event, Trial


def run_study(
    study: Study,
    *,
    named: str,
    sets: Sequence[str],
    store: Path | None,
    arms: Sequence[str] | None,
    questions: Sequence[str] | None,
    seeds: int | None,
    budget: str | None,
    executor: Place,
    weights: Weights,
    as_json: bool,
    sharpen: bool = False,
    track: Sequence[str] = (),
    next_steps: Callable[[runner.RunReport, Path], str] | None = None,
) -> None:
    """Train, print the answers to stdout, and what to do next.

    `next_steps` says the latter where the study has no name to call it by.
    """
    budget_seconds = None if budget is None else seconds_in(budget)
    path = store_path(store)
    planned: dict[str, Trial] = {}
    for note in notes_of(study):
        typer.echo(f"note: {note}", err=True)
    with (
        tracked(track, say=lambda line: typer.echo(line, err=True)) as trackers,
        Store.open(path) as opened,
        executor.ready() as working,
    ):

        @contextmanager
        def watch(
            shown: Study, names: Collection[str], *, seeds: int | None, budget_seconds: float | None
        ) -> Generator[Callable[[Event], None]]:
            tally = _tally(
                shown, opened, names, seeds=seeds, workers=working.workers, budget_seconds=budget_seconds
            )
            planned.update(tally.planned)
            if said := after_an_end_from_outside(opened, tally.planned):
                typer.echo(said, err=True)
            if shown is not study:
                typer.echo(f"{shown.name}{shown.title and ': '}{shown.title}", err=True)
            with watching(tally) as on_event:
                yield on_event

        done = following.run(
            study,
            store=opened,
            executor=working,
            watch=trackers.watching(watch),
            arms=arms,
            questions=questions,
            seeds=seeds,
            budget_seconds=budget_seconds,
            weights=weights,
            sharpen=sharpen,
        )
        found = answers_from(study, opened)
    for report in done.reports:
        for key, reason in report.failed.items():
            trial = planned[key]
            typer.echo(
                f"given up: {trial.arm.name} seed {trial.number}: {reason}; another `run` tries it once more",
                err=True,
            )
        for question, reason in report.timing.untimed.items():
            typer.echo(f"not timed: {question}: {reason}", err=True)
    for one in done.followed:
        if one.lacking:
            typer.echo(f"{one.question}: {one.lacking}", err=True)
    print_answers(found, form="json" if as_json else "terminal")
    if not as_json:
        if next_steps is None:
            typer.echo(next_commands(done.reports, study, named=named, sets=sets, path=path))
        else:
            typer.echo(next_steps(done.run, path))


def _tally(
    study: Study,
    store: Store,
    names: Collection[str],
    *,
    seeds: int | None,
    workers: int,
    budget_seconds: float | None,
) -> Tally:
    """As the runner counts: with `seeds` exactly those; otherwise the minimum, and then what is open."""
    chosen = [study.arms[name] for name in names]
    stored = gather(chosen, store)
    planned = due.missing(study, store, names, study.seeds.max if seeds is None else seeds)
    return Tally(
        planned={trial.key: trial for trial in planned},
        due=frozenset(trial.key for trial in planned if seeds is not None or trial.seed <= study.seeds.min),
        open_ended=seeds is None,
        names=names_by_key(planned, {arm.name: trials(arm, range(1, 2))[0].arm_key for arm in chosen}),
        arms={
            name: ArmTally(
                values=[
                    one.outcome.metrics[METRIC]
                    for one in arm.trials
                    if one.outcome.state == "finished" and METRIC in one.outcome.metrics
                ],
                diverged=sum(one.outcome.state == "diverged" for one in arm.trials),
            )
            for name, arm in stored.items()
        },
        seconds={name: cost.seconds for name, cost in costs(stored).items()},
        workers=workers,
        budget_seconds=budget_seconds,
    )


def after_an_end_from_outside(store: Store, keys: Iterable[str]) -> str:
    """What an earlier run that was killed could not say itself; empty where none was."""
    gone = store.abandoned(keys)
    if not gone:
        return ""
    pids = sorted({holder.pid for holder in gone.values()})
    who = f"process {pids[0]}" if len(pids) == 1 else f"processes {', '.join(map(str, pids))}"
    trials = "1 trial" if len(gone) == 1 else f"{len(gone)} trials"
    return (
        f"note: an earlier run ({who}) was ended from outside in the midst of {trials}; nothing finished was lost, "
        "and this run trains what is missing"
    )


def came_of_it(reports: Sequence[runner.RunReport], path: Path) -> str:
    count = sum(report.trained for report in reports)
    timed = sum(report.timing.timed for report in reports)
    trained = "1 trial" if count == 1 else f"{count} trials"
    pairs = {0: "", 1: " and 1 pair timed"}.get(timed, f" and {timed} pairs timed")
    ended = " before the budget ended" if any(report.ended_by == "budget" for report in reports) else ""
    return f"{trained} trained{pairs}{ended}; everything is kept in {path.absolute()}"


def next_commands(
    reports: Sequence[runner.RunReport], study: Study, *, named: str, sets: Sequence[str], path: Path
) -> str:
    """What came of the run in a line, where it is kept, and what to call next."""
    same = [named, *(word for one in sets for word in ("--set", one))]
    if path != Path(DEFAULT_STORE):
        same += ["--store", str(path)]
    printed = any(arm.published is not None for arm in study.arms.values())
    models = "the models, beside what was printed:" if printed else "the models:"
    commands = {
        models: ("show", *same),
        "the page:": ("report", *same, "--html", "report.html"),
        "more seeds:": ("run", *same, "--budget", "5m"),
    }
    width = max(len(label) for label in commands)
    return "\n".join(
        [
            came_of_it(reports, path),
            *(f"{label:<{width}}  {shlex.join([*program(), *words])}" for label, words in commands.items()),
        ]
    )
