"""What fairtrial costs as work grows: `benchmarks/growth`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import results
from benchmarks.commands import add_output, at_least_one, command, say
from benchmarks.growing import overhead, stores, workers
from benchmarks.machine import this_run
from benchmarks.results import Growth, Point

PARTS = ("overhead", "store", "memory", "throughput", "twelve")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/growth", description=__doc__)
    add = parser.add_argument
    add("--part", action="append", choices=PARTS, help="measure this part only (repeatable)")
    add("--trials", action="append", type=at_least_one, help="sizes of stores (1000, 10000, 100000)")
    add_output(parser)
    asked = parser.parse_args()
    parts: dict[str, Callable[[], Iterator[Point]]] = {
        "overhead": overhead.points,
        "store": partial(stores.points, asked.trials or stores.SIZES),
        "memory": workers.memory,
        "throughput": workers.throughput,
        "twelve": workers.twelve,
    }
    run = this_run(command("benchmarks/growth", sys.argv[1:]), ceilings=None)
    for part in asked.part or PARTS:
        say(f"{part}:")
        points: list[Point] = []
        for point in parts[part]():
            say("  " + ", ".join(f"{name} {value}" for name, value in point.items()))
            points.append(point)
        stored = results.read(asked.output)
        grown = stored.with_growth(part, Growth(run=run.date, points=tuple(points)), run=run)
        results.write(grown, asked.output)
    say(f"written to {asked.output}; benchmarks/render makes the page of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
