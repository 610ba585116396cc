"""What was measured and simulated for docs/scale.md, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.cluster.costs import Measured
from benchmarks.cluster.simulation import Driver
from benchmarks.page import machines, number, table
from benchmarks.results import Point, Run
from fairtrial.durations import duration

STOPS = 1.1
"""Twice the workers should be worth at least so much: below it a study has stopped scaling."""

SHOWN = (1, 2, 10, 100, 1_000, 10_000)
TITLES = {"instant": "none: ended at once, in the same process", "local": "this machine's", "ray": "Ray"}


def overhead_block(points: Sequence[Point], calls: Sequence[Point], run: Run) -> list[str]:
    by = {point["executor"]: point for point in points}
    more = by["ray"]["overhead_milliseconds"] - by["local"]["overhead_milliseconds"]
    return [
        "",
        *machines([run]),
        "",
        *table(
            ["workers of", "workers", "trials", "wall, s", "training and evaluation, s", "overhead per trial, ms", "start, s"],
            [
                [
                    TITLES[point["executor"]],
                    *(
                        number(point[name])
                        for name in (
                            "workers", "trials", "wall_seconds", "training_seconds", "overhead_milliseconds", "start_seconds",
                        )
                    ),
                ]
                for point in points
            ],
        ),
        "",
        f"A trial on Ray takes {number(more)} ms more of its worker's time than on this machine's own workers.",
        "",
        *table(
            ["empty call that brings back 80 kB", "one after the other, ms", "all at once, ms each"],
            [
                [point["call"], number(point["one_by_one_milliseconds"]), number(point["together_milliseconds"])]
                for point in calls
            ],
        ),
        "",
    ]  # fmt: skip


def disturbed_block(points: Sequence[Point], run: Run) -> list[str]:
    return [
        "",
        *machines([run]),
        "",
        *table(
            [
                "study", "nodes", "trials", "a node killed after", "the driver killed after", "lost with the node, trained again",
                "nodes that trained", "trials equal to the bit", "this machine alone, s", "cluster, s",
            ],
            [
                [
                    point["study"],
                    str(point["nodes"]),
                    str(point["trials"]),
                    f"{point['node_killed_after']} trials",
                    f"{point['driver_killed_after']} trials",
                    str(point["lost_with_node"]),
                    str(point["trained_on"]),
                    f"{point['equal_trials']} of {point['trials']}",
                    number(point["alone_seconds"]),
                    number(point["there_seconds"]),
                ]
                for point in points
            ],
        ),
        "",
    ]  # fmt: skip


def driver_block(points: Sequence[Point], run: Run) -> list[str]:
    return [
        "",
        *machines([run]),
        "",
        *table(
            ["workers of", "workers", "trials", "trials a second", "ms a trial"],
            [
                [
                    TITLES[point["executor"]],
                    *(
                        number(point[name])
                        for name in ("workers", "trials", "trials_a_second", "milliseconds_a_trial")
                    ),
                ]
                for point in points
            ],
        ),
        "",
    ]


def simulation_block(
    swept: Sequence[Point],
    measured: Measured,
    recorded: Point,
    driver: Driver,
    runs: Sequence[Run],
    *,
    picture: str,
) -> list[str]:
    """Costs first, then the picture, then a table for each size of study, and where it stops."""
    lines = [
        "",
        *machines(runs),
        f"- Costs of {len(measured.seconds)} arms of `{measured.study}` from {measured.trials} trials: "
        f"{min(measured.seconds):.1f} s to {max(measured.seconds):.0f} s a trial, standard deviation of the logarithm within an arm "
        f"{measured.spread:.2f}; {len(measured.questions)} questions on accuracy, {measured.least} to {measured.horizon} seeds.",
        f"- By the earlier of these runs the store takes {number(recorded['record_milliseconds'])} ms to claim and record a trial, "
        f"{number(1000 / recorded['record_milliseconds'])} a second at most; reading the answers anew after a trial beyond the least number of seeds "
        f"takes {1000 * driver.read:.1f} ms for each question of the study.",
        "",
        f"![How many times as fast studies get with more workers]({picture})",
        "",
    ]
    for size in sorted({point["copies"] for point in swept}):
        some = [point for point in swept if point["copies"] == size]
        lines += [f"### {_called(int(size))}", "", *_table(some), "", *_stops(some), ""]
    return lines


def _called(size: int) -> str:
    return "The course" if size == 1 else f"{size} times the course"


def _table(swept: Sequence[Point]) -> Iterator[str]:
    depths = sorted({point["ahead"] for point in swept})
    head = [
        "workers",
        *(f"{int(depth)} ahead: wall" for depth in depths),
        *(f"{int(depth)}: faster" for depth in depths),
    ]
    head += [f"{int(depth)}: not needed" for depth in depths if depth]
    body: list[list[str]] = []
    for workers in SHOWN:
        row = [_at(swept, workers, depth) for depth in depths]
        body.append(
            [
                f"{workers:,}",
                *(duration(one["wall_seconds"]) for one in row),
                *(f"{number(one['speedup'])}×" for one in row),
                *(f"{100 * one['unneeded'] / one['trials']:.0f} %" for one in row if one["ahead"]),
            ]
        )
    yield from table(head, body)


def _at(swept: Sequence[Point], workers: float, depth: float, *, driver: float = 1.0) -> Point:
    return next(
        one for one in swept if (one["workers"], one["ahead"], one["driver"]) == (workers, depth, driver)
    )


def _stops(swept: Sequence[Point]) -> Iterator[str]:
    """Where twice the workers are worth little, by depth; and whether the driver is what holds it up."""
    counts = sorted({point["workers"] for point in swept})
    for depth in sorted({point["ahead"] for point in swept}):
        at = stops_at(swept, depth)
        last = _at(swept, counts[-1], depth)
        free = _at(swept, counts[-1], depth, driver=0.0)
        busiest = max(_at(swept, count, depth)["trials_a_second"] for count in counts)
        where = f"stops scaling at {at:,.0f} workers" if at else f"still scales at {counts[-1]:,.0f} workers"
        yield (
            f"- {int(depth)} ahead: {where}; {number(last['speedup'])} times as fast at most, "
            f"{number(free['speedup'])} with a driver that costs nothing; up to {number(busiest)} trials recorded a second."
        )


def stops_at(swept: Sequence[Point], depth: float) -> float | None:
    """The fewest workers of which twice as many are less than STOPS times as fast; None if there are none."""
    by = {one["workers"]: one["speedup"] for one in swept if one["ahead"] == depth and one["driver"] == 1.0}
    return next(
        (count for count in sorted(by) if 2 * count in by and by[2 * count] < STOPS * by[count]), None
    )
