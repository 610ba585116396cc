"""The looks at a study's verdicts, as the store keeps them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from fairtrial.analysis.terms import Terms, sha256
from fairtrial.analysis.values import Answer
from fairtrial.stats.levels import nominal_level
from fairtrial.stats.looks import Look
from fairtrial.store import Store, StoredLook, StoredVerdict


def record_looks(found: Iterable[Answer], store: Store, *, known: set[tuple[str, int]]) -> None:
    """Store every look of these answers that is not among `known`, and add it there.

    A look is known by the digest of its terms and its number of seeds. What the store has already stays
    as it was written, so that whoever starts with an empty `known` changes nothing.
    """
    new: list[StoredVerdict] = []
    for answer in found:
        if not answer.looks:
            continue
        text = answer.terms.text
        digest = sha256(text)
        looks = [look for look in answer.looks if (digest, look.n) not in known]
        if looks:
            new.append(
                StoredVerdict(
                    sha256=digest,
                    study=answer.terms.study,
                    question=answer.question,
                    terms=text,
                    looks=stored_looks(looks, answer.terms),
                )
            )
            known |= {(digest, look.n) for look in looks}
    if new:
        store.add_looks(new)


def stored_looks(looks: Sequence[Look], terms: Terms) -> tuple[StoredLook, ...]:
    """Looks as rows hold them: what is infinite or not a number is None."""
    twice = nominal_level(2 * terms.alpha, first=terms.first, horizon=terms.horizon)
    return tuple(
        StoredLook(
            n=look.n,
            # Looks are in seed order and without a gap: the first n seeds, whoever finished first.
            seeds=tuple(range(1, look.n + 1)),
            estimate=_finite(look.estimate),
            sd=_finite(look.sd),
            margin=look.margin,
            sign_level=look.nominal,
            low=_finite(look.sign.low),
            high=_finite(look.sign.high),
            equivalence_level=twice,
            equivalence_low=_finite(look.equivalence.low),
            equivalence_high=_finite(look.equivalence.high),
            alone=look.verdict.value,
            verdict=look.standing.value,
        )
        for look in looks
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
