"""What a report shows beside the answers, read from the store once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.clocks import clock_of
from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.timing import time_contrast, timed
from fairtrial.analysis.values import Answers, ArmTrials
from fairtrial.data import catalog
from fairtrial.report.filters import Filters, filters
from fairtrial.report.mistakes import Mistakes, mistakes
from fairtrial.report.precisions import StoredOtherwise, stored_otherwise
from fairtrial.report.reproduction import Row, reproduction, shown_arms
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.trial import Predictions

MANY_ARMS = 60
"""Above it a page has no pictures of weights and fewer of images."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """All by the name of the arm; an arm that has none is left out.

    `pictures` holds the test images (n, height, width, channels) that `wrong` refers to. `timed` are the seconds of pairs
    of arms timed in turn, by the questions that ask for time; `store` is the file's name without its folder.
    `otherwise` are trials that it holds in the precision of other processors.
    """

    study: Study
    answers: Answers
    arms: Mapping[str, ArmTrials]
    rows: Mapping[str, Row]
    wrong: Mapping[str, Mistakes]
    filters: Mapping[str, Filters]
    pictures: Mapping[str, NDArray[np.uint8]]
    timed: Mapping[str, Contrast]
    store: str
    otherwise: StoredOtherwise | None

    @cached_property
    def clock(self) -> str:
        """The machine whose seconds are shown."""
        return clock_of(trial for arm in self.arms.values() for trial in arm.trials)

    @property
    def many(self) -> bool:
        return len(self.arms) > MANY_ARMS


def read_evidence(answers: Answers, store: Store) -> Evidence:
    """Everything the page of these answers needs, from the store they were read from."""
    study = answers.declared
    arms = {arm.arm.name: arm for arm in answers.arms}
    many = len(arms) > MANY_ARMS
    predicted = {name: _predictions(arm, store) for name, arm in arms.items()}
    opened = {
        facts: catalog.load(facts)
        for facts in {arms[name].arm.settings.data.facts for name, some in predicted.items() if some}
    }
    wrong: dict[str, Mistakes] = {}
    for name, some in predicted.items():
        if some:
            settings = arms[name].arm.settings.data
            found = mistakes(
                some,
                opened[settings.facts].test_labels,
                classes=settings.facts.classes,
                worst=6 if many else 12,
            )
            if found is not None:
                wrong[name] = found
    pictures = {name: opened[arms[name].arm.settings.data.facts].test_images for name in wrong}
    return Evidence(
        study=study,
        answers=answers,
        arms=arms,
        rows={row.arm: row for row in reproduction(shown_arms(study), store)},
        wrong=wrong,
        filters={}
        if many
        else {
            name: found
            for name, arm in arms.items()
            if (found := filters(arm.arm, arm.trials, store)) is not None
        },
        pictures=pictures,
        timed=_timed(answers, store),
        store=(answers.store or store.path).name,
        otherwise=stored_otherwise(study.arms.values(), store),
    )


def _predictions(arm: ArmTrials, store: Store) -> list[Predictions]:
    found = (store.predictions(trial.key) for trial in arm.trials if trial.outcome.state == "finished")
    return [one for one in found if one is not None]


def _timed(answers: Answers, store: Store) -> dict[str, Contrast]:
    """Pairs timed in turn, by question; those of arms tuned first are of the tuned arms."""
    compared = [found.comparison.declared for found in answers.retuned if found.comparison is not None]
    return {
        question.id: time_contrast(timed(question, study, store), horizon=study.seeds.max)
        for study in (answers.declared, *compared)
        for question in study.questions
        if "time" in question.metrics
    }
