"""What the code of a document does wrong with its data: followed statement by statement, and never run."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding
from fairtrial.audit.program import program
from fairtrial.audit.rules.choosing import best_epochs, chosen_on_test
from fairtrial.audit.rules.learning import fitted_before_split
from fairtrial.audit.rules.repeating import once_each, unseeded
from fairtrial.audit.rules.splitting import reshuffled
from fairtrial.audit.tracing.walking import traced


def code_findings(document: Document, experiments: Experiments) -> tuple[Finding, ...]:
    """What is wrong with the splits, the choices and the repetitions of `document`, in its order.

    Where two findings stand at one place the first kind named by the rules is kept.
    """
    return tuple(sorted(_found(document, experiments), key=lambda each: (each.place.cell, each.place.line)))


def _found(document: Document, experiments: Experiments) -> Iterator[Finding]:
    read = program(document)
    log = traced(read.statements)
    seen: set[tuple[int, int]] = set()
    for finding in (
        *reshuffled(read, log),
        *chosen_on_test(read, log),
        *fitted_before_split(read, log),
        *best_epochs(read, log),
    ):
        where = (finding.place.cell, finding.place.line)
        if where not in seen:
            seen.add(where)
            yield finding
    # These speak of the whole file; a line of theirs may well be wrong in another way too.
    yield from unseeded(read, log)
    yield from once_each(read, log, experiments)
