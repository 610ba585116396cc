"""What was measured as work grows, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from benchmarks.page import NOTHING, machines, number, table
from benchmarks.results import Point, Results

Column = tuple[str, Callable[[Point], float | str]]


def growth_block(results: Results) -> list[str]:
    """A table for each part that was measured, and how its costs grow."""
    if not results.growth:
        return [NOTHING]
    lines = ["", *machines([results.runs[date] for date in sorted({g.run for g in results.growth.values()})])]
    for part, (title, about, columns) in PARTS.items():
        if part not in results.growth:
            continue
        points = results.growth[part].points
        body = [[_text(read(point)) for _, read in columns] for point in points]
        lines += ["", f"### {title}", "", about, "", *table([head for head, _ in columns], body)]
        lines += list(FURTHER[part](points)) if part in FURTHER else []
    return [*lines, ""]


def grows(points: Sequence[Point], name: str) -> float:
    """The steepest exponent of growth in the number of trials between neighbouring sizes: 1 is linear.

    >>> round(grows([{"trials": 10, "s": 1.0}, {"trials": 100, "s": 10.0}, {"trials": 1000, "s": 200.0}], "s"), 2)
    1.3
    """
    return max(
        math.log(after[name] / before[name]) / math.log(after["trials"] / before["trials"])
        for before, after in pairwise(points)
    )


def _store_growth(points: Sequence[Point]) -> Iterator[str]:
    if len(points) > 1:
        named = {
            "store": "store_bytes",
            "answers": "answers_seconds",
            "verdicts alone": "verdicts_seconds",
            "resuming": "resume_seconds",
        }
        told = ", ".join(f"{title} {grows(points, name):.2f}" for title, name in named.items())
        yield ""
        yield f"Steepest growth as a power of the number of trials (1 is linear): {told}."


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)


def _column(head: str, name: str, scale: float = 1.0) -> Column:
    return head, lambda point: point[name] if isinstance(point[name], str) else point[name] * scale


PARTS: dict[str, tuple[str, str, tuple[Column, ...]]] = {
    "overhead": (
        "Overhead of a trial",
        "One-epoch trials of the smallest model on 1 000 images, run, stored and judged after every seed. The overhead is the time "
        "of the workers that was not training or evaluation; the start of the workers comes once in a run.",
        (
            _column("workers", "workers"),
            _column("trials", "trials"),
            _column("wall, s", "wall_seconds"),
            _column("training and evaluation, s", "training_seconds"),
            _column("overhead per trial, ms", "overhead_milliseconds"),
            _column("start of the workers, s", "start_seconds"),
        ),
    ),
    "store": (
        "Stores",
        "Made-up trials of the size of real ones, each recorded as a run records it, 100 seeds for each arm. Answers are those of "
        "the study that all trials belong to, of its verdicts alone (what a run asks for after a seed), and of two of its arms.",
        (
            _column("trials", "trials"),
            _column("arms", "arms"),
            _column("store, MB", "store_bytes", 1e-6),
            _column("recording one, ms", "record_milliseconds"),
            _column("answers, s", "answers_seconds"),
            _column("verdicts alone, s", "verdicts_seconds"),
            _column("two arms, s", "answers_of_two_arms_seconds"),
            _column("resuming, s", "resume_seconds"),
        ),
    ),
    "memory": (
        "Memory of a worker",
        "The largest resident set of a fresh worker after training the row on two batches, or 1 000 images if that is more. Its "
        "share of code and mapped images is common to all workers.",
        (_column("row", "row"), _column("MB", "peak_bytes", 1e-6)),
    ),
    "throughput": (
        "Workers",
        "One epoch of 10 000 images, two trials for each worker, workers warm.",
        (
            _column("row", "row"),
            _column("workers", "workers"),
            _column("trials a minute", "trials_a_minute"),
        ),
    ),
    "twelve": (
        "The notebook's twelve MLPs",
        "One trial of each, nothing started before, beside the seconds that the notebook prints for the same on its GPU.",
        (
            _column("models", "arms"),
            _column("workers", "workers"),
            _column("wall, s", "wall_seconds"),
            _column("the notebook's GPU, s", "published_seconds"),
        ),
    ),
}

FURTHER: dict[str, Callable[[Sequence[Point]], Iterator[str]]] = {"store": _store_growth}
