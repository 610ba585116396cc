"""The plan of a study: everything that can change a verdict, and nothing else.

Arms are named by their keys, so that neither their names nor the questions' nor any order, title, note,
published figure or claim's wording makes another plan. It is written before the first trial of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fairtrial.analysis.alpha import family
from fairtrial.analysis.claimed import plateau_levels
from fairtrial.analysis.contrast import Over
from fairtrial.analysis.terms import sha256, unreadable
from fairtrial.stats.families import Family
from fairtrial.stats.verdict import Goal
from fairtrial.study.check import has_own_interval, judged
from fairtrial.study.schema import Arm, Claim, Metric, On, Question, Study

Identity = tuple[str, str, Metric, On | None, Over | None, Goal, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One verdict to be given: on which arms (by key), on what, and the margin as the study states it.

    `claim` tells a claimed level or plateau, which is judged by an interval of its own; it is empty for
    a question's own verdict, and a claimed direction follows that one.
    """

    variant: str
    baseline: str
    metric: Metric
    on: On | None
    over: Over | None
    goal: Goal
    margin: float
    claim: str = ""

    @property
    def identity(self) -> Identity:
        """What is asked; the margin is a term that may be changed and is then caveated."""
        return (self.variant, self.baseline, self.metric, self.on, self.over, self.goal, self.claim)

    @property
    def arms(self) -> frozenset[str]:
        return frozenset((self.variant, self.baseline))

    @property
    def family(self) -> Family:
        return family(self.metric, self.on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All verdicts of a study, in an order that depends on nothing else, and what they share."""

    verdicts: tuple[Planned, ...]
    confidence: float
    first: int
    """Seeds before the first look."""
    horizon: int
    undivided: bool = False
    """Whether its verdicts share all of the allowed error, whatever they are about."""

    @property
    def text(self) -> str:
        """Canonical JSON: equal for equal plans, and for no others."""
        body = asdict(self)
        if not self.undivided:
            del body["undivided"]  # as plans were written before any judged a selection
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def sha256(self) -> str:
        return sha256(self.text)

    @property
    def pairs(self) -> frozenset[frozenset[str]]:
        """The arms that are held against each other."""
        return frozenset(planned.arms for planned in self.verdicts)

    @property
    def arms(self) -> frozenset[str]:
        return frozenset(key for pair in self.pairs for key in pair)


def plan_of(study: Study, arm_keys: Mapping[str, str]) -> Plan:
    """What the study as it stands sets out to judge. `arm_keys` are those of its arms, by name."""
    verdicts = [one for question in study.questions for one in _of_question(question, study, arm_keys)]
    return Plan(
        verdicts=tuple(sorted(verdicts, key=lambda one: json.dumps(asdict(one), sort_keys=True))),
        confidence=float(study.confidence),
        first=study.seeds.min,
        horizon=study.seeds.max,
        undivided=study.confirms,
    )


def plan_from(text: str) -> Plan:
    """The plan whose `text` this is. Raises StoreError for what is none."""
    try:
        found: dict[str, Any] = json.loads(text)
        verdicts = tuple(Planned(**one) for one in found.pop("verdicts"))
        return Plan(verdicts=verdicts, **found)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unreadable("plan", text) from error


def planned(
    study: Study,
    question: Question,
    arm_keys: Mapping[str, str],
    *,
    metric: Metric,
    on: On | None,
    claim: Claim | None = None,
) -> Planned:
    """The verdict on one metric of a question, or on a claimed level or plateau of it."""
    margins = study.margins
    return Planned(
        variant=arm_keys[question.variant],
        baseline=arm_keys[question.baseline],
        metric=metric,
        on=on,
        over=None if on is None else question.over,
        goal=question.goal,
        margin=float({"accuracy": margins.accuracy, "loss": margins.loss, "time": margins.time}[metric]),
        claim="" if claim is None else _claimed(claim, question, study.arms, arm_keys),
    )


def _of_question(question: Question, study: Study, arm_keys: Mapping[str, str]) -> list[Planned]:
    found = [
        planned(study, question, arm_keys, metric=metric, on=on)
        for metric in question.metrics
        for on in ((None,) if metric == "time" else question.on)
    ]
    found += [
        planned(
            study,
            question,
            arm_keys,
            metric=claim.metric,
            on=None if claim.metric == "time" else claim.on,
            claim=claim,
        )
        for claim in question.claims
        if has_own_interval(claim) and judged(claim, question)
    ]
    return found


def _claimed(claim: Claim, question: Question, arms: Mapping[str, Arm], arm_keys: Mapping[str, str]) -> str:
    """The claim without its wording. A plateau is over all arms of the study that belong to it."""
    if claim.says == "level":
        return f"level {claim.level!r}"
    levels = plateau_levels(question, arms)
    over = (
        "none" if isinstance(levels, str) else " ".join(sorted(arm_keys[arm.name] for arm in levels.values()))
    )
    return f"plateau over {over}"
