"""Trackers told of a run while it goes on: from threads of their own, so that none holds a training up or ends it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from fairtrial.analysis.gather import trials
from fairtrial.errors import FairtrialError, printable
from fairtrial.study.schema import Study
from fairtrial.tracking.opening import open_tracker
from fairtrial.tracking.runs import News, Run, Tracker, without_password
from fairtrial.trial import Event, Lost, Outcome, Progress, Started, Trial

if TYPE_CHECKING:
    from fairtrial.searching.work import Watch

CLOSING_SECONDS = 10.0
"""How long the end of a run waits for a tracker that still has something to take."""

PATIENCE = 5.0
"""Seconds that a run waits in all, whenever nothing trains, so that no tracker works beside a pair being timed."""


class _Thread:
    """One tracker with what it has not taken yet. What its library raises ends it, and nothing else."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.failed = ""
        self.waiting: queue.Queue[tuple[Run, News] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, name=tracker.name, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            told = self.waiting.get()
            try:
                if not self.failed:
                    self.tracker.take(*told) if told is not None else self.tracker.close()
            except Exception as error:  # noqa: BLE001  whatever a tracker's library raises, training goes on
                self.failed = reason(error)
            finally:
                self.waiting.task_done()
            if told is None:
                return

    def wait(self, seconds: float) -> None:
        """Until everything is taken, or so long."""
        with self.waiting.all_tasks_done:
            self.waiting.all_tasks_done.wait_for(lambda: not self.waiting.unfinished_tasks, timeout=seconds)

    def close(self, seconds: float) -> int:
        """Let it take the rest for so long; how much is left over."""
        self.waiting.put(None)
        self._thread.join(seconds)
        return self.waiting.unfinished_tasks


class Tracked:
    """What passes a run's events on. Failures are said in the caller's thread, each tracker's once."""

    def __init__(self, trackers: Iterable[Tracker], say: Callable[[str], None]) -> None:
        self._threads = [_Thread(tracker) for tracker in trackers]
        self._say = say
        self._said: set[str] = set()
        self._expected: dict[str, tuple[str, Trial]] = {}
        self._running: dict[str, Run] = {}
        self._patience = PATIENCE

    def expect(self, study: str, some: Iterable[Trial]) -> None:
        """Events tell a key alone: these are the trials that may be meant."""
        if self._threads:
            self._expected |= {trial.key: (study, trial) for trial in some}

    def expect_study(
        self, study: Study, names: Collection[str] | None = None, *, seeds: int | None = None
    ) -> None:
        if self._threads:
            for name in study.arms if names is None else names:
                last = max(study.seeds.max, seeds or 0)
                self.expect(study.name, trials(study.arms[name], range(1, last + 1)))

    def take(self, event: Event) -> None:
        """Tell every tracker what has happened, as far as it is about a trial."""
        if not self._threads:
            return
        match event:
            case Started() if event.key in self._expected:
                study, trial = self._expected[event.key]
                self._running[event.key] = Run(study=study, trial=trial)
                self._tell(event.key, event)
            case Progress():
                self._tell(event.key, event.record)
            case Outcome() | Lost():
                self._tell(event.key, event)
                self._running.pop(event.key, None)
                if not self._running:
                    self._catch_up()
            case _:
                pass
        self._say_failures()

    def watching(self, watch: Watch) -> Watch:
        """The same watch, with the trackers told after it."""

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

        return both if self._threads else watch

    def close(self) -> None:
        until = time.monotonic() + CLOSING_SECONDS
        for thread in self._threads:
            left = thread.close(max(0.0, until - time.monotonic()))
            if left and not thread.failed:
                thread.failed = f"it has not answered for {CLOSING_SECONDS:.0f} seconds"
        self._say_failures()

    def _tell(self, key: str, news: News) -> None:
        run = self._running.get(key)
        if run is not None:
            for thread in self._threads:
                thread.waiting.put((run, news))

    def _catch_up(self) -> None:
        began = time.monotonic()
        for thread in self._threads:
            thread.wait(max(0.0, self._patience - (time.monotonic() - began)))
        self._patience = max(0.0, self._patience - (time.monotonic() - began))

    def _say_failures(self) -> None:
        for thread in self._threads:
            name = thread.tracker.name
            if thread.failed and name not in self._said:
                self._said.add(name)
                self._say(
                    f"note: {name} is told no more of this run: {thread.failed}; training goes on, and `fairtrial export` "
                    "tells it what it lacks"
                )


@contextmanager
def tracked(targets: Sequence[str], *, say: Callable[[str], None]) -> Generator[Tracked]:
    """Trackers for the length of a run. Raises FairtrialError, before anything is trained, for one that cannot be."""
    twice = next((one for one in targets if list(targets).count(one) > 1), None)
    if twice is not None:
        raise FairtrialError(f"tracking to {twice[:200]!r} is asked for twice; once is enough")
    made = Tracked([open_tracker(target) for target in targets], say)
    try:
        yield made
    finally:
        made.close()


def reason(error: BaseException) -> str:
    """Why a tracker failed, in one line of bounded length."""
    words = without_password(" ".join(printable(str(error)).split()))
    if "Max retries exceeded" in words or "Connection refused" in words:
        return "nobody answers there"
    text = error.strerror if isinstance(error, OSError) and error.strerror else words
    place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    return f"{place}{text}"[:300] or type(error).__name__
