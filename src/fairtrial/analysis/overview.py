"""A whole study at a glance: how far it is, what is missing, every answer, the fate of every claim."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fairtrial.analysis.html import answers_html, table
from fairtrial.analysis.ledger import Ledger, ledger
from fairtrial.analysis.markdown import answers_markdown, escaped
from fairtrial.analysis.outstanding import headline, outstanding, outstanding_lines
from fairtrial.analysis.searched_text import begun, searched_html
from fairtrial.analysis.selected_markdown import selected_markdown
from fairtrial.analysis.values import Answers

LEDGER_HEADS = ("question", "about", "the text says", "its own tables say", "what is true")


def overview_html(answers: Answers) -> str:
    kept = ledger(answers)
    parts = [f"<p><strong>{escape(title(answers))}</strong></p>"]
    parts += [f"<p>{escape(line)}</p>" for line in (headline(answers), *kept.sums)]
    lines = outstanding_lines(outstanding(answers))
    if lines:
        parts.append(f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")
    if answers.answers:
        parts.append(answers_html(answers.answers))
    parts += [searched_html(found) for found in begun(answers)]
    further = [answer for one in (*answers.retuned, *answers.combined) for answer in one.answers]
    said = dict.fromkeys(
        escape(one.sentence) for one in (*answers.curves, *answers.retuned, *answers.combined, *further)
    )
    if said:
        parts.append(f"<ul>{''.join(f'<li>{one}</li>' for one in said)}</ul>")
    if kept.entries:
        parts.append(table(LEDGER_HEADS, [[escape(cell) for cell in row] for row in ledger_rows(kept)]))
        parts.append(
            f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in kept.facts)}</ul>" if kept.facts else ""
        )
    return "".join(parts)


def overview_markdown(answers: Answers) -> str:
    kept = ledger(answers)
    lines = [f"**{escaped(title(answers))}**", "", escaped(headline(answers)), ""]
    lines += [f"- {escaped(line)}" for line in outstanding_lines(outstanding(answers))]
    lines += ["", answers_markdown(answers.answers), *curves_markdown(answers, heading="**")]
    lines += selected_markdown(answers, heading="**")
    lines += ledger_markdown(kept, heading="**The claims**")
    return "\n".join(lines).rstrip() + "\n"


def curves_markdown(answers: Answers, *, heading: str) -> Iterator[str]:
    """What arms that differ along one number say together, factor by factor; nothing without such arms.

    `heading` is that of a section (`## `) or `**`.
    """
    for factor in dict.fromkeys(curve.factor for curve in answers.curves):
        yield f"{heading}Over {escaped(factor)}{'**' if heading == '**' else ''}"
        yield ""
        group = [curve for curve in answers.curves if curve.factor == factor]
        yield from (f"- {escaped(one.sentence)} *({escaped(one.guarantee)})*" for one in group if one.known)
        yield from dict.fromkeys(f"- {escaped(one.sentence)}" for one in group if not one.known)
        yield ""


def title(answers: Answers) -> str:
    return answers.declared.title or answers.study


def ledger_rows(kept: Ledger) -> list[tuple[str, str, str, str, str]]:
    return [(one.question, one.about, one.said, one.own_tables or "-", one.found) for one in kept.entries]


def ledger_markdown(kept: Ledger, *, heading: str) -> Iterator[str]:
    """A table with a line for each claim, and the sum; nothing without claims."""
    if not kept.entries:
        return
    yield from (heading, "", f"| {' | '.join(LEDGER_HEADS)} |", f"|{'---|' * len(LEDGER_HEADS)}")
    for row in ledger_rows(kept):
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
    for line in kept.sums:
        yield ""
        yield escaped(line)
    if kept.facts:
        yield from ("", *(f"- {escaped(line)}" for line in kept.facts))
