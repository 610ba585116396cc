"""A study as a small HTML page part, for notebooks: what is asked, of what. Everything from a file is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from fairtrial.study.factors import differences
from fairtrial.study.schema import Study
from fairtrial.study.shapes import parameters


def study_html(study: Study) -> str:
    """Name and title, a row for each arm, a row for each question, and what was promised beforehand."""
    margins = study.margins
    asks = bool(study.questions or study.retuned or study.combined)
    promise = (
        f"{study.seeds.min} to {study.seeds.max} seeds, confidence {study.confidence:g}; margins: "
        f"accuracy {100 * margins.accuracy:g} pp, loss {100 * margins.loss:g} %, time {100 * margins.time:g} %"
    )
    return "".join(
        (
            f"<p><strong>{escape(study.title or study.name)}</strong></p>",
            _table(("arm", "parameters", "differs from the first arm in", "title"), _arms(study)),
            _table(("question", "arms", "asks"), _questions(study)) if asks else "",
            f"<p>{promise}</p>",
        )
    )


def _arms(study: Study) -> Iterator[tuple[str, ...]]:
    first = next(iter(study.arms.values()))
    for name, arm in study.arms.items():
        apart = "; ".join(str(one) for one in differences(arm, first))
        count = (
            f"{parameters(arm):,}" if arm.is_described else ("by a command" if arm.is_command else "your own")
        )
        yield name, count, apart, arm.title or ""


def _questions(study: Study) -> Iterator[tuple[str, ...]]:
    for question in study.questions:
        yield question.id, f"{question.variant} against {question.baseline}", question.ask
    for question in study.retuned:
        yield question.id, f"{question.variant} against {question.baseline}, each tuned anew", question.ask
    for question in study.combined:
        yield question.id, f"{', '.join(question.combine)} together", question.ask


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
