"""Which of the questions that are to be combined are improvements, and which of those go together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairtrial.analysis.gather import arm_key
from fairtrial.analysis.judgement import better_of
from fairtrial.analysis.terms import sha256
from fairtrial.analysis.values import Answer, Answers
from fairtrial.study.combining import baseline_of, listed
from fairtrial.study.departing import builds_on, clash, departures
from fairtrial.study.schema import Combining, Question, Study
from fairtrial.study.tuning import in_words
from fairtrial.trial import ENGINE_VERSION

_IMPROVEMENTS = {
    "higher": ("increase that matters", "increase, size not settled"),
    "lower": ("decrease that matters", "decrease, size not settled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An improvement that is taken: what a question's variant changes, by path, and what that gained there."""

    question: str
    changes: Mapping[str, Any]
    verdict: str
    estimate: float | None

    @property
    def in_words(self) -> str:
        """`Q2 (network.mlp.depth 3)`"""
        return f"{self.question} ({in_words(self.changes)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A question that contributes nothing, and why."""

    question: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the questions come to as they stand: `open` are those that may still be settled."""

    parts: tuple[Part, ...]
    left_out: tuple[LeftOut, ...]
    open: tuple[str, ...] = ()


def combining_key(study: Study, asked: Combining) -> str:
    """The digest of what is chosen from: the arms of the questions, and what they are put together on."""
    body: dict[str, Any] = {
        "questions": [
            [arm_key(study.arms[one.variant]), arm_key(study.arms[one.baseline])]
            for one in listed(study, asked)
        ],
        "baseline": arm_key(baseline_of(study, asked)),
        "metric": asked.metric,
        "engine": ENGINE_VERSION,
    }
    return sha256(json.dumps(body, sort_keys=True))


def choose(study: Study, asked: Combining, found: Answers) -> Choice:
    """The improvements among the questions, by their own verdicts in `found`, without those that exclude each other.

    Of two that set the same, the one that goes on from where the other ends is taken, else the larger one.
    """
    questions = {one.id: one for one in listed(study, asked)}
    verdicts = {name: found[name].on("validation", asked.metric) for name in questions}
    better = [name for name, answer in verdicts.items() if answer.verdict in improvements(asked)]
    out = {name: answer.verdict for name, answer in verdicts.items() if name not in better}
    taken = _going_together(study, [questions[name] for name in better], verdicts, out)
    return Choice(
        parts=tuple(part_of(study, questions[name], verdicts[name]) for name in questions if name in taken),
        left_out=tuple(LeftOut(question=name, because=out[name]) for name in questions if name in out),
        # The other verdicts of these questions decide nothing here and are not waited for.
        open=tuple(
            name for name, answer in verdicts.items() if answer.is_open() and answer.seeds < study.seeds.max
        ),
    )


def improvements(asked: Combining) -> tuple[str, ...]:
    """The verdicts that say something is better, by enough to matter for all that is known."""
    return _IMPROVEMENTS[better_of(asked.metric)]


def part_of(study: Study, question: Question, answer: Answer) -> Part:
    return Part(
        question=question.id,
        changes=departures(study.arms[question.variant], study.arms[question.baseline]),
        verdict=answer.verdict,
        estimate=answer.estimate,
    )


def _going_together(
    study: Study, better: Sequence[Question], verdicts: Mapping[str, Answer], out: dict[str, str]
) -> set[str]:
    """Ids of those that are taken; why the others are not is added to `out`."""
    arms = {one.id: (study.arms[one.variant], study.arms[one.baseline]) for one in better}
    changes = {name: departures(*pair) for name, pair in arms.items()}
    for name in arms:
        for later in arms:
            if name in out or later == name or not builds_on(arms[later], arms[name]):
                continue
            if not builds_on(arms[name], arms[later]):
                out[name] = f"{later} goes on from where it ends, {_both(changes, later, name)}"
    # The largest first, of equals the one named first: sorted() keeps their order.
    largest = sorted((name for name in arms if name not in out), key=lambda name: -_size(verdicts[name]))
    taken: list[str] = []
    for name in largest:
        rival = next((one for one in taken if clash(changes[name], changes[one])), None)
        if rival is None:
            taken.append(name)
        else:
            out[name] = f"{rival} gained more, {_both(changes, rival, name)}"
    return set(taken)


def _size(answer: Answer) -> float:
    return abs(answer.estimate or 0.0)


def _both(changes: Mapping[str, Mapping[str, Any]], one: str, other: str) -> str:
    return f"and both set {', '.join(clash(changes[other], changes[one]))}"
