"""What came of putting together what questions have settled: what was taken, what it gains, what each part adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairtrial.analysis import answering
from fairtrial.analysis.caveats import troubles
from fairtrial.analysis.confirming import confirming
from fairtrial.analysis.gather import failures
from fairtrial.analysis.interaction import Interaction, interaction
from fairtrial.analysis.parts import Choice, LeftOut, Part, choose, combining_key, part_of
from fairtrial.analysis.terms import sha256
from fairtrial.analysis.values import Answer, Answers, ArmTrials
from fairtrial.errors import StudyError
from fairtrial.store import Selection, Store
from fairtrial.study.candidates import candidate
from fairtrial.study.combining import baseline_of, listed
from fairtrial.study.schema import Arm, Combining, Question, Study
from fairtrial.study.tree import shortened

FEWEST = 2
"""One improvement alone is no combination: its own question has answered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """A question that combines others, as it stands.

    `parts` are the improvements it takes and `left_out` the questions that give none; `open` are those that may
    still be settled, and until then nothing is combined. `judgement` holds the answers on the combination, on fresh
    seeds; None where there is none. `gain` are those on the combination against the baseline, `added` by question
    what it adds to all the others.
    """

    question: Combining
    baseline: str
    parts: tuple[Part, ...]
    left_out: tuple[LeftOut, ...]
    open: tuple[str, ...]
    judgement: Answers | None
    gain: tuple[Answer, ...]
    added: Mapping[str, Answer]
    interaction: Interaction | None
    impossible: str
    sentence: str

    @property
    def answers(self) -> tuple[Answer, ...]:
        return () if self.judgement is None else self.judgement.answers

    @property
    def settled(self) -> bool:
        """Whether its answers are, or there is nothing that could be combined."""
        if self.judgement is None:
            return not self.open and (len(self.parts) < FEWEST or bool(self.impossible))
        return all(answer.settled for answer in self.answers)

    @property
    def left_out_lines(self) -> tuple[str, ...]:
        return tuple(f"left out: {one.question} ({one.because})" for one in self.left_out)

    @property
    def added_caveats(self) -> tuple[str, ...]:
        """What weakens the answers on what each part adds, and is not said of the gain already."""
        said = {str(caveat) for answer in self.gain for caveat in answer.caveats}
        found = dict.fromkeys(str(caveat) for answer in self.added.values() for caveat in answer.caveats)
        return tuple(caveat for caveat in found if caveat not in said)

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.question.id,
            "ask": self.question.ask,
            "baseline": self.baseline,
            "metric": self.question.metric,
            "sentence": self.sentence,
            "parts": [
                {
                    "question": one.question,
                    "changes": dict(one.changes),
                    "verdict": one.verdict,
                    "estimate": one.estimate,
                    "added": self.added[one.question].as_dict() if one.question in self.added else None,
                }
                for one in self.parts
            ],
            "left_out": [{"question": one.question, "because": one.because} for one in self.left_out],
            "open": list(self.open),
            "answers": [answer.as_dict() for answer in self.gain],
            "interaction": None if self.interaction is None else self.interaction.as_dict(),
        }


def combined(study: Study, asked: Combining, store: Store, found: Answers) -> Combined:
    """What is stored of this question; nothing is trained. `found` are the answers to the study's own questions."""
    frozen = store.selection(study=study.name, question=asked.id, basis=combining_key(study, asked))
    choice = choose(study, asked, found) if frozen is None else chosen(study, asked, frozen, found)
    why = impossible(study, asked, choice)
    judged, together = None, None
    if frozen is not None:
        judged = judgement(study, asked, choice, block=frozen.block)
        together = answering.answers(judged, store, history=True)
    answers = () if together is None else together.answers
    adding = {_adding(asked, part): part.question for part in choice.parts}
    return Combined(
        question=asked,
        baseline=baseline_of(study, asked).name,
        parts=choice.parts,
        left_out=choice.left_out,
        open=() if frozen is not None else choice.open,
        judgement=together,
        gain=tuple(answer for answer in answers if answer.question == asked.id),
        added={adding[answer.question]: answer for answer in answers if answer.question in adding},
        interaction=None
        if judged is None or together is None
        else together_or_apart(judged, asked, choice, together, store),
        impossible=why,
        sentence=_sentence(study, asked, choice, frozen, why),
    )


def frozen_text(choice: Choice) -> str:
    """A choice as a selection keeps it."""
    body = {
        "parts": [one.question for one in choice.parts],
        "left_out": {one.question: one.because for one in choice.left_out},
    }
    return json.dumps(body, sort_keys=True)


