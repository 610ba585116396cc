"""How far a run is, for whoever calls it from Python: one line that changes in a notebook's cell, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from fairtrial.analysis.gather import trials
from fairtrial.durations import duration
from fairtrial.study.schema import Study
from fairtrial.trial import Event, Lost, Outcome, Progress, Started, Trial

if TYPE_CHECKING:
    from fairtrial.searching.work import Watch

SECONDS = 0.3
"""The line changes no more often: each change is a message to the reader's browser."""


class Narrator:
    """Says what trains and what came of it. `show` is given the line as it stands, and whether a trial has ended."""

    def __init__(self, show: Callable[[str, bool], None]) -> None:
        self._show = show
        self._planned: dict[str, Trial] = {}
        self._running: dict[str, str] = {}
        self._done = 0
        self._last = ""
        self._began = self._shown = time.monotonic()

    def expect(self, some: Iterable[Trial]) -> None:
        self._planned |= {trial.key: trial for trial in some}

    def take(self, event: Event) -> None:
        match event:
            case Started() if event.key in self._planned:
                self._running[event.key] = _named(self._planned[event.key])
            case Progress() if event.key in self._running:
                trial = self._planned[event.key]
                self._running[event.key] = f"{_named(trial)}, epoch {event.record.epoch} of {event.epochs}"
            case Outcome() | Lost() if event.key in self._running:
                del self._running[event.key]
                self._done += isinstance(event, Outcome)
                self._last = f"{_named(self._planned[event.key])}: {_came_to(event)}"
                self._tell(ended=True)
                return
            case _:
                pass
        if time.monotonic() - self._shown > SECONDS:
            self._tell(ended=False)

    def _tell(self, *, ended: bool) -> None:
        self._shown = time.monotonic()
        passed = duration(self._shown - self._began)
        running = f"; now {'; '.join(self._running.values())}" if self._running else ""
        last = f". Last: {self._last}" if self._last else ""
        self._show(f"{self._done} trained in {passed}{running}{last}", ended)

    def watching(self, watch: Watch) -> Watch:
        """The same watch, with the line kept up to date after it."""

        def both(
            study: Study, arms: Collection[str], *, seeds: int | None, budget_seconds: float | None
        ) -> AbstractContextManager[Callable[[Event], None]]:
            @contextmanager
            def watched() -> Generator[Callable[[Event], None]]:
                self.expect_study(study, arms, seeds=seeds)
                with watch(study, arms, seeds=seeds, budget_seconds=budget_seconds) as on_event:

                    def take(event: Event) -> None:
                        on_event(event)
                        self.take(event)

                    yield take

            return watched()

        return both

    def expect_study(
        self, study: Study, names: Collection[str] | None = None, *, seeds: int | None = None
    ) -> None:
        for name in study.arms if names is None else names:
            last = max(study.seeds.max, seeds or 0)
            self.expect(trials(study.arms[name], range(1, last + 1)))


def narrator(wanted: bool | None) -> Narrator:
    """With None in a notebook alone; with True everywhere; with False one that says nothing."""
    if wanted is False:
        return Narrator(lambda line, ended: None)
    if in_notebook():
        return Narrator(_Cell())
    return Narrator(_line if wanted else lambda line, ended: None)


def in_notebook() -> bool:
    """Whether this runs in a cell that can be written to again: Jupyter, Colab, VS Code; not a terminal's IPython."""
    module = sys.modules.get("IPython")
    shell: Any = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")


class _Cell:
    """One output of a notebook's cell, replaced again and again; as text, so that any front end shows it."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, line: str, ended: bool) -> None:
        from IPython.display import display  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

        if self._handle is None:
            self._handle = display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": line}, raw=True)


def _line(line: str, ended: bool) -> None:
    """A line for each trial that has ended: a file or a pipe keeps them all, and none commands a terminal."""
    if ended:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _named(trial: Trial) -> str:
    return f"{trial.arm.name} seed {trial.number}"


def _came_to(event: Outcome | Lost) -> str:
    if isinstance(event, Lost):
        return f"{event.state}: {event.reason}"
    if event.state == "diverged":
        return f"diverged: {event.reason}"
    return f"validation accuracy {100 * event.metrics['validation_accuracy']:.2f} %"
