"""The ledger of claims: what was said, what its author's own tables say, what is true."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fairtrial.analysis.judged_claim import about
from fairtrial.analysis.said import said
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.analysis.values import Answer, Answers, ClaimVerdict, JudgedClaim

DIRECTIONS = ("increase", "decrease", "no change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One claim in words. `own_tables` is empty where nobody printed tables of their own."""

    question: str
    about: str
    said: str
    own_tables: str
    verdict: ClaimVerdict
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every claim of a study, question by question, the sum in sentences, and what else is known of them."""

    entries: tuple[Entry, ...]
    sums: tuple[str, ...]
    facts: tuple[str, ...] = ()


def ledger(answers: Answers) -> Ledger:
    """All claims, those that no answer judges too; without claims, an empty ledger."""
    judged = [(answer.question, one, _found(answer, one)) for answer in answers for one in answer.claims]
    judged += [
        (question, one, f"{one.verdict}: {one.because}")
        for question, some in answers.unjudged.items()
        for one in some
    ]
    order = list(dict.fromkeys((*(answer.question for answer in answers), *answers.unjudged)))
    judged.sort(key=lambda entry: order.index(entry[0]))
    return Ledger(
        entries=tuple(
            Entry(
                question=question,
                about=about(one.claim),
                said=one.said,
                own_tables="" if one.claim.own_tables is None else said(one.claim.own_tables),
                verdict=one.verdict,
                found=found,
            )
            for question, one, found in judged
        ),
        sums=_sums([one for _, one, _ in judged]),
        facts=() if answers.asked is None else answers.asked.facts,
    )


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
    hold = "holds" if counts["holds"] == 1 else "hold"
    sums.append(
        f"Of {count_of(len(judged), 'claim')}: {counts['holds']} {hold}, {counts['contradicted']} contradicted, "
        f"{counts['not settled']} not settled."
    )
    return tuple(sums)
