"""`fairtrial compare`: files to groups of runs, groups to comparisons, comparisons to the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from fairtrial.cli.console import emit_json, stdout
from fairtrial.comparison import Comparison
from fairtrial.comparison.judging import Rules, judged
from fairtrial.comparison.lines import STDIN, listed
from fairtrial.comparison.table import groups, metric_column, read_table, runs, same, seed_column
from fairtrial.errors import FairtrialError
from fairtrial.study.tree import shortened


def compare_files(variant: str, baseline: str, *, metric: str | None, rules: Rules) -> Comparison:
    """The first file's runs against the second's, the baseline."""
    if variant == baseline == STDIN:
        raise FairtrialError("standard input (-) can be one of the two files, not both")
    tables = [read_table(source) for source in (variant, baseline)]
    columns = [metric_column(table, metric) for table in tables]
    if columns[0] != columns[1]:
        raise FairtrialError(
            f"{tables[0].name} has {shortened(repr(columns[0]))} and {tables[1].name} has {shortened(repr(columns[1]))}: "
            f"both need the same column; rename one"
        )
    names = [Path(table.name).name for table in tables]
    if names[0] == names[1]:
        names = [table.name for table in tables]
    both = [
        runs(table, columns[0], paired=not rules.unpaired, name=name)
        for table, name in zip(tables, names, strict=True)
    ]
    return judged(*both, metric=columns[0], rules=rules)


def compare_groups(
    source: str, *, by: str, baseline: str | None, variants: Sequence[str], metric: str | None, rules: Rules
) -> tuple[Comparison, ...]:
    """The groups of one file that a column tells apart, each held against the baseline.

    The allowed error is shared equally by the comparisons made.
    """
    table = read_table(source)
    table.index(by)
    if by == seed_column(table):
        raise FairtrialError(
            f"--by {by}: seeds pair the runs of groups; name the column that tells groups apart"
        )
    column = metric_column(table, metric, besides=(by,))
    found = groups(table, by, column, paired=not rules.unpaired)
    known = {same(label): label for label in found}

    def chosen(given: str, option: str) -> str:
        if same(given.strip()) not in known:
            raise FairtrialError(f"{option} {given}: column {by!r} of {table.name} has: {listed(found)}")
        return known[same(given.strip())]

    if baseline is None:
        raise FairtrialError(f"say what to compare with: --baseline, one of: {listed(found)}")
    against = chosen(baseline, "--baseline")
    named = list(dict.fromkeys(chosen(given, "--variant") for given in variants))
    if against in named:
        raise FairtrialError(f"--variant {against} is the baseline; name another of: {listed(found)}")
    wanted = named or [label for label in found if label != against]
    if not wanted:
        raise FairtrialError(f"column {by!r} of {table.name} has {against} alone: nothing to compare it with")
    shared = replace(rules, comparisons=len(wanted))
    return tuple(judged(found[label], found[against], metric=column, rules=shared) for label in wanted)


def print_comparisons(found: Sequence[Comparison], *, by: str | None, as_json: bool) -> None:
    """Two files: one comparison. With `--by`: a list of them."""
    if as_json:
        emit_json(found[0].as_dict() if by is None else _listing(found, by))
        return
    console = stdout()
    for one in found:
        console.print(Text(f"{one.variant} (variant) against {one.baseline} (baseline)", style="bold"))
        console.print(Padding(Text(one.sentence), (0, 0, 0, 2), expand=False))
        console.print(Padding(Text(one.method, style="dim"), (0, 0, 0, 2), expand=False))
        for caveat in one.caveats:
            console.print(Padding(Text(f"caveat: {caveat}", style="yellow"), (0, 0, 0, 2), expand=False))
    if len(found) > 1:
        console.print(
            Text(
                f"The error of {100 * (1 - found[0].confidence):.6g} % is shared equally by {len(found)} comparisons "
                f"(Bonferroni): all sentences together are true with {100 * found[0].confidence:.6g} % confidence."
            )
        )


def _listing(found: Sequence[Comparison], by: str) -> dict[str, Any]:
    return {
        "by": by,
        "metric": found[0].metric,
        "baseline": found[0].baseline,
        "confidence": found[0].confidence,
        "comparisons": [one.as_dict() for one in found],
    }
