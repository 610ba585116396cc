"""What came of a question whose arms are tuned anew: what was tried, what was chosen, and the comparison of the two."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairtrial.analysis import answering
from fairtrial.analysis.confirming import confirming
from fairtrial.analysis.held import held_line
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tried import Tried, tried, tuning_key
from fairtrial.analysis.values import Answer, Answers
from fairtrial.store import Selection, Store
from fairtrial.study.factors import differences
from fairtrial.study.schema import Question, Retuning, Study
from fairtrial.study.tuning import Settings, in_words, tuned_arm
from fairtrial.trial import QUESTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """One arm of the question with all that was tried on it; `chosen` is None before the choice is frozen."""

    arm: str
    tried: tuple[Tried, ...]
    chosen: Settings | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "chosen": None if self.chosen is None else dict(self.chosen),
            "tried": [one.as_dict() for one in self.tried],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Retuned:
    """A question whose arms are each tuned on seeds of their own, as it stands.

    `comparison` are the answers on the two tuned arms, on the ordinary seeds; None before both are chosen. The means
    of what was tried are those of a selection, and no evidence.
    """

    question: Retuning
    variant: Tuned
    baseline: Tuned
    comparison: Answers | None
    sentence: str
    tuning_sentence: str
    """What the tuning saw, value by value."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        return () if self.comparison is None else self.comparison.answers

    @property
    def settled(self) -> bool:
        return bool(self.answers) and all(answer.settled for answer in self.answers)

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.question.id,
            "ask": self.question.ask,
            "metric": self.question.tuned_for,
            "tuning_seeds": self.question.retune_seeds,
            "variant": self.variant.as_dict(),
            "baseline": self.baseline.as_dict(),
            "sentence": self.sentence,
            "tuning_sentence": self.tuning_sentence,
            "answers": [answer.as_dict() for answer in self.answers],
        }


def retuned(study: Study, asked: Retuning, store: Store) -> Retuned:
    """What is stored of this question; nothing is trained."""
    frozen = store.selection(study=study.name, question=asked.id, basis=tuning_key(study, asked))
    chosen: dict[str, Settings] = {} if frozen is None else json.loads(frozen.selected)
    variant, baseline = (
        Tuned(arm=name, tried=tried(study.arms[name], asked, store), chosen=chosen.get(role))
        for role, name in (("variant", asked.variant), ("baseline", asked.baseline))
    )
    compared = None
    if frozen is not None:
        compared = answering.answers(comparison(study, asked, frozen), store, history=True)
        compared = replace(compared, answers=tuple(_said(one, asked) for one in compared.answers))
    return Retuned(
        question=asked,
        variant=variant,
        baseline=baseline,
        comparison=compared,
        sentence=_sentence(asked, variant, baseline),
        tuning_sentence=". ".join(_tuning_line(side, asked) for side in (variant, baseline)) + ".",
    )


def comparison(study: Study, asked: Retuning, frozen: Selection) -> Study:
    """The study that compares the two tuned arms on the ordinary seeds, on which nothing was chosen."""
    chosen: dict[str, Settings] = json.loads(frozen.selected)
    variant = tuned_arm(study.arms[asked.variant], chosen["variant"], block=QUESTIONS)
    baseline = tuned_arm(study.arms[asked.baseline], chosen["baseline"], block=QUESTIONS)
    question = Question(
        id=asked.id,
        ask=asked.ask,
        variant=variant.name,
        baseline=baseline.name,
        factors=tuple(dict.fromkeys((*_declared(study, asked), *asked.retune))),
        metrics=asked.metrics,
        on=asked.on,
        over=asked.over,
        goal=asked.goal,
        claims=asked.claims,
        note=asked.note,
    )
    return confirming(study, asked.id, arms=(baseline, variant), questions=(question,), block=QUESTIONS)


def _declared(study: Study, asked: Retuning) -> tuple[str, ...]:
    """What is meant to differ besides what is tuned: as declared, or the one difference there is."""
    if asked.factors is not None:
        return asked.factors
    apart = differences(study.arms[asked.variant], study.arms[asked.baseline])
    return (apart[0].path,) if len(apart) == 1 else ()


def _said(answer: Answer, asked: Retuning) -> Answer:
    """Without the reminder that what was tuned was not tuned."""
    line = held_line(answer.held_fixed, variant=asked.variant, tuned=tuple(asked.retune))
    held = tuple(one for one in answer.held_fixed if one.path not in asked.retune)
    return replace(answer, held_fixed=held, held_fixed_line=line)


def _sentence(asked: Retuning, variant: Tuned, baseline: Tuned) -> str:
    names = " and ".join(asked.retune)
    if variant.chosen is None or baseline.chosen is None:
        have = sum(one.trained for side in (variant, baseline) for one in side.tried)
        need = asked.retune_seeds * sum(len(side.tried) for side in (variant, baseline))
        return (
            f"{variant.arm} and {baseline.arm} are not compared yet: first {names} of each is chosen, and {have} of "
            f"{count_of(need, 'trial')} for that {'is' if have == 1 else 'are'} trained."
        )
    both = ", ".join(f"{side.arm} at {in_words(side.chosen)}" for side in (variant, baseline) if side.chosen)
    return (
        f"Each arm is tuned on validation {asked.tuned_for} over {count_of(asked.retune_seeds, 'seed')} of its own: "
        f"{both}.{''.join(_at_the_ends(asked, (variant, baseline)))}{''.join(_all_diverged((variant, baseline)))}"
    )


def _all_diverged(sides: Sequence[Tuned]) -> Iterator[str]:
    """That there was nothing to choose from."""
    for side in sides:
        if side.tried and all(one.mean is None for one in side.tried):
            yield f" Every value diverged for {side.arm}: none of them did best."


def _at_the_ends(asked: Retuning, sides: Sequence[Tuned]) -> Iterator[str]:
    """That a value beyond those tried might have done better still."""
    for path, values in asked.retune.items():
        numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
        if len(numbers) < len(values):
            continue
        for end, value in (("smallest", min(numbers)), ("largest", max(numbers))):
            names = [
                side.arm
                for side in sides
                if side.chosen is not None
                and side.chosen[path] == value
                and any(one.mean is not None for one in side.tried)
            ]
            if names:
                yield f" For {' and '.join(names)} the {end} {path} tried did best: one beyond it might do better."


def _tuning_line(side: Tuned, asked: Retuning) -> str:
    return f"{side.arm}: {', '.join(_tried_in_words(side, asked))}"


def _tried_in_words(side: Tuned, asked: Retuning) -> Iterator[str]:
    for one in side.tried:
        mark = " (chosen)" if one.settings == side.chosen else ""
        yield f"{_figure(one, asked)} at {in_words(one.settings)}{mark}"


def _figure(one: Tried, asked: Retuning) -> str:
    if not one.trained:
        return "not trained yet"
    if one.mean is None:
        return "diverged"
    shown = f"{100 * one.mean:.2f} %" if asked.tuned_for == "accuracy" else f"{one.mean:.4f}"
    if not one.diverged:
        return shown
    return f"{shown} where it did not diverge ({one.diverged} of {count_of(one.trained, 'seed')})"
