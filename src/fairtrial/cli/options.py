"""Options that several commands share. Only typer and the standard library here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyName = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="A study file, or the name of a built-in study (fairtrial list)."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change a setting of the study or its base; repeatable."
    ),
]
StorePath = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="FILE",
        envvar="FAIRTRIAL_STORE",
        help="Where outcomes are kept; fairtrial.db in the current folder unless given.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Arms = Annotated[list[str] | None, typer.Option("--arm", metavar="ARM", help="Only this arm; repeatable.")]
Questions = Annotated[
    list[str] | None,
    typer.Option("--question", metavar="ID", help="Only the arms of this question; repeatable."),
]
SeedCount = Annotated[
    int | None, typer.Option("--seeds", min=1, max=999, metavar="N", help="Seeds of each arm.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--workers",
        min=1,
        metavar="N",
        help="Trials at once; one per core unless given, or as many as the cluster has room for.",
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="WHERE",
        help="Where to train: local (this machine), ray (the cluster that RAY_ADDRESS or `ray start` here names) or "
        "ray://HOST:PORT.",
    ),
]
CpusPerTrial = Annotated[
    float | None,
    typer.Option(
        "--cpus-per-trial", metavar="N", help="On a cluster: CPUs kept for each trial; 1 unless given."
    ),
]
GpusPerTrial = Annotated[
    float | None,
    typer.Option(
        "--gpus-per-trial", metavar="N", help="On a cluster: GPUs, or the part of one, kept for each trial."
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="WHERE",
        help="Tell a tracker of every trial: mlflow:URI or tensorboard:DIR; repeatable.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit 1 unless every question is settled and every claim holds.")
]
