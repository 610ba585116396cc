"""A study as LaTeX: tables for `booktabs`, `array` and `longtable`, and the methods paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fairtrial.analysis.outstanding import headline, outstanding, outstanding_lines
from fairtrial.analysis.overview import title
from fairtrial.analysis.searched import Searched
from fairtrial.analysis.searched_text import NO_EVIDENCE, asked, begun, candidate_facts, caveats, estimates
from fairtrial.analysis.values import Answers
from fairtrial.report.files import write_text
from fairtrial.report.latex_text import latex, needs_unicode_engine
from fairtrial.report.methods_paragraph import LATEX, REFERENCES, method
from fairtrial.report.search_tables import proposals_table, selected_table
from fairtrial.report.tables import Table, answers_table, arms_table, claims_table


def write_latex(answers: Answers, path: str | Path) -> Path:
    """Write a fragment for `\\input`. Raises FairtrialError where it cannot be written."""
    return write_text(path, latex_report(answers))


def latex_report(answers: Answers) -> str:
    body = "\n".join(_body(answers)).rstrip() + "\n"
    engine = "% It holds characters that need lualatex or xelatex.\n" if needs_unicode_engine(body) else ""
    return (
        f"% Made by fairtrial {answers.version}: \\input this file.\n"
        f"% In the preamble: \\usepackage{{array,booktabs,longtable}}\n{engine}\n{body}"
    )


def _body(answers: Answers) -> Iterator[str]:
    yield rf"\paragraph{{{latex(title(answers))}}}"
    yield latex(headline(answers))
    lines = outstanding_lines(outstanding(answers))
    if lines:
        yield r"\begin{itemize}"
        yield from (rf"  \item {latex(line)}" for line in lines)
        yield r"\end{itemize}"
    yield ""
    yield r"\paragraph{Method}"
    yield method(answers, LATEX)
    yield ""
    yield r"\begin{itemize}"
    yield from (rf"  \item {latex(one)}" for one in REFERENCES)
    yield r"\end{itemize}"
    yield ""
    for found in begun(answers):
        yield from _search(found)
    tables = [
        answers_table(answers),
        selected_table(answers),
        claims_table(answers),
        arms_table(answers),
    ]
    for table in (*tables, *map(proposals_table, begun(answers))):
        if table.rows:
            yield from latex_table(table)


def _search(found: Searched) -> Iterator[str]:
    """The question and its confirmation, the candidate, then what the search saw."""
    yield rf"\paragraph{{{latex(found.search.id)}: {latex(asked(found))}}}"
    yield latex(found.sentence)
    facts = [f"{name}: {value}" for name, value in candidate_facts(found)]
    facts += [f"caveat: {one}" for one in caveats(found)]
    if facts:
        yield r"\begin{itemize}"
        yield from (rf"  \item {latex(one)}" for one in facts)
        yield r"\end{itemize}"
    yield ""
    yield rf"\emph{{The search itself: {latex(NO_EVIDENCE)}.}} {latex(' '.join(estimates(found)))}"
    yield ""


def label(name: str) -> str:
    """A name that may stand in a label: of an id what LaTeX and every engine read as it is.

    >>> label("proposals-Q1_search"), label("claims")
    ('proposals-Q1-search', 'claims')
    """
    return re.sub(r"[^A-Za-z0-9.:-]", "-", name)


def latex_table(table: Table) -> Iterator[str]:
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{width}\linewidth}}" for width in table.widths)
    heads = " & ".join(latex(head) for head in table.heads)
    yield r"{\footnotesize\setlength{\tabcolsep}{3pt}"
    yield rf"\begin{{longtable}}{{{columns}}}"
    yield rf"\caption{{{latex(table.caption)}}}\label{{tab:{label(table.name)}}}\\"
    yield r"\toprule"
    yield rf"{heads} \\"
    yield r"\midrule"
    yield r"\endhead"
    yield r"\bottomrule"
    yield r"\endfoot"
    for row in table.rows:
        yield rf"{' & '.join(latex(cell) for cell in row)} \\"
    yield r"\end{longtable}}"
    yield ""
