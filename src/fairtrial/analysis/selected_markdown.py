"""What searches, re-tunings and combinations came to, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.analysis.combined import Combined
from fairtrial.analysis.markdown import escaped, question_lines
from fairtrial.analysis.retuned import Retuned
from fairtrial.analysis.searched_text import markdown_lines
from fairtrial.analysis.values import Answers


def selected_markdown(answers: Answers, *, heading: str) -> Iterator[str]:
    """A section for each of them; nothing in a study without any. `heading` is that of a section (`## `) or `**`."""
    end = "**" if heading == "**" else ""
    for search in answers.searches:
        if search.points:
            title = f"{escaped(search.search.id)}: a search from {escaped(search.search.baseline)}"
            yield from _section(f"{heading}{title}{end}", markdown_lines(search))
    for retuned in answers.retuned:
        yield from _section(f"{heading}{retuned_title(retuned)}{end}", retuned_lines(retuned))
    for combined in answers.combined:
        yield from _section(f"{heading}{combined_title(combined)}{end}", combined_lines(combined))


def retuned_title(found: Retuned) -> str:
    asked = found.question
    return f"{escaped(asked.id)}: {escaped(asked.variant)} against {escaped(asked.baseline)}, each tuned anew"


def combined_title(found: Combined) -> str:
    return f"{escaped(found.question.id)}: {escaped(', '.join(found.question.combine))} together"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield title
    yield ""
    yield from lines
    yield ""


def retuned_lines(found: Retuned) -> Iterator[str]:
    """The comparison as a list, then what the tuning saw, without a heading."""
    yield f"- {escaped(found.sentence)}"
    yield from question_lines(found.answers)
    yield f"- *{escaped(found.tuning_sentence)}*"


def combined_lines(found: Combined) -> Iterator[str]:
    """What was put together as a list, what it gains and what each part adds, without a heading."""
    yield f"- {escaped(found.sentence)}"
    yield from (f"- {escaped(line)}" for line in found.left_out_lines)
    yield from question_lines(found.gain)
    for question, answer in found.added.items():
        yield f"- What {escaped(question)} adds to the others: {escaped(answer.sentence)}"
    yield from (f"- *caveat: {escaped(caveat)}*" for caveat in found.added_caveats)
    if found.interaction is not None:
        yield f"- {escaped(found.interaction.sentence)} *({escaped(found.interaction.guarantee)})*"
