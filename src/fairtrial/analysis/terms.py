"""The terms of one verdict: all that its looks hang on besides the trials of its two arms."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from fairtrial.errors import StoreError
from fairtrial.stats.verdict import Goal
from fairtrial.study.schema import Metric, On


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """With the trials of its arms, enough to repeat every look, without the study's file.

    Arms by their keys. `margin` is as the study states it: a difference of accuracies, a share of the
    baseline's loss, a ratio of times minus one. `alpha` is the share of the allowed error of all looks
    from `first` to `horizon` seeds, `floor` the least spread of contrasts to believe, in their unit.
    """

    study: str
    variant: str
    baseline: str
    metric: Metric
    on: On | None
    over: Literal["last_epoch", "end"] | None
    goal: Goal
    margin: float
    alpha: float
    first: int
    horizon: int
    floor: float
    engine_version: int
    machine: str = ""
    """Where the pairs were timed, and on which processor: empty for whatever is not a time."""
    processor: str = ""
    block: int = 0
    """Where the seeds of its trials begin: not among those that questions are answered on, for a confirmation."""

    @property
    def text(self) -> str:
        """Canonical JSON: equal for equal terms, and for no others."""
        terms = asdict(self)
        if not self.block:
            del terms["block"]  # as terms were written before there were blocks
        return json.dumps(terms, sort_keys=True, separators=(",", ":"), allow_nan=False)


def terms_from(text: str) -> Terms:
    """The terms whose `text` this is. Raises StoreError for what are none."""
    try:
        return Terms(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise unreadable("verdict's terms", text) from error


def unreadable(what: str, text: str) -> StoreError:
    return StoreError(
        f"a {what} cannot be read in this store (it begins with {text[:40]!r}): a newer fairtrial wrote it, "
        "or it was changed by hand; upgrade fairtrial, or restore a copy"
    )


def sha256(text: str) -> str:
    """The digest by which plans and terms are known in a store: 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
