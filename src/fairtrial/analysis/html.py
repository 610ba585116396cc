"""Answers as a small HTML table, for notebooks. Everything from a study file is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer, JudgedClaim


def answers_html(answers: Sequence[Answer]) -> str:
    """One row per answer: question, arms, the sentence with what was held fixed, its claims and caveats."""
    return table(
        ("question", "arms", "answer", "verdict", "claims", "caveats"),
        [
            (
                escape(answer.question),
                f"{escape(answer.variant)} against {escape(answer.baseline)}",
                f"{escape(answer.sentence)}<br><small>{_background(answer)}</small>",
                f"<strong>{escape(answer.verdict)}</strong>",
                "<br>".join(_claim(one) for one in answer.claims),
                "<br>".join(escape(str(caveat)) for caveat in answer.caveats),
            )
            for answer in answers
        ],
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already, aligned for reading."""
    left = ' style="text-align:left;vertical-align:top"'
    heads = "".join(f'<th scope="col"{left}>{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td{left}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _background(answer: Answer) -> str:
    return "<br>".join(escape(line) for line in (answer.held_fixed_line, answer.implied_line) if line)


def _claim(one: JudgedClaim) -> str:
    because = f" ({escape(one.because)})" if one.because else ""
    return f"{escape(one.said)}: <strong>{escape(one.verdict)}</strong>{because}"
