"""A study as one Markdown document, for a README or a pull request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairtrial.analysis.ledger import ledger
from fairtrial.analysis.markdown import escaped, question_lines
from fairtrial.analysis.outstanding import headline, outstanding, outstanding_lines
from fairtrial.analysis.overview import curves_markdown, title
from fairtrial.analysis.searched_text import begun, every_trial
from fairtrial.analysis.selected_markdown import selected_markdown
from fairtrial.analysis.values import Answers
from fairtrial.report.files import write_text
from fairtrial.report.methods_paragraph import MARKDOWN, REFERENCES, method, software
from fairtrial.report.search_tables import proposals_table, selected_table
from fairtrial.report.tables import Table, answers_table, arms_table, claims_table, markdown_table
from fairtrial.study.schema import Study


def write_markdown(answers: Answers, path: str | Path) -> Path:
    """Write the report as Markdown. Raises FairtrialError where it cannot be written."""
    return write_text(path, markdown_report(answers))


def markdown_report(answers: Answers) -> str:
    return "\n".join(_lines(answers)).rstrip() + "\n"


def _lines(answers: Answers) -> Iterator[str]:
    yield from (f"# {escaped(title(answers))}", "", escaped(headline(answers)))
    for line in ledger(answers).sums:
        yield from ("", escaped(line))
    yield from _table("The answers", answers_table(answers))
    yield from _table("What was selected", selected_table(answers))
    lines = outstanding_lines(outstanding(answers))
    if lines:
        yield from ("", "## What is missing", "", *(f"- {escaped(line)}" for line in lines))
    if answers.declared.questions:
        yield from ("", "## Question by question", "")
    yield from _questions(answers)
    yield from _selected(answers)
    yield from curves_markdown(answers, heading="## ")
    yield from _table("The claims", claims_table(answers))
    if facts := ledger(answers).facts:
        yield from ("", *(f"- {escaped(line)}" for line in facts))
    yield from _table("The arms", arms_table(answers))
    yield from (
        "",
        "## Method",
        "",
        method(answers, MARKDOWN),
        "",
        *(f"- {escaped(one)}" for one in REFERENCES),
    )
    yield from ("", "## Where it was trained", "", *(f"- {escaped(one)}" for one in provenance(answers)))
    yield from ("", "## To reproduce it", "", *fenced(reproduce(answers.declared)))


def _table(heading: str, table: Table) -> Iterator[str]:
    if table.rows:
        yield from ("", f"## {heading}", "", escaped(table.caption), "", *markdown_table(table, escaped))


def _questions(answers: Answers) -> Iterator[str]:
    for question in answers.declared.questions:
        variant, baseline = escaped(question.variant), escaped(question.baseline)
        yield from (f"### {escaped(question.id)}: {variant} against {baseline}", "")
        for text in (question.ask, question.note):
            if text:
                yield from (f"> {escaped(text)}", "")
        yield from (*question_lines(answers[question.id].answers), "")


def _selected(answers: Answers) -> Iterator[str]:
    """Searches, re-tunings and combinations, then the best proposals of each search."""
    lines = list(selected_markdown(answers, heading="### "))
    if lines:
        yield from ("", "## What was selected, and judged on fresh seeds", "", *lines)
    for found in begun(answers):
        table = proposals_table(found)
        yield from (escaped(table.caption), "", *markdown_table(table, escaped), "")


def provenance(answers: Answers) -> tuple[str, ...]:
    """What trained the trials, how many of them where; nothing invented where nothing was trained."""
    trials = every_trial(answers)
    facts = [trial.outcome.provenance for trial in trials]
    lines = list(software(answers))
    commits = dict.fromkeys(one["commit"] for one in facts if one.get("commit"))
    if commits:
        lines.append(f"commit {', '.join(commits)} (+: with changes not committed)")
    precisions = dict.fromkeys(trial.precision for trial in trials)
    if precisions:
        lines.append(f"precision {', '.join(precisions)}")
    if not facts:
        lines.append("nothing has been trained yet")
    return tuple(lines)


def reproduce(study: Study) -> list[str]:
    """The commands that make these outcomes anew; for a study written in Python, what to call."""
    if not study.source:
        verb = "run" if study.questions or not study.search else "search"
        return [f"python -c 'import fairtrial as ft; ft.{verb}(study)'  # the study was written in Python"]
    words = [study.source, *(word for one in study.sets for word in ("--set", one))]
    searches = ("search",) if study.search else ()
    return [shlex.join(["fairtrial", verb, *words]) for verb in ("run", *searches, "answers")]


def fenced(lines: Sequence[str], language: str = "sh") -> list[str]:
    """A code block that no line of it can end."""
    ticks = max((len(run) for line in lines for run in re.findall(r"`{3,}", line)), default=2)
    fence = "`" * (ticks + 1)
    return [f"{fence}{language}", *lines, fence]
