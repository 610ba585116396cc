"""CSV files as people have them: columns by header, and every mistake with its line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fairtrial.comparison.lines import SHOWN, STDIN, Row, lines_of, listed, text_of
from fairtrial.comparison.values import LARGEST, Runs
from fairtrial.errors import FairtrialError, Mistake
from fairtrial.study.tree import shortened

SEED = "seed"
MOST_GROUPS = 1_000
LARGEST_SEED = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A header and rows of as many cells, stripped of blanks; no conversion yet."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def index(self, column: str) -> int:
        """Where the column is. Raises FairtrialError with those there are."""
        if column not in self.columns:
            raise FairtrialError(
                f"{self.name}:1: no column {shortened(repr(column))}; its columns: {listed(self.columns)}"
            )
        return self.columns.index(column)


def read_table(source: str) -> Table:
    """The table in a CSV file, or on standard input for `-`; separated by commas, semicolons or tabs."""
    name = "standard input" if source == STDIN else source.encode("utf-8", "backslashreplace").decode()
    lines = lines_of(name, text_of(name, source))
    if not lines or not any(lines[0].cells):
        raise FairtrialError(f"{name}:1: empty; the first line names the columns, such as seed,accuracy")
    columns, rows = lines[0].cells, lines[1:]
    _check_header(name, columns)
    if not rows:
        raise FairtrialError(f"{name}: no rows below the header; each row is one run")
    _refuse(
        [
            Mistake(
                where=f"{name}:{row.line}",
                message=f"{len(row.cells)} cells, but the header names {len(columns)} columns",
            )
            for row in rows
            if len(row.cells) != len(columns)
        ]
    )
    return Table(name=name, columns=columns, rows=tuple(rows))


def metric_column(table: Table, wanted: str | None, *, besides: Sequence[str] = ()) -> str:
    """The column to compare: the one wanted, or the only one with numbers besides the seed's and these."""
    if wanted is not None:
        table.index(wanted)
        if wanted in (seed_column(table), *besides):
            raise FairtrialError(
                f"{table.name}: --metric {wanted}: that column says which runs belong together; "
                f"name the one that was measured"
            )
        return wanted
    excluded = {seed_column(table), *besides}
    left = [
        (at, column)
        for at, column in enumerate(table.columns)
        if column not in excluded and not _numbers_rows(column)
    ]
    numeric = [column for at, column in left if _has_number(table, at)]
    # Where all runs failed there is no number, and that is an answer.
    numeric = numeric or [column for at, column in left if _only_failures(table, at)]
    if len(numeric) != 1:
        found = f"more than one ({listed(numeric)}): say which with --metric" if numeric else "none"
        raise FairtrialError(
            f"{table.name}:1: expected one column of numbers besides {SEED}, found {found}"
            + ("" if numeric else f"; its columns: {listed(table.columns)}")
        )
    return numeric[0]


def seed_column(table: Table) -> str | None:
    """The column named `seed`, in whatever case; None where there is none."""
    return next((column for column in table.columns if column.casefold() == SEED), None)


def runs(table: Table, metric: str, *, paired: bool, name: str, rows: Sequence[Row] | None = None) -> Runs:
    """The metric of these rows, with their seeds where they are to be paired.

    Raises FairtrialError with every cell that is not what it should be, and every seed there twice.
    """
    rows = table.rows if rows is None else rows
    at = table.index(metric)
    mistakes: list[Mistake] = []
    values: list[float] = []
    seeds: dict[int, int] = {}
    column = seed_column(table)
    if paired and column is None:
        raise FairtrialError(
            f"{table.name}:1: no column {SEED!r} to pair runs by; its columns: {listed(table.columns)}. "
            f"Add one, or say that the runs have none (--unpaired)"
        )
    for row in rows:
        where = f"{table.name}:{row.line}"
        try:
            values.append(number(row.cells[at]))
            if paired and column is not None:
                seed = whole(row.cells[table.index(column)])
                if seed in seeds:
                    raise ValueError(
                        f"seed {seed} is in line {seeds[seed]} already"
                        + (f" (both {name})" if name != table.name else "")
                        + "; each seed may be there once"
                    )
                seeds[seed] = row.line
        except ValueError as error:
            mistakes.append(Mistake(where=where, message=f"{error}"))
    _refuse(mistakes)
    return Runs(name=name, values=tuple(values), seeds=tuple(seeds) if paired else None)


