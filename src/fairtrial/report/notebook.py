"""A study as a Jupyter notebook: one section per question, its code on the public names, outputs included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.overview import title
from fairtrial.analysis.searched import Searched
from fairtrial.analysis.searched_text import asked
from fairtrial.analysis.selected_markdown import (
    combined_lines,
    combined_title,
    retuned_lines,
    retuned_title,
)
from fairtrial.analysis.values import Answers
from fairtrial.errors import FairtrialError
from fairtrial.report.cells import Cell, code, notebook_json, relative, text
from fairtrial.report.files import write_text
from fairtrial.report.gallery import figures_of, question_figures, study_figures
from fairtrial.report.markdown import fenced, provenance, reproduce
from fairtrial.report.methods_paragraph import MARKDOWN, REFERENCES, method
from fairtrial.report.reproduction import shown_arms
from fairtrial.study.factors import differences
from fairtrial.study.schema import Question, Study
from fairtrial.study.studyfile import builtin_names


def write_notebook(answers: Answers, path: str | Path) -> Path:
    """Write the notebook of a study read from `answers.store`; running it again trains nothing.

    Raises FairtrialError where it cannot be written, and for a study written in Python, which a notebook
    could not load again.
    """
    target = Path(path)
    folder = target.absolute().parent
    if not answers.declared.source:
        raise FairtrialError(
            f"study {answers.study!r} was written in Python, so that a notebook could not load it again: "
            "write it to a study file and load that"
        )
    if answers.store is None:
        raise FairtrialError(
            "these answers do not say which store they come from; read them with fairtrial.answers"
        )
    if not folder.is_dir():
        raise FairtrialError(f"{target} cannot be written: its folder must exist")
    cells = list(notebook_cells(answers, folder=folder, store=answers.store))
    return write_text(target, notebook_json(cells, folder=folder))


def notebook_cells(answers: Answers, *, folder: Path, store: Path) -> Iterator[Cell]:
    study = answers.declared
    yield text(
        f"# {escaped(title(answers))}",
        "",
        f"Made by fairtrial {answers.version}. Every output below comes from running the cell above it; running all "
        "of them again trains nothing.",
    )
    yield _opening(study, folder=folder, store=store)
    yield text("## The answers at a glance")
    yield code("answers")
    yield code('ft.figures(answers)["intervals"]')
    shown: set[str] = set()
    for question in study.questions:
        yield text(*_heading(question, study))
        for name in (question.baseline, question.variant):
            if name not in shown:
                shown.add(name)
                yield _model(name)
        yield code(f"answers[{question.id!r}]")
        for kind in question_figures(answers, question.id):
            yield code(f"ft.figures(answers, {question.id!r})[{kind!r}]")
    for place, found in enumerate(answers.searches):
        if found.points:
            yield from _search(found, answers, place=place)
    yield from _selections(answers)
    others = [name for name in study.arms if name not in shown]
    if others:
        yield text("## Models no question is about")
        yield from (_model(name) for name in others)
    yield text("## The study as a whole")
    for kind in study_figures(answers):
        if kind != "intervals":
            yield code(f"ft.figures(answers)[{kind!r}]")
    if shown_arms(study):
        yield text(
            "What somebody printed for these models, the same protocol reproduced, and done right: means over seeds."
        )
        yield code("ft.show(study, store=store).printed")
    yield text(
        "## How the answers were made",
        "",
        method(answers, MARKDOWN),
        "",
        *(f"- {escaped(one)}" for one in REFERENCES),
    )
    yield text(
        "## Where it was trained, and how to do it again",
        "",
        *(f"- {escaped(one)}" for one in provenance(answers)),
        "",
        *fenced(reproduce(study)),
    )


def _opening(study: Study, *, folder: Path, store: Path) -> Cell:
    where = relative(store, folder)
    lines = ["from pathlib import Path", "", "import fairtrial as ft", "", f"store = Path({where!r})"]
    if store.exists():
        # Where nothing is stored yet there is nothing to miss, and the study is shown as it is.
        lines += [
            "if not store.exists():",
            "    store = Path(store.name)  # the notebook was moved, with the store beside it",
            "if not store.exists():",
            '    raise FileNotFoundError(f"no store {store}: the outcomes this notebook was made from belong beside it")',
        ]
    source = study.source if study.source in builtin_names() else relative(Path(study.source), folder)
    sets = f", sets={study.sets!r}" if study.sets else ""
    lines += [f"study = ft.load({source!r}{sets})", "answers = ft.answers(study, store=store)"]
    return code(*lines)


def _search(found: Searched, answers: Answers, *, place: int) -> Iterator[Cell]:
    """What was asked, the confirmation with what the search saw after it, and the figures."""
    yield text(
        f"## {escaped(found.search.id)}: a search from {escaped(found.search.baseline)}",
        "",
        f"> {escaped(asked(found))}",
    )
    yield code(f"answers.searches[{place}]")
    for kind in figures_of(answers, found.search.id):
        yield code(f"ft.figures(answers, {found.search.id!r})[{kind!r}]")


def _selections(answers: Answers) -> Iterator[Cell]:
    """What came of arms tuned first and of improvements put together, a section each."""
    sections = [
        *((found.question, retuned_title(found), retuned_lines(found)) for found in answers.retuned),
        *((found.question, combined_title(found), combined_lines(found)) for found in answers.combined),
    ]
    for question, heading, lines in sections:
        said = (line for one in (question.ask, question.note) if one for line in (f"> {escaped(one)}", ""))
        yield text(f"## {heading}", "", *said, *lines)


def _model(name: str) -> Cell:
    return code(f"ft.show(study, {name!r}, store=store)")


def _heading(question: Question, study: Study) -> Iterator[str]:
    yield f"## {escaped(question.id)}: {escaped(question.variant)} against {escaped(question.baseline)}"
    for said in (question.ask, question.note):
        if said:
            yield from ("", f"> {escaped(said)}")
    apart = differences(study.arms[question.variant], study.arms[question.baseline])
    if apart:
        yield from ("", "What differs:", "", *(f"- {escaped(str(one))}" for one in apart))
