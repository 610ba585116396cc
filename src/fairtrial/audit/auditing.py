"""A file from reading to findings, in the order in which it happens."""

from __future__ import annotations

from pathlib import Path

from fairtrial.audit.asked import asked_in
from fairtrial.audit.bestepoch import best_epoch
from fairtrial.audit.confounds import confounded, epochs_with_batch_size
from fairtrial.audit.contradictions import contradicted
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding
from fairtrial.audit.hidden import hidden_model
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.lines import order_of
from fairtrial.audit.notshown import not_shown
from fairtrial.audit.printed import models_printed
from fairtrial.audit.reading import read
from fairtrial.audit.result import Audit, where
from fairtrial.audit.stateddefaults import wrong_default
from fairtrial.audit.together import together


def audit_file(path: str | Path) -> Audit:
    """What is wrong with the experiments in a notebook, script, exported text or page; nothing in it is run.

    Raises AuditError for a file that cannot be read.
    """
    return audited(read(path))


def audited(document: Document) -> Audit:
    """The findings on a document, by kind and then in its order."""
    experiments = experiments_in(document)
    kinds = list(TITLES)
    found = sorted(
        _findings(document, experiments),
        key=lambda one: (kinds.index(one.kind), order_of(document, one.place)),
    )
    followed = tuple(f"{where(place)}: {sentence}" for place, sentence in experiments.not_understood)
    return Audit(document.path, document.kind, tuple(found), experiments, (*document.unread, *followed))


def experiments_in(document: Document) -> Experiments:
    """The models of code and output, and what the text asks and says of them."""
    models = together(document, (), models_printed(document))
    return Experiments(models, asked_in(document, models))


def _findings(document: Document, experiments: Experiments) -> tuple[Finding, ...]:
    return (
        *contradicted(experiments),
        *not_shown(document, experiments),
        *confounded(experiments),
        *epochs_with_batch_size(experiments),
        *wrong_default(document, experiments),
        *hidden_model(document, experiments),
        *best_epoch(experiments),
    )
