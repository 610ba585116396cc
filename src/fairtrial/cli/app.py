"""The commands: each parses, calls one function and renders. Only typer and the standard library here."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import fairtrial
from fairtrial.cli import writing
from fairtrial.cli.ask import ask
from fairtrial.cli.audit import audit
from fairtrial.cli.compare import compare
from fairtrial.cli.data import data
from fairtrial.cli.export import export
from fairtrial.cli.group import Commands, never_fail_to_encode, program
from fairtrial.cli.importing import importing
from fairtrial.cli.options import (
    Arms,
    AsJson,
    CpusPerTrial,
    ExecutorName,
    GpusPerTrial,
    Questions,
    SeedCount,
    Sets,
    StorePath,
    Strict,
    StudyName,
    Track,
    Workers,
)
from fairtrial.cli.predict import predict
from fairtrial.cli.search import search
from fairtrial.cli.upkeep import doctor, merge, rerun

if TYPE_CHECKING:
    from fairtrial.study.schema import Study

MORE = "More"

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

WELCOME = """\
fairtrial: what does changing this hyperparameter do?

Ask:          fairtrial ask network.mlp.width 50 200    an answer in about a minute, without a file
Try it:       fairtrial run width --budget 60s          three widths on MNIST, and what the width does
Your own:     fairtrial init                            writes a study.yaml to start from
Built in:     fairtrial list                            the studies that are ready to run
Everything:   fairtrial --help
"""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fairtrial {fairtrial.__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What does changing this hyperparameter do? Trains every arm over as many seeds as the answer needs."""
    if ctx.invoked_subcommand is None:
        typer.echo(WELCOME, nl=False)


def load(source: str, sets: list[str] | None) -> Study:
    from fairtrial.study import studyfile

    return studyfile.load(source, sets=tuple(sets or ()))


# Commands are listed in the order in which they are made: what one starts with comes first.
app.command()(ask)


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where; the current folder unless given.")
    ] = Path(),
) -> None:
    """Write a commented study.yaml to start from. Never overwrites one."""
    from fairtrial.cli.starter import write_starter

    written = write_starter(folder)
    typer.echo(f"wrote {written}")
    call = [*program(), "check", str(written)]
    typer.echo(f"next: {shlex.join(call)}")
    call = [*program(), "run", str(written), "--budget", "60s"]
    typer.echo(f"then: {shlex.join(call)}")


