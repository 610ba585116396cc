"""Studies that judge what was selected: fresh seeds, one question, all of the allowed error for it."""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.study.candidates import in_block
from fairtrial.study.schema import Arm, Question, Study


def confirming_name(study: Study, name: str) -> str:
    """What the study is called, in the store, that judges what question `name` of `study` has selected."""
    return f"{study.name}: {name}"


def with_confirmations(study: Study) -> tuple[str, ...]:
    """The name of the study, and those of all that judge what it selects."""
    selecting = (*study.search, *study.retuned, *study.combined)
    return (study.name, *(confirming_name(study, one.id) for one in selecting))


def confirming(
    study: Study, name: str, *, arms: Sequence[Arm], questions: Sequence[Question], block: int
) -> Study:
    """A study of these arms on the seeds of `block`, on the terms of `study`, kept apart from it in the store.

    What was selected on other seeds owes nothing to the selection: the promise is the study's own confidence,
    for these questions together.
    """
    return Study(
        name=confirming_name(study, name),
        title=questions[0].ask,
        arms={arm.name: in_block(arm, block) for arm in arms},
        questions=tuple(questions),
        seeds=study.seeds,
        confidence=study.confidence,
        margins=study.margins,
        source=study.source,
        confirms=True,
    )
