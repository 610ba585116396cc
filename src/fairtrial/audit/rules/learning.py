"""Scalers, selectors and means that learnt from rows they are later judged on."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.audit.finding import Finding
from fairtrial.audit.program import Program
from fairtrial.audit.tracing.events import Carried, CrossValidated, Judged, Log, Training
from fairtrial.audit.tracing.values import Lesson

HELD_OUT = ("test", "validation", "held out")


def fitted_before_split(program: Program, log: Log) -> Iterator[Finding]:
    reported: set[object] = set()
    for lesson, sure in sorted(_leaks(log), key=lambda leak: leak[0].line):
        # Mean and deviation of the same rows are one mistake.
        same = lesson.rows if lesson.learner.startswith("the ") else lesson.line
        if same not in reported:
            reported.add(same)
            yield _finding(program, lesson, certain=sure)


def _leaks(log: Log) -> Iterator[tuple[Lesson, bool]]:
    for event in log.events:
        if isinstance(event, Carried):
            for row in event.rows:
                above = log.rows[row].within
                if (
                    log.part(row) in HELD_OUT
                    and event.lesson.rows & above
                    and _counts(log, event.lesson, row)
                ):
                    yield event.lesson, True
        elif isinstance(event, CrossValidated):
            yield from ((each, True) for each in event.lessons if _whole(log, each) or each.labels)
        elif isinstance(event, Training) and event.inner_split:
            learnt = [
                each.lesson
                for each in log.events
                if isinstance(each, Carried) and each.rows & event.rows and each.lesson.rows & event.rows
            ]
            yield from ((each, False) for each in learnt if _whole(log, each) or each.labels)
    for lesson in log.adapted:
        for row, rows in log.rows.items():
            if rows.within & lesson.rows and log.part(row) in HELD_OUT and _counts(log, lesson, row):
                yield lesson, True


def _whole(log: Log, lesson: Lesson) -> bool:
    """Whether it learnt from rows that no test set had been kept apart from."""
    return any(log.part(row) not in ("train", "test", "piece") for row in lesson.rows)


def _counts(log: Log, lesson: Lesson, row: int) -> bool:
    """A scaler that has seen the validation rows of a training set does no harm that matters; the test set is apart."""
    if lesson.labels or _whole(log, lesson):
        return True
    if log.part(row) == "validation":
        return False
    elsewhere = [
        other
        for event in log.events
        if isinstance(event, Judged)
        for other in event.rows
        if log.part(other) == "test" and not log.nested(row, other)
    ]
    return not elsewhere and not any(
        each.official and each.part == "test" and not log.nested(row, ident)
        for ident, each in log.rows.items()
    )


def _finding(program: Program, lesson: Lesson, *, certain: bool) -> Finding:
    labels = (
        " It uses the targets, or makes new rows out of old ones, which alone can make noise look like success."
        if lesson.labels
        else ""
    )
    learner = lesson.learner if lesson.learner.startswith("the ") else f"{lesson.learner or 'It'}"
    return Finding(
        "fit-before-split",
        program.place(lesson.line),
        program.said(lesson.line),
        f"{learner[:1].upper()}{learner[1:]} is computed from all rows before they are divided, the held-out ones"
        f" among them.{labels}",
        "What is learnt from the held-out rows flows into training, so their score no longer tells how new data will do.",
        "Divide first; fit on the training rows and only transform the others, or put it into a Pipeline.",
        "certain" if certain else "likely",
        serious=lesson.labels,
    )
