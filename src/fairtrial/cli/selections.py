"""What searches, re-tunings and combinations came to, on the terminal: what was judged first, what it was chosen by greyed."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fairtrial.analysis import Answers, Combined, Retuned, Searched
from fairtrial.cli.answer_lines import line, render_group


def render_selections(answers: Answers, console: Console) -> None:
    """A section for each search that has begun, each question whose arms are tuned first, each that combines others."""
    for search in answers.searches:
        if search.points:
            render_search(search, console)
    for retuned in answers.retuned:
        render_retuned(retuned, console)
    for combined in answers.combined:
        render_combined(combined, console)


def render_search(found: Searched, console: Console) -> None:
    """What was confirmed first, then what the search saw, greyed: it is no evidence."""
    title = f"{found.search.id}  {found.search.ask or 'does anything do better than ' + found.search.baseline + '?'}"
    console.print(Text(title, style="bold"))
    line(console, found.sentence)
    if found.answer is not None:
        for caveat in dict.fromkeys(map(str, found.answer.caveats)):
            line(console, f"caveat: {caveat}", style="yellow")
    line(console, found.search_sentence, style="dim")
    for estimate in (*found.cheapest, *([found.plateau] if found.plateau else [])):
        line(console, estimate.sentence, style="dim")
    console.print()


def render_retuned(found: Retuned, console: Console) -> None:
    asked = found.question
    console.print(
        Text(f"{asked.id}  {asked.variant} against {asked.baseline}, each tuned anew", style="bold")
    )
    line(console, found.sentence)
    render_group(found.answers, console)
    line(console, found.tuning_sentence, style="dim")
    console.print()


def render_combined(found: Combined, console: Console) -> None:
    title = found.question.ask or f"what do {', '.join(found.question.combine)} come to together?"
    console.print(Text(f"{found.question.id}  {title}", style="bold"))
    line(console, found.sentence)
    for text in found.left_out_lines:
        line(console, text, style="dim")
    render_group(found.gain, console)
    for question, answer in found.added.items():
        line(console, f"What {question} adds to the others:")
        line(console, answer.sentence, indent=4)
    for caveat in found.added_caveats:
        line(console, f"caveat: {caveat}", style="yellow")
    if found.interaction is not None:
        line(console, found.interaction.sentence)
        line(console, found.interaction.guarantee, style="dim", indent=4)
    console.print()
