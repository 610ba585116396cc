"""A file from reading to findings, in the order in which it happens."""

from __future__ import annotations

from pathlib import Path

from fairtrial.audit.bestepoch import best_epoch
from fairtrial.audit.codeflow import code_findings
from fairtrial.audit.confounds import confounded, epochs_with_batch_size
from fairtrial.audit.contradictions import contradicted
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding
from fairtrial.audit.hidden import hidden_model
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.lines import order_of
from fairtrial.audit.notshown import not_shown
from fairtrial.audit.reading import read
from fairtrial.audit.recognising import experiments
from fairtrial.audit.result import Audit
from fairtrial.audit.stateddefaults import wrong_default


def audit_file(path: str | Path) -> Audit:
    """What is wrong with the experiments in a notebook, script, exported text or page; nothing in it is run.

    Its `findings` say where, what, why it matters, how sure, and what to do; `study_text()` is the study that would
    settle its questions. Raises AuditError, a FairtrialError, for a file that cannot be read.
    """
    return audited(read(path))


def audited(document: Document) -> Audit:
    """The findings on a document, by kind and then in its order."""
    seen = experiments(document)
    kinds = list(TITLES)
    found = sorted(
        _findings(document, seen),
        key=lambda one: (kinds.index(one.kind), order_of(document, one.place)),
    )
    return Audit(document, tuple(found), seen)


def _findings(document: Document, seen: Experiments) -> tuple[Finding, ...]:
    in_code = code_findings(document, seen)
    # One finding is enough where the code takes the best epoch and the text repeats it.
    told = () if any(one.kind == "best-epoch" for one in in_code) else best_epoch(seen)
    against_text = contradicted(seen)
    return (
        *in_code,
        *against_text,
        *not_shown(document, seen, against_text),
        *confounded(seen),
        *epochs_with_batch_size(seen),
        *wrong_default(document, seen),
        *hidden_model(document, seen),
        *told,
    )
