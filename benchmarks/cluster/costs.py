"""What a study's trials cost and when its questions settle, as measured: what the simulation draws from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairtrial.analysis import Answer, Answers, answers
from fairtrial.analysis.contrast import value
from fairtrial.analysis.cost import costs
from fairtrial.analysis.prices import ASSUMED_ERROR
from fairtrial.analysis.values import PHASES, ArmTrials
from fairtrial.api import open_to_read
from fairtrial.report.precisions import settings_for
from fairtrial.stats.forecast import planned_spread
from fairtrial.stats.intervals import spread
from fairtrial.stats.looks import replay
from fairtrial.stats.verdict import Verdict
from fairtrial.study import studyfile
from fairtrial.study.schema import Study

DRAWS = 12
"""How often each verdict's contrasts are drawn; a copy of the study takes one of the draws of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question: its arms by number, and for each draw the seeds at which its last verdict on accuracy is settled."""

    variant: int
    baseline: int
    settles: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Mean seconds of a trial, arm by arm; `spread` is the standard deviation of their logarithms within an arm.

    `trials` were measured in all; `verdicts` are those that all questions ask for.
    """

    study: str
    seconds: tuple[float, ...]
    spread: float
    trials: int
    verdicts: int
    questions: tuple[Asked, ...]
    least: int
    horizon: int


def measured(source: str, store: Path, *, seed: int = 1) -> Measured:
    """From a store that holds some trials of the study, of whichever machine trained most of them.

    It is read from a copy: to open a store changes a byte of it.
    """
    with tempfile.TemporaryDirectory() as folder, open_to_read(Path(shutil.copy(store, folder))) as opened:
        # Whatever this processor's own precision is.
        study = studyfile.load(source, sets=settings_for(studyfile.load(source), opened))
        found = answers(study, opened, history=False)
    arms = {one.arm.name: one for one in found.arms}
    by_arm = {name: _seconds(arm) for name, arm in arms.items()}
    reckoned = costs(arms)
    rng = np.random.default_rng(seed)
    number = {name: place for place, name in enumerate(arms)}
    return Measured(
        study=study.name,
        seconds=tuple(
            float(np.mean(by_arm[name])) if by_arm[name] else reckoned[name].seconds for name in arms
        ),
        spread=_within(by_arm.values()),
        trials=sum(map(len, by_arm.values())),
        verdicts=len(found),
        questions=tuple(
            Asked(
                variant=number[question.variant],
                baseline=number[question.baseline],
                settles=tuple(
                    max(_settles(one, study, arms, rng) for one in _on_accuracy(found, question.id))
                    for _ in range(DRAWS)
                ),
            )
            for question in study.questions
        ),
        least=study.seeds.min,
        horizon=study.seeds.max,
    )


def _seconds(arm: ArmTrials) -> list[float]:
    return [
        sum(one.outcome.seconds.get(phase, 0.0) for phase in PHASES if phase != "fit")
        for one in arm.trials
        if one.outcome.state == "finished"
    ]


def _within(by_arm: object) -> float:
    """Pooled over arms that have several trials."""
    logs = [np.log(some) for some in by_arm if len(some) > 1]  # pyright: ignore[reportGeneralTypeIssues]
    squares = sum(float(((one - one.mean()) ** 2).sum()) for one in logs)
    return float(np.sqrt(squares / sum(len(one) - 1 for one in logs)))


def _on_accuracy(found: Answers, question: str) -> Iterator[Answer]:
    return (one for one in found if one.question == question and one.metric == "accuracy")


def _settles(answer: Answer, study: Study, arms: dict[str, ArmTrials], rng: np.random.Generator) -> int:
    """Contrasts about the measured mean with the measured spread; planned from the errors where that takes more seeds."""
    values = np.array([contrast for _, contrast in answer.contrasts])
    if len(values) >= study.seeds.min:
        sd = spread(values, floor=answer.terms.floor)
    else:
        errors = [_error(arms[name], answer) for name in (answer.variant, answer.baseline)]
        data = arms[answer.variant].arm.settings.data
        images = data.validation if answer.on == "validation" else data.facts.test_images
        sd = max(planned_spread(*errors, examples=images), answer.terms.floor)
    mean = float(values.mean()) if len(values) else 0.0
    drawn = rng.normal(mean, sd, study.seeds.max)
    looks = replay(
        drawn,
        margin=answer.terms.margin,
        alpha=answer.terms.alpha,
        first=study.seeds.min,
        horizon=study.seeds.max,
        floor=answer.terms.floor,
        goal=answer.terms.goal,
    )
    return next((one.n for one in looks if one.standing is not Verdict.UNDECIDED), study.seeds.max)


def _error(arm: ArmTrials, answer: Answer) -> float:
    assert answer.on is not None and answer.over is not None
    known = [value(one, metric="accuracy", on=answer.on, over=answer.over) for one in arm.trials]
    measured = [1 - one for one in known if one is not None]
    return float(np.mean(measured)) if measured else ASSUMED_ERROR
