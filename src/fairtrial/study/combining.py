"""What a question that combines others puts together, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.candidates import candidate
from fairtrial.study.departing import departures
from fairtrial.study.factors import differences
from fairtrial.study.judged_on import changes_what_is_judged_on
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.question import Question
from fairtrial.study.question_kinds import Combining, Retuning
from fairtrial.study.schema import Arm, Study
from fairtrial.study.tree import Node, shortened


def listed(study: Study, asked: Combining) -> tuple[Question, ...]:
    """The questions that are combined, in the order in which they are named."""
    known = {question.id: question for question in study.questions}
    return tuple(known[one] for one in asked.combine)


def baseline_of(study: Study, asked: Combining) -> Arm:
    """The arm that they are put together on: the one given, or the one that all of them have."""
    return study.arms[asked.baseline or listed(study, asked)[0].baseline]


def combining_mistakes(
    nodes: Sequence[Node], asked: Sequence[Question | Combining], *, arms: Mapping[str, Arm]
) -> Iterator[Mistake]:
    """Ids of no question that can be combined, no baseline in common, changes that the baseline cannot take."""
    known = {one.id: one for one in asked if not isinstance(one, Retuning | Combining)}
    kinds = {one.id: one for one in asked if isinstance(one, Retuning | Combining)}
    for node, one in zip(nodes, asked, strict=True):
        if isinstance(one, Combining):
            found = list(_of_ids(one, node, known, kinds)) or list(_of_parts(one, node, known, arms))
            subject = f"question {shortened(one.id)!r}: "
            yield from (
                Mistake(where=mistake.where, message=f"{subject}{mistake.message}") for mistake in found
            )


def _of_ids(
    asked: Combining, node: Node, known: Mapping[str, Question], kinds: Mapping[str, Question | Combining]
) -> Iterator[Mistake]:
    for place, identifier in enumerate(asked.combine):
        where = _item(node, place)
        if identifier in kinds:
            what = "is re-tuned" if isinstance(kinds[identifier], Retuning) else "combines questions itself"
            message = f"{shortened(identifier)!r} {what}; combine takes questions of two arms as they are"
            yield Mistake(where=where, message=message)
        elif identifier not in known:
            hint = (
                did_you_mean(identifier, known)
                or f"; questions here: {shortened(', '.join(known)) or 'none'}"
            )
            yield Mistake(
                where=where, message=f"combine names an unknown question {shortened(identifier)!r}{hint}"
            )
        elif asked.metric not in known[identifier].metrics or "validation" not in known[identifier].on:
            message = (
                f"{shortened(identifier)!r} does not ask about {asked.metric} on validation, by which improvements are "
                "told; add it there, or leave it out here"
            )
            yield Mistake(where=where, message=message)


def _of_parts(
    asked: Combining, node: Node, known: Mapping[str, Question], arms: Mapping[str, Arm]
) -> Iterator[Mistake]:
    entries = node.entries or {}
    baselines = list(dict.fromkeys(known[one].baseline for one in asked.combine))
    if asked.baseline is None and len(baselines) > 1:
        message = (
            f"baseline is missing: the questions have several ({shortened(', '.join(baselines))}); name the arm to "
            "combine them on"
        )
        yield Mistake(where=entries["combine"].where, message=message)
        return
    name = asked.baseline or baselines[0]
    for place, identifier in enumerate(asked.combine):
        question = known[identifier]
        if {name, question.variant, question.baseline} <= set(arms):
            what = departures(arms[question.variant], arms[question.baseline])
            why = _impossible(what, arms[name])
            if why:
                yield Mistake(where=_item(node, place), message=f"{shortened(identifier)!r} {why}")


def _impossible(changes: Mapping[str, object], baseline: Arm) -> str:
    """Why the baseline cannot take these changes, or empty if it can."""
    judged_on = [path for path in changes if changes_what_is_judged_on(path)]
    if judged_on:
        return f"changes {', '.join(judged_on)}, the images that arms are judged on: that is no improvement to take"
    try:
        made = candidate(baseline, changes, name="combined")
    except StudyError as error:
        reason = error.mistakes[0].message.removeprefix("arm 'combined': ")
        return f"cannot be put on {baseline.name}: {reason}"
    if not differences(made, baseline):
        return f"changes nothing in {baseline.name}, which has {', '.join(changes) or 'the same settings'} as it is"
    return ""


def _item(node: Node, place: int) -> str:
    """Where a question is named, or the whole list where that is not known."""
    names = (node.entries or {})["combine"]
    return names.items[place].where if names.items else names.where
