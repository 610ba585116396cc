"""What judges a selection as the page shows it: like any question, by the arms and answers of its own study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fairtrial.analysis.outstanding import outstanding
from fairtrial.analysis.values import Answers
from fairtrial.report.evidence import Evidence
from fairtrial.report.learning import curves
from fairtrial.report.question_view import QuestionView, question_view


def judged_view(
    judged: Answers, evidence: Evidence, *, anchor: str, reach: Mapping[str, float], each_seed: bool
) -> QuestionView:
    """The first question of `judged`, which is the one that was asked; `reach` as for any question."""
    study = judged.declared
    arms = {arm.arm.name: arm for arm in judged.arms}
    return question_view(
        study.questions[0],
        replace(evidence, study=study, answers=judged, arms=arms),
        anchor=anchor,
        curves={name: curve for name, arm in arms.items() if (curve := curves(arm, each_seed=each_seed))},
        reach=reach,
        lacks=outstanding(judged),
    )
