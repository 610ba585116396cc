"""Which question gets the next seed: the open one that costs least, until none is open."""

from __future__ import annotations

from collections.abc import Collection

from fairtrial.analysis import Answers, answers
from fairtrial.analysis.gather import trials
from fairtrial.analysis.looking import record_looks
from fairtrial.analysis.register import promised
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.shapes import training_work
from fairtrial.trial import Trial


class LatestAnswers:
    """The answers to what is stored, read once for all that came in since, every look of theirs stored.

    The study's plan is registered by then: what was promised stays the same from here on.
    """

    def __init__(self, study: Study, store: Store) -> None:
        self._study = study
        self._store = store
        self._found: Answers | None = None
        self._known: set[tuple[str, int]] = set()
        self._promises = promised(study, store)

    def outdated(self) -> None:
        """Another outcome has come in."""
        self._found = None

    def read(self) -> Answers:
        if self._found is None:
            self._found = answers(self._study, self._store, history=False, promises=self._promises)
            record_looks(self._found, self._store, known=self._known)
        return self._found


def next_seed(
    study: Study, found: Answers, *, arms: Collection[str], taken: Collection[str], sharpen: bool = False
) -> list[Trial]:
    """The missing trials of the next seed of one open question; none if there is no such question.

    `found` are the answers so far. A question is open while more seeds may still settle it: its verdict is undecided and it is
    short of `seeds.max`; with `sharpen` also where more seeds may say more without taking anything back.
    Of the open ones whose arms are among `arms`, the one whose next seed
    costs least is chosen. Cost is arithmetic (`training_work`), not clock time, so that a
    resumed run asks for the same seeds. `taken` are keys that are running or were given up:
    a question that waits for one of these waits.
    """
    best: tuple[int, list[Trial]] | None = None
    known = {trial.key for arm in found.arms for trial in arm.trials}
    for answer in found:
        seed = answer.seeds + 1
        # Times are settled by clocks of their own, never by more ordinary trials.
        if not answer.is_open(sharpen=sharpen) or answer.metric == "time" or seed > study.seeds.max:
            continue
        if answer.variant not in arms or answer.baseline not in arms:
            continue
        pair = [
            trial
            for name in (answer.variant, answer.baseline)
            for trial in trials(study.arms[name], range(seed, seed + 1))
        ]
        missing = [trial for trial in pair if trial.key not in known]
        if not missing or any(trial.key in taken for trial in missing):
            continue
        cost = sum(training_work(trial.arm) for trial in missing)
        if best is None or cost < best[0]:
            best = (cost, missing)
    return [] if best is None else best[1]
