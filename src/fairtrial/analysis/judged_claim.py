"""A claim with what became of it, and the claims that nothing became of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from fairtrial.analysis.said import said
from fairtrial.study.check import judged
from fairtrial.study.schema import Claim, On, Question

ClaimVerdict = Literal["holds", "contradicted", "not settled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClaim:
    """What somebody said the answer was, held against the verdict.

    `because` says what was found of a plateau, or what keeps a claim from being settled where it is not
    the verdict alone.
    """

    claim: Claim
    verdict: ClaimVerdict
    because: str = ""

    @property
    def said(self) -> str:
        """The claim in words: `increase, 0.97 to 0.988`."""
        return said(self.claim)

    @property
    def on(self) -> On | None:
        """The images it is about; None for a time."""
        return None if self.claim.metric == "time" else self.claim.on

    def as_dict(self) -> dict[str, Any]:
        claim = self.claim.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"metric", "on"})
        return {**claim, "verdict": self.verdict, **({"because": self.because} if self.because else {})}


def unjudged(questions: Iterable[Question]) -> dict[str, tuple[JudgedClaim, ...]]:
    """By question, the claims about what it does not ask for: nothing ever settles them."""
    found = {
        question.id: tuple(
            _not_settled(claim, question) for claim in question.claims if not judged(claim, question)
        )
        for question in questions
    }
    return {question: claims for question, claims in found.items() if claims}


def _not_settled(claim: Claim, question: Question) -> JudgedClaim:
    because = f"question {question.id} does not ask about {about(claim)}"
    return JudgedClaim(claim=claim, verdict="not settled", because=because)


def about(claim: Claim) -> str:
    """`accuracy on test`, `time`"""
    return "time" if claim.metric == "time" else f"{claim.metric} on {claim.on}"
