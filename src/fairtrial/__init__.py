"""fairtrial: what does changing this hyperparameter do, over as many seeds as the answer needs?

Names are looked up when first used, so that importing fairtrial imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer, Answers
    from fairtrial.api import answers, ask, figures, run, show, write_report
    from fairtrial.asserting import assert_not_worse
    from fairtrial.audit.auditing import audit_file
    from fairtrial.audit.result import Audit
    from fairtrial.comparison import Comparison, compare
    from fairtrial.errors import FairtrialError, StudyError
    from fairtrial.images.given import Data
    from fairtrial.models.verbs import import_keras
    from fairtrial.seeking import search
    from fairtrial.study.schema import Arm, Study
    from fairtrial.study.studyfile import builtin_names, load
    from fairtrial.upkeep import doctor, merge, rerun

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Answers",
    "Arm",
    "Audit",
    "Comparison",
    "Data",
    "FairtrialError",
    "Study",
    "StudyError",
    "__version__",
    "answers",
    "ask",
    "assert_not_worse",
    "audit_file",
    "builtin_names",
    "compare",
    "doctor",
    "figures",
    "import_keras",
    "load",
    "merge",
    "rerun",
    "run",
    "search",
    "show",
    "write_report",
]

_HOMES = {
    "Answer": "fairtrial.analysis.values",
    "Answers": "fairtrial.analysis.values",
    "Arm": "fairtrial.study.schema",
    "Audit": "fairtrial.audit.result",
    "Comparison": "fairtrial.comparison",
    "Data": "fairtrial.images.given",
    "FairtrialError": "fairtrial.errors",
    "Study": "fairtrial.study.schema",
    "StudyError": "fairtrial.errors",
    "answers": "fairtrial.api",
    "ask": "fairtrial.api",
    "assert_not_worse": "fairtrial.asserting",
    "audit_file": "fairtrial.audit.auditing",
    "builtin_names": "fairtrial.study.studyfile",
    "compare": "fairtrial.comparison",
    "doctor": "fairtrial.upkeep",
    "figures": "fairtrial.api",
    "import_keras": "fairtrial.models.verbs",
    "load": "fairtrial.study.studyfile",
    "merge": "fairtrial.upkeep",
    "rerun": "fairtrial.upkeep",
    "run": "fairtrial.api",
    "search": "fairtrial.seeking",
    "show": "fairtrial.api",
    "write_report": "fairtrial.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fairtrial' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
