"""What `import fairtrial` offers to programs: run a study, read its answers."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fairtrial.analysis import Answers
from fairtrial.analysis import answers as answers_from
from fairtrial.durations import seconds_in
from fairtrial.store import Store
from fairtrial.study import asking
from fairtrial.study.schema import Study
from fairtrial.study.studytext import study_text, write_new

if TYPE_CHECKING:
    from fairtrial.report.drawing import Figure
    from fairtrial.report.shown import Shown
    from fairtrial.runner import Weights
    from fairtrial.trial import Event

DEFAULT_STORE = "fairtrial.db"
ASK_BUDGET = "60s"
"""How long `ask` trains unless told; the least number of seeds may take longer."""


def store_path(given: str | Path | None = None) -> Path:
    """Where outcomes are kept: as given, else FAIRTRIAL_STORE, else fairtrial.db in the current folder."""
    return Path(given or os.environ.get("FAIRTRIAL_STORE") or DEFAULT_STORE)


@contextmanager
def open_to_read(path: Path) -> Generator[Store]:
    """The store at `path`, or where there is none an empty one that leaves no file behind.

    Raises StoreError where there could not be one, for example in a folder that does not exist.
    """
    if path.exists() or not path.absolute().parent.is_dir():
        with Store.open(path) as store:
            yield store
    else:
        with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / DEFAULT_STORE) as store:
            yield store


def run(
    study: Study,
    *,
    seeds: int | None = None,
    budget: str | float | None = None,
    arms: Collection[str] | None = None,
    questions: Collection[str] | None = None,
    workers: int | None = None,
    weights: Weights = "first",
    store: str | Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Answers:
    """Train what is missing of `study` on this machine and return its answers.

    `budget` is in seconds or words such as "5m". Raises FairtrialError for what it cannot do.
    """
    from fairtrial import runner
    from fairtrial.executors.local import LocalExecutor

    budget_seconds = seconds_in(budget) if isinstance(budget, str) else budget
    path = store_path(store)
    with Store.open(path) as opened, LocalExecutor(workers=workers) as executor:
        runner.run(
            study,
            store=opened,
            executor=executor,
            seeds=seeds,
            budget_seconds=budget_seconds,
            arms=arms,
            questions=questions,
            weights=weights,
            on_event=on_event,
        )
        return replace(answers_from(study, opened), store=path)


def ask(
    path: str,
    *values: object,
    budget: str | float | None = ASK_BUDGET,
    base: str | Path = "width",
    start: str | None = None,
    sets: Sequence[str] = (),
    metrics: Sequence[str] = ("accuracy",),
    on: Sequence[str] = ("validation",),
    save: str | Path | None = None,
    workers: int | None = None,
    store: str | Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Answers:
    """What the setting at `path` does: train with each of `values` and hold them against the first.

    `ask("network.mlp.width", 50, 200)` needs no study file; it departs from the base of the study `base`, or
    from its arm `start`, with `sets` ("epochs=2") applied. `save` writes the study file that asks the same.
    Raises FairtrialError for what it cannot do.
    """
    asked = asking.ask(
        path,
        asking.values_from_python(path, values),
        base=base,
        start=start,
        sets=sets,
        metrics=metrics,
        on=on,
    )
    if save is not None:
        write_new(Path(save), study_text(asked, file=Path(save).name))
    return run(asked.study, budget=budget, workers=workers, store=store, on_event=on_event)


def answers(study: Study, *, store: str | Path | None = None) -> Answers:
    """The answers to what is stored already; trains nothing and writes nothing."""
    path = store_path(store)
    with open_to_read(path) as opened:
        return replace(answers_from(study, opened), store=path)


def show(study: Study, arm: str | None = None, *, store: str | Path | None = None) -> Shown:
    """Every model as a notebook shows it, or one: layer table, hyperparameters, figures, training time.

    Raises FairtrialError for an arm the study does not have.
    """
    from fairtrial.report.shown import shown

    with open_to_read(store_path(store)) as opened:
        return shown(study, arm, opened)


def figures(answers: Answers, question: str | None = None) -> dict[str, Figure]:
    """The figures of one question, or of the whole study, by kind: `figures(answers, "Q1")["intervals"]`.

    Each shows itself in a notebook and has `svg()`, `pdf()` and, for Altair, `chart`.
    """
    from fairtrial.report.gallery import question_figures, study_figures

    return study_figures(answers) if question is None else question_figures(answers, question)
def write_report(answers: Answers, path: str | Path, *, commands: Sequence[str] = ()) -> Path:
    """Write the report on `answers` to `path`, an HTML page that needs nothing else; returns the path.

    What it shows beside the answers is read from the store they came from. `commands` are printed as what it
    takes to have the page again, worked out from the study's file unless given. Raises FairtrialError for
    what it cannot do.
    """
    from fairtrial.report.evidence import read_evidence
    from fairtrial.report.javascript import Bundle
    from fairtrial.report.page import page

    wanted = Path(path)
    if wanted.suffix.lower() not in {".html", ".htm"}:
        raise FairtrialError(f"{path}: a report is written to a file that ends in .html")
    if answers.asked is None or answers.store is None:
        raise FairtrialError(
            "these answers do not know their study and store; ask for them with ft.answers(study)"
        )
    bundle = Bundle()  # takes its time in a process of its own
    with open_to_read(answers.store) as opened:
        found = read_evidence(answers.asked, answers, opened)
        text = page(found, bundle=bundle, commands=commands or _commands(answers.asked))
    try:
        wanted.write_bytes(text.encode(errors="replace"))
    except OSError as error:
        raise FairtrialError(f"{path}: cannot be written: {error.strerror or error}") from None
    return wanted


def _commands(study: Study) -> tuple[str, ...]:
    """A study written in Python has no name that a command could take."""
    if not study.source:
        return ("answers = ft.run(study)", 'ft.write_report(answers, "report.html")')
    return (shlex.join(["fairtrial", "run", study.source]), shlex.join(["fairtrial", "report", study.source]))