@app.command()
def check(
    study: StudyName,
    sets: Sets = None,
    store: StorePath = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Find mistakes, confounds and leaks; say what training would cost. Trains nothing."""
    from fairtrial.cli.checking import check_study, print_check

    print_check(check_study(load(study, sets), store=store, workers=workers), as_json=as_json)


@app.command()
def run(
    study: StudyName,
    arms: Arms = None,
    questions: Questions = None,
    seeds: SeedCount = None,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Train for about this long: 60s, 5m, 1h30m.")
    ] = None,
    workers: Workers = None,
    weights: Annotated[
        Literal["first", "all", "none"],
        typer.Option(help="Keep final weights of the first three seeds of each arm, of all, or of none."),
    ] = "first",
    sharpen: Annotated[
        bool,
        typer.Option(
            "--sharpen", help="Go on where a settled question may still say more: a size, or a direction."
        ),
    ] = False,
    executor: ExecutorName = "local",
    cpus_per_trial: CpusPerTrial = None,
    gpus_per_trial: GpusPerTrial = None,
    track: Track = None,
    sets: Sets = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Train what is missing, then print the answers. Ctrl-C loses nothing that has finished."""
    from fairtrial.cli.running import run_study
    from fairtrial.executors.choice import Place

    if seeds is not None and budget is not None:
        raise typer.BadParameter("give --seeds or --budget, not both: each says when to stop")
    if seeds is not None and sharpen:
        raise typer.BadParameter("--seeds trains just so many, whatever they say; leave out --sharpen")
    run_study(
        load(study, sets),
        named=study,
        sets=sets or [],
        store=store,
        arms=arms,
        questions=questions,
        seeds=seeds,
        budget=budget,
        executor=Place(name=executor, workers=workers, cpus=cpus_per_trial, gpus=gpus_per_trial),
        weights=weights,
        sharpen=sharpen,
        track=track or [],
        as_json=as_json,
    )


app.command()(search)


@app.command()
def report(
    study: StudyName,
    html: writing.Html = None,
    notebook: writing.Notebook = None,
    markdown: writing.Markdown = None,
    latex: writing.Latex = None,
    figures: writing.Figures = None,
    csv: writing.Csv = None,
    json: writing.Json = None,
    sets: Sets = None,
    store: StorePath = None,
) -> None:
    """Write what has been trained so far as a page, a notebook, Markdown, LaTeX, figures or data. Trains nothing."""
    wanted = {
        "html": html,
        "notebook": notebook,
        "markdown": markdown,
        "latex": latex,
        "figures": figures,
        "csv": csv,
        "json": json,
    }
    writing.write_reports(load(study, sets), store=store, wanted=wanted)


@app.command("list", rich_help_panel=MORE)
def list_studies(as_json: AsJson = False) -> None:
    """The built-in studies: names, titles, arms and questions."""
    from fairtrial.cli.listing import print_builtins

    print_builtins(as_json=as_json)


@app.command(rich_help_panel=MORE)
def status(
    study: StudyName,
    seeds: SeedCount = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Go through all stored looks again; exit 2 if a verdict comes out otherwise."
        ),
    ] = False,
    workers: Workers = None,
    sets: Sets = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """What is done, running, failed and missing, and the time left."""
    from fairtrial.cli.status import print_status

    sound = print_status(
        load(study, sets), store=store, seeds=seeds, workers=workers, replay=replay, as_json=as_json
    )
    if not sound:
        raise typer.Exit(2)


@app.command(rich_help_panel=MORE)
def show(
    study: StudyName,
    arm: Annotated[str | None, typer.Argument(metavar="[ARM]", help="Only this arm.")] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Print the equivalent Keras program of each arm.")
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print everything as Markdown.")] = False,
    sets: Sets = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Layer table, hyperparameters, accuracies and losses, training time: every model as a notebook shows it."""
    from fairtrial.cli.showing import print_show

    form = [name for name, wanted in (("code", code), ("markdown", as_markdown), ("json", as_json)) if wanted]
    if len(form) > 1:
        raise typer.BadParameter(f"give one of --{' and --'.join(form)}")
    print_show(load(study, sets), arm=arm, form=form[0] if form else "terminal", store=store)


@app.command(rich_help_panel=MORE)
def answers(
    study: StudyName,
    sets: Sets = None,
    store: StorePath = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one line of CSV per answer.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print them as Markdown.")] = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """The answers to what has been trained so far, again. Trains nothing."""
    from fairtrial.cli.answering import Form, all_hold, print_answers, read_answers

    forms: dict[Form, bool] = {"csv": as_csv, "markdown": as_markdown, "json": as_json}
    form: list[Form] = [name for name, wanted in forms.items() if wanted]
    if len(form) > 1:
        raise typer.BadParameter(f"give one of --{' and --'.join(form)}")
    chosen: Form = form[0] if form else "terminal"
    found = read_answers(load(study, sets), store=store, form=chosen)
    print_answers(found, form=chosen)
    if strict and not all_hold(found):
        raise typer.Exit(1)


for _command in (export, predict, compare, audit, rerun, merge, doctor):
    app.command(rich_help_panel=MORE)(_command)
app.add_typer(data, name="data", rich_help_panel=MORE)
app.add_typer(importing, name="import", rich_help_panel=MORE)


def main() -> None:
    """The entry point of `fairtrial` and `python -m fairtrial`."""
    never_fail_to_encode()
    app(prog_name="fairtrial" if not sys.argv[0].endswith("__main__.py") else "python -m fairtrial")
