"""One question's answers on the terminal: sentences, claims, what was held fixed, caveats."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fairtrial.analysis import Answer


def render_group(group: Sequence[Answer], console: Console) -> None:
    """All answers to one question."""
    for answer in group:
        _render_answer(answer, console)
    for text in dict.fromkeys(
        text for answer in group for text in (answer.held_fixed_line, answer.implied_line) if text
    ):
        line(console, text, style="dim")
    for caveat in dict.fromkeys(str(caveat) for answer in group for caveat in answer.caveats):
        line(console, f"caveat: {caveat}", style="yellow")


def line(console: Console, text: str, *, style: str = "", indent: int = 2) -> None:
    """A paragraph, indented as a whole."""
    console.print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False))


def _render_answer(answer: Answer, console: Console) -> None:
    line(console, answer.sentence)
    for judged in answer.claims:
        said = judged.claim
        values = f" from {said.from_:g} to {said.to:g}" if None not in (said.from_, said.to) else ""
        level = f" {said.level:g}" if said.level is not None else ""
        because = f" ({judged.because})" if judged.because else ""
        line(console, f"claim: {said.says}{values}{level}: {judged.verdict}{because}", style="dim", indent=4)
