"""`fairtrial answers`: read, print, judge for --strict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fairtrial.analysis import Answers
from fairtrial.analysis import answers as answers_from
from fairtrial.analysis.ledger import Ledger, ledger
from fairtrial.api import open_to_read, store_path
from fairtrial.cli.answer_lines import render_group
from fairtrial.cli.console import emit_json, note_missing_store, stdout
from fairtrial.cli.selections import render_selections
from fairtrial.report.answers_markdown import answers_markdown
from fairtrial.report.exports import answers_csv
from fairtrial.study.schema import Study

Form = Literal["terminal", "json", "csv", "markdown"]


def read_answers(study: Study, *, store: Path | None, form: Form) -> Answers:
    path = store_path(store)
    note_missing_store(path)
    with open_to_read(path) as opened:
        return answers_from(study, opened, epochs=form == "json")


def all_hold(answers: Answers) -> bool:
    """Whether every question is settled and every claim holds; a claim that nobody judges does not."""
    selected = (*answers.retuned, *answers.combined)
    judged = (*answers, *(answer for one in selected for answer in one.answers))
    return (
        not answers.unjudged
        and all(one.settled for one in selected)
        and all(
            answer.settled and all(claim.verdict == "holds" for claim in answer.claims) for answer in judged
        )
    )


def print_answers(answers: Answers, *, form: Form) -> None:
    if form == "json":
        emit_json(answers.as_dict())
    elif form == "csv":
        sys.stdout.write(answers_csv(answers))
    elif form == "markdown":
        sys.stdout.write(answers_markdown(answers))
    else:
        render_answers(answers, stdout())


def render_answers(answers: Answers, console: Console) -> None:
    """Question by question: arms, sentences, claims and caveats; what was selected; at the end the ledger of claims."""
    if not answers.answers and not (answers.retuned or answers.combined or answers.searches):
        console.print(Text(f"Study {answers.study} asks no questions; see its arms with `fairtrial show`."))
    for question in dict.fromkeys(answer.question for answer in answers):
        group = list(answers[question])
        console.print(Text(f"{question}  {group[0].variant} against {group[0].baseline}", style="bold"))
        render_group(group, console)
        console.print()
    _render_curves(answers, console)
    render_selections(answers, console)
    _render_ledger(ledger(answers), console)
    if answers.not_used:
        console.print(Text(answers.not_used))


def _render_curves(answers: Answers, console: Console) -> None:
    for factor in dict.fromkeys(curve.factor for curve in answers.curves):
        group = [curve for curve in answers.curves if curve.factor == factor]
        console.print(Text(f"Over {factor}", style="bold"))
        for curve in group:
            if curve.known:
                console.print(Padding(Text(curve.sentence), (0, 0, 0, 2), expand=False))
                console.print(Padding(Text(curve.guarantee, style="dim"), (0, 0, 0, 4), expand=False))
        for line in dict.fromkeys(curve.sentence for curve in group if not curve.known):
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
        console.print()


def _render_ledger(kept: Ledger, console: Console) -> None:
    if not kept.entries:
        return
    console.print(
        Text("The claims: what the text says | what its own tables say | what is true", style="bold")
    )
    for one in kept.entries:
        line = f"  {one.question}, {one.about}: {one.said} | {one.own_tables or '-'} | {one.found}"
        # One line for each claim however narrow the terminal, so that they can be searched and counted.
        console.print(Text(line), soft_wrap=True)
    for text in kept.sums:
        console.print(Text(text))
    for text in kept.facts:
        console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))
    console.print()
