"""Answers as Markdown. Everything that comes from a study file stays text, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer

_MARKS = "\\`*_[]|~$"
"""Emphasis, code, links, cells, strikethrough and, on GitHub, mathematics."""
_BLOCK = re.compile(r"^(?:#(?=[#\s]|$)|[+-](?=[\s-]|$)|=(?==*$)|\d{1,9}(?=[.)](?:\s|$)))")
"""What makes a heading, a list or a rule of a line that begins with it."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""Text without anything that Markdown, HTML or GitHub would act on, on one line.

    Addresses are not made links of, and nobody of that name is notified.

    >>> escaped("a | b <i> *c*"), escaped("1. `x`")
    ('a \\| b &lt;i&gt; \\*c\\*', '1\\. \\`x\\`')
    """
    plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = "".join(f"\\{character}" if character in _MARKS else character for character in plain)
    plain = re.sub(r"(?<=\w):(?=//)", r"\\:", plain)
    plain = re.sub(r"(?i)\b(www|mailto|xmpp)(?=[.:])", r"\1\\", plain)
    plain = re.sub(r"@(?=\w)|#(?=\d)", r"\g<0><!-- -->", plain)
    return _BLOCK.sub(_not_a_block, plain)


def _not_a_block(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0][0].isdigit() else f"\\{found[0]}"


def code(text: str) -> str:
    r"""Text as a code span, with as many backticks around it as it takes; fit for a table.

    >>> code("width-50"), code("a`b|c")
    ('`width-50`', '``a`b\\|c``')
    """
    plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split())) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", plain)), default=0))
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{pad}{plain}{pad}{fence}".replace("|", "\\|")


def question_lines(group: Sequence[Answer]) -> Iterator[str]:
    """The sentences, claims and caveats of one question, as a list."""
    for answer in group:
        yield f"- {escaped(answer.sentence)}"
        for one in answer.claims:
            because = f" ({escaped(one.because)})" if one.because else ""
            yield f"  - claim: {escaped(one.said)}: **{one.verdict}**{because}"
    for line in dict.fromkeys(
        line for answer in group for line in (answer.held_fixed_line, answer.implied_line) if line
    ):
        yield f"- {escaped(line)}"
    for caveat in dict.fromkeys(str(caveat) for answer in group for caveat in answer.caveats):
        yield f"- *caveat: {escaped(caveat)}*"


def answers_markdown(answers: Sequence[Answer]) -> str:
    """Question by question a line that names the arms, then the list."""
    lines: list[str] = []
    for question in dict.fromkeys(answer.question for answer in answers):
        group = [answer for answer in answers if answer.question == question]
        lines += [
            f"**{escaped(question)}**: {escaped(group[0].variant)} against {escaped(group[0].baseline)}"
        ]
        lines += ["", *question_lines(group), ""]
    return "\n".join(lines).rstrip() + "\n"
