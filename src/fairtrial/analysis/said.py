"""A claim in words."""

from __future__ import annotations

from fairtrial.study.schema import Claim, OwnTables


def said(claim: Claim | OwnTables) -> str:
    """
    >>> said(Claim.model_validate({"says": "increase", "from": 0.97, "to": 0.988}))
    'increase, 0.97 to 0.988'
    """
    words = str(claim.says)
    if isinstance(claim, Claim) and claim.level is not None:
        words += f" {claim.level:g}"
    if claim.from_ is not None and claim.to is not None:
        words += f", {claim.from_:g} to {claim.to:g}"
    return words
