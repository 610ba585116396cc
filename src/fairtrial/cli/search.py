"""`fairtrial search`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from fairtrial.cli.options import (
    AsJson,
    CpusPerTrial,
    ExecutorName,
    GpusPerTrial,
    Sets,
    StorePath,
    StudyName,
    Track,
    Workers,
)


def search(
    study: StudyName,
    only: Annotated[
        list[str] | None,
        typer.Option("--search", metavar="ID", help="Only this search of the study; repeatable."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long it may take in all: 60s, 5m, 1h30m.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Propose at most so many points.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="ARM", help="With --space: the arm to do better than.")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=RANGE",
            help="A search that the study does not declare: what may change, such as "
            "'network.mlp.width={int: [16, 2048], log: true}'; repeatable.",
        ),
    ] = None,
    metric: Annotated[
        Literal["accuracy", "loss"] | None, typer.Option(help="With --space: what to search for.")
    ] = None,
    sampler: Annotated[
        Literal["tpe", "random", "grid"] | None, typer.Option(help="With --space: how to propose.")
    ] = None,
    track: Track = None,
    sets: Sets = None,
    workers: Workers = None,
    executor: ExecutorName = "local",
    cpus_per_trial: CpusPerTrial = None,
    gpus_per_trial: GpusPerTrial = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Find settings that do better than an arm, then judge the best on fresh seeds. Ctrl-C loses nothing."""
    from fairtrial.cli.app import load
    from fairtrial.cli.searching import search_study, with_search
    from fairtrial.executors.choice import Place

    found = load(study, sets)
    if space:
        if baseline is None:
            raise typer.BadParameter("--space needs the arm to do better than: --baseline ARM")
        found, made = with_search(
            found, space, baseline=baseline, metric=metric, sampler=sampler, budget=budget, name=only
        )
        only = [made]
    elif baseline or metric or sampler:
        raise typer.BadParameter(
            "--baseline, --metric and --sampler describe a search of your own: add --space"
        )
    place = Place(name=executor, workers=workers, cpus=cpus_per_trial, gpus=gpus_per_trial)
    search_study(
        found,
        only=only,
        budget=budget,
        most=trials,
        executor=place,
        store=store,
        as_json=as_json,
        track=track or [],
    )
