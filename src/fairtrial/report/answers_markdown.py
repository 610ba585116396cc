"""Answers and the ledger of claims as Markdown, for a page in the docs."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.analysis.ledger import ledger
from fairtrial.analysis.markdown import escaped, question_lines
from fairtrial.analysis.overview import curves_markdown, ledger_markdown
from fairtrial.analysis.selected_markdown import selected_markdown
from fairtrial.analysis.values import Answers


def answers_markdown(answers: Answers) -> str:
    """Question by question the sentences, claims and caveats; what was selected; at the end the ledger of claims."""
    lines = [
        *_questions(answers),
        *curves_markdown(answers, heading="## "),
        *selected_markdown(answers, heading="## "),
        *ledger_markdown(ledger(answers), heading="## The claims"),
        *([escaped(answers.not_used)] if answers.not_used else []),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _questions(answers: Answers) -> Iterator[str]:
    for question in dict.fromkeys(answer.question for answer in answers):
        group = list(answers[question])
        yield f"## {escaped(question)}: {escaped(group[0].variant)} against {escaped(group[0].baseline)}"
        yield ""
        yield from question_lines(group)
        yield ""
