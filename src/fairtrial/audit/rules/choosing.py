"""Choices by the test set, and the best epoch given as the result."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.audit.finding import Finding
from fairtrial.audit.program import Program
from fairtrial.audit.tracing.events import Chosen, Judged, Log, Reported, Training

TEST_MATTERS = (
    "A score that took part in a choice is no test any more: it is too good by what was gained in choosing."
)


def chosen_on_test(program: Program, log: Log) -> Iterator[Finding]:
    tests = _tests(log)
    for event in log.events:
        if isinstance(event, Training):
            yield from _validated(program, log, event, tests)
            yield from _searched(program, log, event, tests)
        elif isinstance(event, Chosen):
            yield from _chosen(program, log, event, tests)


def _validated(program: Program, log: Log, event: Training, tests: set[int]) -> Iterator[Finding]:
    """Test rows handed over as validation data."""
    rows = sorted(event.validation & tests)
    if not rows:
        return
    official = any(log.rows[row].official for row in rows)
    trainings = [each for each in log.events if isinstance(each, Training)]
    several = any(each.model != event.model for each in trainings) or any(
        loop in event.created for loop in event.loops
    )
    selected = (
        f" {event.selects[:1].upper()}{event.selects[1:]} takes its decisions by it."
        if event.selects
        else " Several models are compared by what it shows."
        if several
        else " No line here decides by it, but whoever looks at the curves does."
    )
    yield Finding(
        "test-as-validation",
        program.place(event.validation_line),
        program.said(event.validation_line),
        f"The test set is given as validation data.{selected}",
        TEST_MATTERS,
        "Hold back a part of the training rows for validation and use the test set once, at the end.",
        "certain" if official else "likely",
        serious=bool(event.selects) or several,
    )


def _searched(program: Program, log: Log, event: Training, tests: set[int]) -> Iterator[Finding]:
    """A search over settings that is given the test rows, alone or among all."""
    if not event.searches:
        return
    inside = event.rows & tests
    among = [
        row
        for judged in log.events
        if isinstance(judged, Judged)
        for row in judged.rows
        if log.part(row) == "test" and event.rows & log.rows[row].within
    ]
    if inside or among:
        yield Finding(
            "test-as-validation",
            program.place(event.line),
            program.said(event.line),
            "The search for the best settings is given the test rows.",
            TEST_MATTERS,
            "Fit the search on the training rows alone; it divides them by itself.",
            "certain",
            serious=True,
        )


def _chosen(program: Program, log: Log, event: Chosen, tests: set[int]) -> Iterator[Finding]:
    if not event.value.rows & tests:
        return
    if event.across == "epochs" and event.how in ("value", "kept"):
        return  # the best epoch, which has a rule of its own
    if event.how == "value" and (event.ident not in _reported(log) or _chosen_otherwise(log, event)):
        return
    what = {
        "saved": "Which epoch's weights are kept is decided by the test set.",
        "stopped": "When training ends is decided by the test set.",
        "steered": "The learning rate follows the test set.",
    }.get(event.how, "The best setting is chosen by its score on the test set.")
    yield Finding(
        "test-as-validation",
        program.place(event.line),
        program.said(event.line),
        what,
        TEST_MATTERS,
        "Choose by validation rows held back from training (or by cross-validation on them) and test once, at the end.",
        "certain" if any(log.rows[row].official for row in event.value.rows) else "likely",
        serious=True,
    )


def _chosen_otherwise(log: Log, event: Chosen) -> bool:
    """Whether the same scores decide in another line, which is the one to speak of."""
    return any(
        isinstance(other, Chosen)
        and other.how != "value"
        and other.value.ident == event.value.ident != 0
        and other.line != event.line
        for other in log.events
    )


def _tests(log: Log) -> set[int]:
    """The file's test rows, without a part called so beside another one that is used last."""
    final = _final(log)
    return {
        row
        for row in log.rows
        if log.part(row) == "test" and not any(not log.nested(row, one) for one in final)
    }


def _final(log: Log) -> set[int]:
    """Held-out rows that were judged and took part in no choice."""
    used = {row for event in log.events if isinstance(event, Training) for row in event.validation}
    used |= {
        row
        for event in log.events
        if isinstance(event, Chosen) and event.how != "value"
        for row in event.value.rows
    }
    trained = {row for event in log.events if isinstance(event, Training) for row in event.rows}
    return {
        row
        for event in log.events
        if isinstance(event, Judged)
        for row in event.rows
        if log.part(row) in ("test", "held out")
        and row not in trained
        and not any(log.nested(row, other) for other in used)
    }


def _reported(log: Log) -> set[int]:
    return {event.ident for event in log.events if isinstance(event, Reported)}


def best_epochs(program: Program, log: Log) -> Iterator[Finding]:
    reported = _reported(log)
    final = _final(log)
    for event in log.events:
        if not isinstance(event, Chosen) or event.across != "epochs":
            continue
        if event.how not in ("value", "which", "kept", "saved") or event.ident not in reported:
            continue
        if any(not log.nested(row, other) for row in final for other in event.value.rows or (row,)):
            continue  # another score, on rows that chose nothing, is there to be believed
        keras = event.value.kind == "epoch scores"
        if keras and not event.value.name.startswith("val"):
            continue
        held = [row for row in event.value.rows if log.part(row) in ("test", "validation", "held out")]
        if not keras and not held:
            continue
        on = "test" if any(log.part(row) == "test" for row in held) else "validation"
        yield Finding(
            "best-epoch",
            program.place(event.line),
            program.said(event.line),
            f"The best of all epochs on the {on} set is given as the result.",
            "The best of many noisy scores is too high by chance, the more so the more epochs there are.",
            "Give the last epoch's score, or keep the best epoch by validation and give its score on a test set.",
            "certain" if held or keras else "likely",
            serious=True,
        )
