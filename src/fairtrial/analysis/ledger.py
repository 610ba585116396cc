"""The ledger of claims: what was said, what its author's own tables say, what is true."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fairtrial.analysis.sentences import amount, count_of
from fairtrial.analysis.values import Answer, Answers, JudgedClaim
from fairtrial.study.schema import Claim, OwnTables

DIRECTIONS = ("increase", "decrease", "no change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One claim in words. `own_tables` is empty where nobody printed tables of their own."""

    question: str
    about: str
    said: str
    own_tables: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every claim of a study, question by question, and the sum in sentences."""

    entries: tuple[Entry, ...]
    sums: tuple[str, ...]


def ledger(answers: Answers) -> Ledger:
    """All claims that the study's answers judge; without claims, an empty ledger."""
    judged = [(answer, one) for answer in answers for one in answer.claims]
    return Ledger(
        entries=tuple(
            Entry(
                question=answer.question,
                about=answer.metric if answer.on is None else f"{answer.metric} on {answer.on}",
                said=_figures(one.claim),
                own_tables="" if one.claim.own_tables is None else _figures(one.claim.own_tables),
                found=_found(answer, one),
            )
            for answer, one in judged
        ),
        sums=_sums([one for _, one in judged]),
    )


def _figures(said: Claim | OwnTables) -> str:
    """`increase, 0.97 to 0.988`"""
    words = str(said.says)
    if isinstance(said, Claim) and said.level is not None:
        words += f" {said.level:g}"
    if said.from_ is not None and said.to is not None:
        words += f", {said.from_:g} to {said.to:g}"
    return words


def _found(answer: Answer, one: JudgedClaim) -> str:
    """The claim's verdict, and what is true as far as it is known."""
    if one.because:
        return f"{one.verdict}: {one.because}"
    if one.claim.says == "level":
        mean = answer.variant_mean
        reached = "" if mean is None else f": {mean:.4f} after {count_of(answer.seeds, 'seed')}"
        return f"{one.verdict}{reached}"
    if one.claim.says == "plateau":
        return one.verdict
    if not answer.settled:
        samples = count_of(answer.seeds, "pair" if answer.metric == "time" else "seed")
        return f"{one.verdict}: {answer.verdict} after {samples}"
    margin = "" if answer.margin is None else f" (margin {amount(answer.margin, answer.metric)})"
    unit, digits = (" s", 2) if answer.metric == "time" else ("", 4)
    figures = f", {answer.baseline_mean:.{digits}f} to {answer.variant_mean:.{digits}f}{unit}"
    return f"{one.verdict}: {answer.verdict}{margin}{figures}"


def _sums(judged: list[JudgedClaim]) -> tuple[str, ...]:
    if not judged:
        return ()
    sums: list[str] = []
    printed = [
        (one.claim.says, one.claim.own_tables.says)
        for one in judged
        if one.claim.says in DIRECTIONS and one.claim.own_tables is not None
    ]
    if printed:
        apart = sum(said != shown for said, shown in printed)
        sums.append(
            f"{apart} of {count_of(len(printed), 'statement')} of direction "
            f"{'disagrees' if apart == 1 else 'disagree'} with their author's own tables."
        )
    counts = Counter(one.verdict for one in judged)
    sums.append(
        f"Of {count_of(len(judged), 'claim')}: {counts['holds']} hold, {counts['contradicted']} contradicted, "
        f"{counts['not settled']} not settled."
    )
    return tuple(sums)
