"""What `import fairtrial` offers to programs: run a study, read its answers."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from fairtrial.analysis import Answers
from fairtrial.analysis import answers as answers_from
from fairtrial.analysis.gather import LAST_SEED
from fairtrial.durations import seconds_of as seconds_of
from fairtrial.errors import FairtrialError, StoreError
from fairtrial.store import Store
from fairtrial.store.reading import can_be_written, copy_to_read
from fairtrial.study import asking
from fairtrial.study.schema import Study
from fairtrial.study.studyfile import load
from fairtrial.study.studytext import study_text, write_new

if TYPE_CHECKING:
    from fairtrial.audit.result import Audit
    from fairtrial.dispatch import Weights
    from fairtrial.report.drawing import Figure
    from fairtrial.report.shown import Shown
    from fairtrial.trial import Event

LOG = logging.getLogger("fairtrial")
DEFAULT_STORE = "fairtrial.db"
ASK_BUDGET = "60s"
"""How long `ask` trains unless told; the least number of seeds may take longer."""


def store_path(given: str | Path | None = None) -> Path:
    """Where outcomes are kept: as given, else FAIRTRIAL_STORE, else fairtrial.db in the current folder."""
    path = Path(given or os.environ.get("FAIRTRIAL_STORE") or DEFAULT_STORE)
    try:
        if "\0" in str(path):
            raise ValueError
        path.exists()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise StoreError(f"{str(path)[:200]}: cannot be read: {reason}; choose another --store") from None
    return path


@contextmanager
def open_to_read(path: Path) -> Generator[Store]:
    """The store at `path`, or where there is none an empty one that leaves no file behind.

    One that cannot be written is read from a copy. Raises StoreError where there could not be one, for
    example in a folder that does not exist.
    """
    if path.is_file() and not can_be_written(path):
        with copy_to_read(path) as store:
            yield store
    elif path.exists() or not path.absolute().parent.is_dir():
        with Store.open(path) as store:
            yield store
    else:
        with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / DEFAULT_STORE) as store:
            yield store


def run(
    study: Study | str | Path,
    *,
    seeds: int | None = None,
    budget: str | float | None = None,
    arms: str | Collection[str] | None = None,
    questions: str | Collection[str] | None = None,
    workers: int | None = None,
    weights: Weights = "first",
    sharpen: bool = False,
    executor: str = "local",
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    track: str | Sequence[str] = (),
    progress: bool | None = None,
    store: str | Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Answers:
    """Train what is missing of `study`, or of the study so called, and return its answers.

    Its own questions first; what they leave of the budget goes to those whose arms are tuned first, and to those that
    combine others. `seeds` of each arm, or a `budget` in seconds or words such as "5m"; without either, until every question is
    settled or has had the seeds it may have. With `sharpen` a settled question goes on as long as its verdict
    may become sharper. `executor`: `local` is this machine, `ray` and `ray://HOST:PORT` are clusters, on which so many CPUs and
    GPUs are kept for each trial. `track` tells trackers of every trial, such as "tensorboard:runs". `progress` says how far it is: in
    a notebook's cell unless False, elsewhere as lines on standard error if True. Raises FairtrialError for what it cannot do.
    """
    from fairtrial.executors.choice import Place
    from fairtrial.searching import following
    from fairtrial.searching.work import telling
    from fairtrial.tracking.live import tracked
    from fairtrial.watching import narrator

    study = load(study)
    if seeds is not None and budget is not None:
        raise FairtrialError("give seeds or a budget, not both: each says when to stop")
    seeds = None if seeds is None else whole("seeds", seeds, most=LAST_SEED)
    workers = None if workers is None else whole("workers", workers)
    if weights not in ("first", "all", "none"):
        raise FairtrialError(f"weights must be first, all or none, got {weights!r}")
    budget_seconds = None if budget is None else seconds_of(budget)
    path = store_path(store)
    place = Place(name=executor, workers=workers, cpus=cpus_per_trial, gpus=gpus_per_trial)
    with (
        tracked([track] if isinstance(track, str) else track, say=LOG.warning) as trackers,
        Store.open(path) as opened,
        place.ready() as working,
    ):
        following.run(
            study,
            store=opened,
            executor=working,
            watch=narrator(progress).watching(trackers.watching(telling(on_event))),
            seeds=seeds,
            budget_seconds=budget_seconds,
            arms=[arms] if isinstance(arms, str) else arms,
            questions=[questions] if isinstance(questions, str) else questions,
            weights=weights,
            sharpen=sharpen,
        )
        return replace(answers_from(study, opened), store=path)


def whole(name: str, given: object, *, most: int | None = None) -> int:
    """A count from 1 as Python or NumPy writes it; what the command line refuses is refused here, too."""
    allowed = f"from 1 to {most}" if most else "from 1"
    if isinstance(given, Integral) and 1 <= int(given) <= (most or int(given)):
        return int(given)
    raise FairtrialError(f"{name} must be a whole number {allowed}, got {given!r}")


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


def answers(study: Study | str | Path, *, store: str | Path | None = None) -> Answers:
    """The answers to what is stored already; trains nothing and writes nothing."""
    study = load(study)
    path = store_path(store)
    with open_to_read(path) as opened:
        return replace(answers_from(study, opened), store=path)


def show(study: Study | str | Path, arm: str | None = None, *, store: str | Path | None = None) -> Shown:
    """Every model as a notebook shows it, or one: layer table, hyperparameters, figures, training time.

    Raises FairtrialError for an arm the study does not have.
    """
    from fairtrial.report.shown import shown

    with open_to_read(store_path(store)) as opened:
        return shown(load(study), arm, opened)


def figures(answers: Answers, question: str | None = None) -> dict[str, Figure]:
    """The figures of one question or search, or of the whole study, by kind: `figures(answers, "Q1")["intervals"]`.

    Each shows itself in a notebook and has `svg()`, `pdf()` and, for Altair, `chart`.
    """
    from fairtrial.report.gallery import figures_of, study_figures

    return study_figures(answers) if question is None else figures_of(answers, question)


def write_report(answers: Answers | Audit, path: str | Path) -> Path:
    """Write the report on `answers` to `path`, of the kind its suffix names: `.html` a page to look at.

    `.ipynb` is a notebook, `.md` Markdown, `.tex` LaTeX, `.csv` and `.json` data; an audit is written as `.html` alone.
    Raises FairtrialError for any other, and for a place that cannot be written to.
    """
    from fairtrial.report.exports import write_csv, write_json
    from fairtrial.report.latex import write_latex
    from fairtrial.report.markdown import write_markdown
    from fairtrial.report.notebook import write_notebook

    writers: dict[str, Callable[[Answers, Path], object]] = {
        ".html": write_page,
        ".ipynb": write_notebook,
        ".md": write_markdown,
        ".tex": write_latex,
        ".csv": write_csv,
        ".json": write_json,
    }
    wanted = Path(path)
    if not isinstance(answers, Answers):
        from fairtrial.report.audit_page import write_audit_page

        return write_audit_page([answers], wanted)
    writer = writers.get(wanted.suffix.lower())
    if writer is None:
        raise FairtrialError(f"{path}: the end of a report's name says its kind: {', '.join(writers)}")
    writer(answers, wanted)
    return wanted


def write_page(answers: Answers, path: Path) -> None:
    """Write one HTML page that needs nothing else; what it shows beside the answers is read from their store.

    Raises FairtrialError for answers that do not know their study and store, and where it cannot be written.
    """
    from fairtrial.report.evidence import read_evidence
    from fairtrial.report.files import write_text
    from fairtrial.report.javascript import Bundle
    from fairtrial.report.page import page

    if answers.store is None:
        raise FairtrialError("these answers do not know their store; ask for them with fairtrial.answers")
    bundle = Bundle()  # takes its time in a process of its own
    with open_to_read(answers.store) as opened:
        text = page(read_evidence(answers, opened), bundle=bundle)
    write_text(path, text)
