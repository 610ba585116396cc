"""Answers as a small HTML table, for notebooks. Everything from a study file is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer


def answers_html(answers: Sequence[Answer]) -> str:
    """One row per answer: question, arms, the sentence with what was held fixed, its caveats."""
    rows = "".join(
        f"<tr><td>{escape(answer.question)}</td>"
        f"<td>{escape(answer.variant)} against {escape(answer.baseline)}</td>"
        f"<td>{escape(answer.sentence)}<br><small>{escape(answer.held_fixed_line)}</small></td>"
        f"<td>{'<br>'.join(escape(str(caveat)) for caveat in answer.caveats)}</td></tr>"
        for answer in answers
    )
    head = "<tr><th>question</th><th>arms</th><th>answer</th><th>caveats</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
