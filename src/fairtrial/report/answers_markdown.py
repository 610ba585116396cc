"""Answers and the ledger of claims as Markdown, for a page in the docs."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.analysis.ledger import Ledger, ledger
from fairtrial.analysis.values import Answers
from fairtrial.report.show_markdown import cell


def answers_markdown(answers: Answers) -> str:
    """Question by question the sentences, claims and caveats; at the end the ledger of claims."""
    return (
        "\n".join([*_questions(answers), *_curves(answers), *ledger_markdown(ledger(answers))]).rstrip()
        + "\n"
    )


def _questions(answers: Answers) -> Iterator[str]:
    for question in dict.fromkeys(answer.question for answer in answers):
        group = list(answers[question])
        yield f"## {cell(question)}: {cell(group[0].variant)} against {cell(group[0].baseline)}"
        yield ""
        for answer in group:
            yield f"- {cell(answer.sentence)}"
            for one in answer.claims:
                yield f"  - claim: {cell(one.claim.says)}: {one.verdict}"
        for line in dict.fromkeys(answer.held_fixed_line for answer in group):
            yield f"- {cell(line)}"
        for caveat in dict.fromkeys(str(caveat) for answer in group for caveat in answer.caveats):
            yield f"- *caveat: {cell(caveat)}*"
        yield ""


def _curves(answers: Answers) -> Iterator[str]:
    for factor in dict.fromkeys(curve.factor for curve in answers.curves):
        yield f"## Over {cell(factor)}"
        yield ""
        group = [curve for curve in answers.curves if curve.factor == factor]
        yield from (f"- {cell(one.sentence)} *({cell(one.guarantee)})*" for one in group if one.known)
        yield from dict.fromkeys(f"- {cell(one.sentence)}" for one in group if not one.known)
        yield ""


def ledger_markdown(kept: Ledger) -> Iterator[str]:
    """A table with a line for each claim, and the sum; nothing without claims."""
    if not kept.entries:
        return
    yield "## The claims"
    yield ""
    yield "| question | about | the text says | its own tables say | what is true |"
    yield "|---|---|---|---|---|"
    for one in kept.entries:
        cells = (one.question, one.about, one.said, one.own_tables or "-", one.found)
        yield f"| {' | '.join(cell(text) for text in cells)} |"
    for line in kept.sums:
        yield ""
        yield line