def groups(table: Table, by: str, metric: str, *, paired: bool) -> dict[str, Runs]:
    """The runs of each value of the column `by`; 0.1 and 0.10 are one, called as it came first."""
    at = table.index(by)
    rows: dict[float | str, list[Row]] = {}
    _refuse(
        [
            Mistake(
                where=f"{table.name}:{row.line}",
                message=f"column {shortened(repr(by))} is empty; say which group",
            )
            for row in table.rows
            if not row.cells[at]
        ]
    )
    for row in table.rows:
        rows.setdefault(same(row.cells[at]), []).append(row)
    if len(rows) > MOST_GROUPS:
        raise FairtrialError(
            f"{table.name}: column {shortened(repr(by))} has {len(rows)} different values, and at most {MOST_GROUPS} groups can be "
            "compared; name the column that tells the groups apart"
        )
    return {
        of[0].cells[at]: runs(table, metric, paired=paired, name=f"{by}={of[0].cells[at]}", rows=of)
        for of in rows.values()
    }


def same(cell: str) -> float | str:
    """What tells groups apart: the number where it is one, else the text."""
    value = _parsed(cell)
    return cell if value is None or math.isnan(value) else value


def number(cell: str) -> float:
    """The cell's number; NaN for nan and for anything infinite, which a run that diverged gives.

    Raises ValueError, saying what to write instead.
    """
    if not cell:
        raise ValueError("a value is missing; write nan for a run that failed, or leave the row out of both")
    value = _parsed(cell)
    if value is None:
        raise ValueError(
            f"{cell[:40]!r} is not a number; write it as 0.97 or 9.7e-1, or nan for a failed run"
        )
    # Python makes inf of what is written as a number and has too many digits: nothing diverged there.
    if abs(value) > LARGEST and (math.isfinite(value) or any(map(str.isdigit, cell))):
        raise ValueError(
            f"{cell[:40]!r} is beyond {LARGEST:g}, which cannot be compared; choose another unit"
        )
    return value if math.isfinite(value) else math.nan


def whole(cell: str) -> int:
    """The cell's seed; `3.0` is one, as some programs write it. Raises ValueError."""
    try:
        seed = int(cell if "_" not in cell else "")
    except ValueError:
        value = _parsed(cell)
        if value is None or not value.is_integer() or abs(value) >= 2**53:
            given = f"got {cell[:40]!r}" if cell else "it is missing"
            raise ValueError(f"a seed is a whole number, {given}") from None
        seed = int(value)
    if abs(seed) >= LARGEST_SEED:
        raise ValueError(f"a seed is a whole number below 2^63, got {cell[:40]!r}")
    return seed


def _parsed(cell: str) -> float | None:
    try:
        # Python reads 1_000 as a number; other programs do not.
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def _has_number(table: Table, at: int) -> bool:
    return any((value := _parsed(row.cells[at])) is not None and not math.isnan(value) for row in table.rows)


def _only_failures(table: Table, at: int) -> bool:
    return all((value := _parsed(row.cells[at])) is not None and math.isnan(value) for row in table.rows)


def _numbers_rows(column: str) -> bool:
    """Whether this is the column without a name into which pandas writes the number of each row."""
    return not column or column.startswith("Unnamed: ")


def _check_header(name: str, columns: tuple[str, ...]) -> None:
    if all(_parsed(column) is not None for column in columns):
        raise FairtrialError(
            f"{name}:1: numbers only; the first line names the columns, such as seed,accuracy"
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise FairtrialError(
            f"{name}:1: column {shortened(repr(min(twice)))} is there twice; each needs a name of its own"
        )


def _refuse(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        more = [f"and {len(mistakes) - SHOWN} more like these"] if len(mistakes) > SHOWN else []
        raise FairtrialError("\n".join([*map(str, mistakes[:SHOWN]), *more]))
