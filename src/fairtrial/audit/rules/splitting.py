"""Validation rows that come back as training rows: splits that are drawn anew."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.audit.finding import Finding
from fairtrial.audit.program import Program
from fairtrial.audit.tracing.events import Cut, Divided, Drawn, Log, Training

MATTERS = "The model is trained on its validation rows, so that validation looks better than it is and no setting can be chosen by it."


def reshuffled(program: Program, log: Log) -> Iterator[Finding]:
    yield from _buffers(program, log)
    yield from _loops(program, log)


def _buffers(program: Program, log: Log) -> Iterator[Finding]:
    """`shuffle` of tf.data before `take` and `skip`."""
    cuts = [event for event in log.events if isinstance(event, Cut)]
    drawn = [event for event in log.events if isinstance(event, Drawn)]
    reported: set[int] = set()
    for taken in cuts:
        for left in cuts:
            if taken.how == "skip" or taken.parent != left.parent or taken.piece == left.piece:
                continue
            if left.how != ("shard" if taken.how == "shard" else "skip"):
                continue
            early = any(taken.piece in event.rows for event in drawn)
            loose = {
                shuffle.line
                for shuffle in taken.shuffles
                if not shuffle.fixed and (not shuffle.cached or early)
            }
            if not loose or not any(not shuffle.fixed for shuffle in left.shuffles):
                continue
            for line in sorted(loose - reported):
                reported.add(line)
                yield _buffer(
                    program,
                    line,
                    taken.how,
                    early=not any(not shuffle.cached and shuffle.line == line for shuffle in taken.shuffles),
                )


def _buffer(program: Program, line: int, how: str, *, early: bool) -> Finding:
    cutting = "shard" if how == "shard" else "take and skip"
    cached = (
        " (the cache after it was not read to its end when the validation batch was drawn)" if early else ""
    )
    return Finding(
        "reshuffled-split",
        program.place(line),
        program.said(line),
        f"The data set draws a new order each time it is gone through{cached}, and {cutting} divide it after that:"
        " each epoch trains on other rows, the validation rows among them.",
        MATTERS,
        "Write shuffle(..., reshuffle_each_iteration=False), or divide first and shuffle only the training rows.",
        "likely" if early else "certain",
        serious=True,
    )


def _loops(program: Program, log: Log) -> Iterator[Finding]:
    """Rows divided inside the loop over epochs."""
    trainings = [event for event in log.events if isinstance(event, Training)]
    for event in log.events:
        if not isinstance(event, Divided) or event.fixed:
            continue
        for loop in event.loops:
            inside = [each for each in trainings if loop in each.loops]
            again = [each for each in inside if loop in each.created]
            # A model made anew in each round is another experiment, and may have a split of its own.
            if inside and not again and log.loops[loop].over != "data":
                yield _loop(program, event.line)
                break
    yield from _orders(program, log, trainings)


def _orders(program: Program, log: Log, trainings: list[Training]) -> Iterator[Finding]:
    """Head and tail of a random order that each epoch draws anew."""
    sides: dict[int, set[str]] = {}
    for rows in log.rows.values():
        if rows.drawn_from and rows.side:
            sides.setdefault(rows.drawn_from, set()).add(rows.side)
    for event in log.orders:
        if not {"head", "tail"} <= sides.get(event.order, set()):
            continue
        for loop in event.loops:
            inside = [each for each in trainings if loop in each.loops]
            if inside and not any(loop in each.created for each in inside) and not event.fixed:
                yield _loop(program, event.line)
                break


def _loop(program: Program, line: int) -> Finding:
    return Finding(
        "reshuffled-split",
        program.place(line),
        program.said(line),
        "The rows are divided anew in each round of the loop while the same model goes on learning: what is"
        " validated on now was trained on before.",
        MATTERS,
        "Divide once, before the loop.",
        "certain",
        serious=True,
    )
