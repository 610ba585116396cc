"""Everything that was measured, as one JSON file that grows row by row.

A row is replaced as a whole: what is held against each other in it always comes from one run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.roofline import Ceilings
from benchmarks.rows import Work
from benchmarks.scaling import Measurement

SCHEMA = "fairtrial-benchmarks/1"

Point = dict[str, Any]
"""Figures of one place on a curve of growth, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When, where, with which code; named by its date. Ceilings only where rows were measured."""

    date: str
    command: str
    machine: str
    processor: str
    cores: int
    memory_bytes: int
    load_before: float
    """Load average of the minute before it began: work of others disturbs clocks."""
    versions: Mapping[str, str]
    ceilings: Ceilings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """A row of one run: each contender's rounds, in the order they were run."""

    run: str
    parameters: int
    epochs: int
    precision: str
    """Of our arithmetic; peers compute in float32."""
    work: Work
    rounds: Mapping[str, tuple[Measurement, ...]]
    versions: Mapping[str, Mapping[str, str]]
    """What each peer's program says it runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One part of what it costs as work grows."""

    run: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    runs: Mapping[str, Run] = field(default_factory=dict[str, Run])
    rows: Mapping[str, RowResult] = field(default_factory=dict[str, RowResult])
    growth: Mapping[str, Growth] = field(default_factory=dict[str, Growth])

    def with_row(self, name: str, result: RowResult, *, run: Run) -> Results:
        """These results with the row as `run` found it."""
        return replace(self, runs={**self.runs, run.date: run}, rows={**self.rows, name: result})._in_use()

    def with_growth(self, part: str, growth: Growth, *, run: Run) -> Results:
        """These results with that part as `run` found it."""
        return replace(
            self, runs={**self.runs, run.date: run}, growth={**self.growth, part: growth}
        )._in_use()

    def _in_use(self) -> Results:
        """Without runs of which nothing is left."""
        named = {one.run for one in (*self.rows.values(), *self.growth.values())}
        return replace(self, runs={date: run for date, run in sorted(self.runs.items()) if date in named})


def read(path: Path) -> Results:
    """What the file holds; nothing if there is none. Raises ValueError if it is of another kind."""
    if not path.exists():
        return Results()
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored.get("schema") != SCHEMA:
        raise ValueError(f"{path} does not hold {SCHEMA} but {stored.get('schema')!r}")
    return Results(
        runs={date: _run(run) for date, run in stored["runs"].items()},
        rows={name: _row(row) for name, row in stored["rows"].items()},
        growth={
            part: Growth(run=one["run"], points=tuple(one["points"]))
            for part, one in stored["growth"].items()
        },
    )


def write(results: Results, path: Path) -> None:
    """Appears whole or not at all: hours may be in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    text = json.dumps({"schema": SCHEMA, **asdict(results)}, indent=1, allow_nan=False)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def _run(stored: dict[str, Any]) -> Run:
    ceilings = stored.pop("ceilings")
    return Run(**stored, ceilings=Ceilings(**ceilings) if ceilings else None)


def _row(stored: dict[str, Any]) -> RowResult:
    rounds = {name: tuple(Measurement(**one) for one in some) for name, some in stored.pop("rounds").items()}
    return RowResult(**{**stored, "work": Work(**stored["work"]), "rounds": rounds})
