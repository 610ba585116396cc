"""`fairtrial compare`: its options. Like app.py, only typer and the standard library until it is called."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def compare(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="A.csv [B.csv]",
            help="Runs as CSV, one per row: A is the variant, B the baseline; or one file with --by. - is standard input.",
        ),
    ],
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="One file: the column that tells its groups apart.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="VALUE", help="With --by: the group all others are compared with.")
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--variant", metavar="VALUE", help="With --by: only this group; repeatable."),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="What was measured; the only column of numbers unless given."),
    ] = None,
    margin: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="The smallest difference that matters: 0.1pp, 2% or a number; 0.001 unless given.",
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of all comparisons together.")] = 0.95,
    horizon: Annotated[
        int, typer.Option(metavar="N", help="Judge as one of looks after every seed up to N.")
    ] = 50,
    planned: Annotated[
        int | None,
        typer.Option(metavar="N", help="N seeds were fixed beforehand: one look, plain t interval."),
    ] = None,
    unpaired: Annotated[bool, typer.Option("--unpaired", help="The runs share no seeds.")] = False,
    goal: Annotated[
        Literal["change", "not_worse"], typer.Option(help="Ask for any change, or whether it is not worse.")
    ] = "change",
    better: Annotated[
        Literal["higher", "lower"], typer.Option(help="Which way is good; for --goal not_worse.")
    ] = "higher",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare numbers from anywhere: A.csv (the variant) with B.csv (the baseline), paired by seed."""
    from fairtrial.cli.comparing import compare_files, compare_groups, print_comparisons
    from fairtrial.comparison.judging import rules_from

    rules = rules_from(
        margin=margin,
        confidence=confidence,
        horizon=horizon,
        planned=planned,
        unpaired=unpaired,
        goal=goal,
        better=better,
    )
    if by is None:
        if len(files) != 2:
            raise typer.BadParameter("give two files, A.csv B.csv, or one with --by COLUMN --baseline VALUE")
        if baseline is not None or variants:
            raise typer.BadParameter(
                "--baseline and --variant go with --by; of two files the second is the baseline"
            )
        found = (compare_files(files[0], files[1], metric=metric, rules=rules),)
    else:
        if len(files) != 1:
            raise typer.BadParameter("--by divides one file; give one")
        found = compare_groups(
            files[0], by=by, baseline=baseline, variants=variants or [], metric=metric, rules=rules
        )
    print_comparisons(found, by=by, as_json=as_json)
