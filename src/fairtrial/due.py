"""Which trials a study is due: of the arms asked for, so many seeds, without those there already."""

from __future__ import annotations

from collections.abc import Collection

from fairtrial.analysis.gather import trial_of
from fairtrial.errors import StudyError
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.shapes import training_work
from fairtrial.trial import Trial


def selected(
    study: Study, *, arms: Collection[str] | None = None, questions: Collection[str] | None = None
) -> tuple[str, ...]:
    """Names of the arms to train: all of them, or those named and those the named questions need."""
    if not arms and not questions:
        return tuple(study.arms)
    named = set(arms or ())
    asked = {question.id: question for question in study.questions}
    for unknown in named - set(study.arms):
        raise StudyError(f"no arm {unknown!r} in study {study.name!r}; it has {', '.join(study.arms)}")
    for wanted in questions or ():
        if wanted not in asked:
            raise StudyError(f"no question {wanted!r} in study {study.name!r}; it has {', '.join(asked)}")
        named |= {asked[wanted].variant, asked[wanted].baseline}
    return tuple(name for name in study.arms if name in named)


def trials(study: Study, names: Collection[str], seeds: int) -> list[Trial]:
    """Seeds 1 to `seeds` of the named arms, seed by seed, most work first; arms of one identity once."""
    unique: dict[str, Trial] = {}
    by_work = sorted(names, key=lambda name: training_work(study.arms[name]), reverse=True)
    for seed in range(1, seeds + 1):
        for name in by_work:
            arm = study.arms[name]
            trial = trial_of(arm, seed)
            unique.setdefault(trial.key, trial)
    return list(unique.values())


def missing(study: Study, store: Store, names: Collection[str], seeds: int) -> list[Trial]:
    """Those trials that have no final outcome yet.

    Those given up by earlier runs are among them: the disk may have room again by now. Each has one more attempt.
    """
    wanted = trials(study, names, seeds)
    known = store.known(trial.key for trial in wanted)
    return [trial for trial in wanted if trial.key not in known]