def chosen(study: Study, asked: Combining, frozen: Selection, found: Answers) -> Choice:
    """What was frozen, with what is known of its parts by now."""
    kept: dict[str, Any] = json.loads(frozen.selected)
    questions = {one.id: one for one in listed(study, asked)}
    return Choice(
        parts=tuple(
            part_of(study, questions[name], found[name].on("validation", asked.metric))
            for name in questions
            if name in kept["parts"]
        ),
        left_out=tuple(
            LeftOut(question=name, because=kept["left_out"][name])
            for name in questions
            if name in kept["left_out"]
        ),
    )


def impossible(study: Study, asked: Combining, choice: Choice) -> str:
    """Why the parts cannot be put together, or empty if they can."""
    try:
        judgement(study, asked, choice, block=0)
    except StudyError as error:
        return error.mistakes[0].message
    return ""


def judgement(study: Study, asked: Combining, choice: Choice, *, block: int) -> Study:
    """The study that judges the combination, on seeds of `block`.

    It asks what all parts together gain over the baseline, on both sets of images, and what each of them adds to the
    others, on the test images. The arms with one part each are asked about by nobody: with them the
    whole is held against the sum of its parts.
    """
    baseline = baseline_of(study, asked)
    names = arm_names(asked, choice, baseline)
    arms = [
        baseline,
        _with(baseline, choice.parts, names.whole),
        *(
            _with(
                baseline, [other for other in choice.parts if other is not part], names.without[part.question]
            )
            for part in choice.parts
        ),
        *(_with(baseline, [part], names.alone[part.question]) for part in choice.parts),
    ]
    gain = Question(
        id=asked.id,
        ask=asked.ask,
        variant=names.whole,
        baseline=baseline.name,
        factors=_paths(choice.parts),
        metrics=(asked.metric,),
        on=("test", "validation"),
    )
    adding = [
        Question(
            id=_adding(asked, part),
            ask=f"What does {part.question} add to the others?",
            variant=names.whole,
            baseline=names.without[part.question],
            factors=_paths([part]),
            metrics=(asked.metric,),
            on=("test",),
        )
        for part in choice.parts
    ]
    return confirming(study, asked.id, arms=arms, questions=(gain, *adding), block=block)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmNames:
    """What the arms of a combination are called; `without` and `alone` by the part's question."""

    none: str
    whole: str
    without: Mapping[str, str]
    alone: Mapping[str, str]


def arm_names(asked: Combining, choice: Choice, baseline: Arm) -> ArmNames:
    whole = asked.id if asked.id != baseline.name else f"{asked.id}, combined"
    return ArmNames(
        none=baseline.name,
        whole=whole,
        without={one.question: f"{whole} without {one.question}" for one in choice.parts},
        alone={one.question: f"{baseline.name} with {one.question}" for one in choice.parts},
    )


def together_or_apart(
    judged: Study, asked: Combining, choice: Choice, found: Answers, store: Store
) -> Interaction:
    """Whether the whole is more or less than the sum of its parts, by the trials in `found`."""
    arms: dict[str, ArmTrials] = {one.arm.name: one for one in found.arms}
    failed = failures(arms, store, least=judged.seeds.min)
    names = arm_names(asked, choice, next(iter(judged.arms.values())))
    return interaction(
        judged,
        whole=arms[names.whole],
        none=arms[names.none],
        parts=[arms[name] for name in names.alone.values()],
        metric=asked.metric,
        unsound=lambda arm: bool(troubles((arm,), failed=failed, horizon=judged.seeds.max)),
    )


def _with(baseline: Arm, parts: Sequence[Part], name: str) -> Arm:
    return candidate(
        baseline, {path: value for part in parts for path, value in part.changes.items()}, name=name
    )


def _paths(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(path for part in parts for path in part.changes)


def _adding(asked: Combining, part: Part) -> str:
    """The id of the question what a part adds: as long as an id may be."""
    name = f"{asked.id[:30]}-adding-{part.question}"
    return name if len(name) <= 80 else f"{name[:73]}-{sha256(part.question)[:6]}"


def _sentence(study: Study, asked: Combining, choice: Choice, frozen: Selection | None, why: str) -> str:
    baseline = baseline_of(study, asked).name
    if frozen is None and choice.open:
        are = "is" if len(choice.open) == 1 else "are"
        return (
            f"Nothing is combined yet: {_listed(choice.open)} {are} not settled, and more seeds may settle "
            f"{'it' if len(choice.open) == 1 else 'them'}."
        )
    if len(choice.parts) < FEWEST:
        only = f"only {choice.parts[0].question} is" if choice.parts else "no question is"
        return f"There is nothing to combine: {only} settled as an improvement that can be taken."
    taken = _listed([one.in_words for one in choice.parts])
    if why:
        return f"{taken} cannot be put together on {baseline}: {shortened(why)}."
    if frozen is None:
        return f"Not judged yet: what is to be combined on {baseline} is {taken}."
    return f"{asked.id} puts {taken} together on {baseline}, judged on seeds that none of them was chosen on."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
