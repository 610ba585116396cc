"""What is wrong: the sentence, the place, the evidence, how sure, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairtrial.audit.document import Place

FindingKind = Literal[
    "reshuffled-split",
    "test-as-validation",
    "fit-before-split",
    "no-seed",
    "one-run",
    "confounded",
    "contradicted",
    "not-shown",
    "hidden-model",
    "wrong-default",
    "epochs-with-batch-size",
    "best-epoch",
]
Sure = Literal["certain", "likely", "possible"]


@dataclass(frozen=True)
class Finding:
    kind: FindingKind
    place: Place
    said: str
    """What stands there, quoted and short."""
    sentence: str
    """What is wrong, with its figures."""
    matters: str
    """Why it matters, in one sentence."""
    advice: str
    sure: Sure
    serious: bool
    """Whether a conclusion of the file may be false because of it: what `--strict` fails for."""
