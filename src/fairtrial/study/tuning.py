"""The arms that a re-tuning tries, and what is wrong with one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.candidates import candidate
from fairtrial.study.factors import differences
from fairtrial.study.question import Question
from fairtrial.study.question_kinds import Combining, Retuning
from fairtrial.study.schema import Arm
from fairtrial.study.spelling import flow
from fairtrial.study.tree import Node, shortened

Settings = Mapping[str, Any]

_OF_TRAINING_ALONE = ("train", "augment")
"""Settings of the data that touch no image that is judged on."""


def settings_tried(asked: Retuning) -> tuple[dict[str, Any], ...]:
    """Every combination of the values, that of the last setting changing fastest."""
    paths = list(asked.retune)
    return tuple(
        dict(zip(paths, values, strict=True)) for values in itertools.product(*asked.retune.values())
    )


def tuned_arm(arm: Arm, settings: Settings, *, block: int) -> Arm:
    """The arm with these settings, called after them: `width-200 at optimizer.learning_rate 0.003`."""
    return candidate(arm, settings, name=f"{arm.name} at {in_words(settings)}", block=block)


def in_words(settings: Settings) -> str:
    """Settings on one line: `optimizer.learning_rate 0.003, batch_size 50`."""
    return ", ".join(f"{path} {shortened(flow(value))}" for path, value in settings.items())


def changes_what_is_judged_on(path: str) -> bool:
    """Whether a setting changes the images that an arm is judged on, so that a better figure means nothing.

    >>> [changes_what_is_judged_on(path) for path in ("data.split", "data.train", "data.augment.shift", "epochs")]
    [True, False, False, False]
    """
    group, _, field = path.partition(".")
    return group == "data" and field.partition(".")[0] not in _OF_TRAINING_ALONE


def tuning_mistakes(
    nodes: Sequence[Node], asked: Sequence[Question | Combining], *, arms: Mapping[str, Arm]
) -> Iterator[Mistake]:
    """Values of which no arm can be made, settings that nothing may be chosen by, arms that would become the same."""
    for node, one in zip(nodes, asked, strict=True):
        retune = (node.entries or {}).get("retune")
        if isinstance(one, Retuning) and retune is not None and {one.variant, one.baseline} <= set(arms):
            subject = f"question {shortened(one.id)!r}: retune: "
            found = list(_of_values(one, retune, arms)) or list(_of_both(one, retune, arms))
            yield from (
                Mistake(where=mistake.where, message=f"{subject}{mistake.message}") for mistake in found
            )


def _of_values(asked: Retuning, retune: Node, arms: Mapping[str, Arm]) -> Iterator[Mistake]:
    """What is wrong with a setting or a value by itself, once for both arms."""
    said: set[str] = set()
    for path, values in asked.retune.items():
        node = (retune.entries or {}).get(path, retune)
        if changes_what_is_judged_on(path):
            message = (
                f"{path} changes the images that arms are judged on, so that nothing can be chosen by them"
            )
            yield Mistake(where=node.where, message=message)
            continue
        for name in (asked.variant, asked.baseline):
            made: list[Arm] = []
            for place, value in enumerate(values):
                where = node.items[place].where if node.items else node.where
                try:
                    made.append(candidate(arms[name], {path: value}, name="tuned"))
                except StudyError as error:
                    fresh = [_reason(one) for one in error.mistakes if _reason(one) not in said]
                    said.update(fresh)
                    yield from (Mistake(where=where, message=message) for message in fresh)
                    continue
                same = [one for one in made[:-1] if not differences(made[-1], one)]
                if same and path not in said:
                    said.add(path)
                    message = f"{path} {shortened(flow(value))} gives {name} no other settings than a value before it"
                    yield Mistake(where=where, message=message)


def _of_both(asked: Retuning, retune: Node, arms: Mapping[str, Arm]) -> Iterator[Mistake]:
    """What only shows where all settings are given: combinations that cannot be, arms that are told apart no more."""
    for settings in settings_tried(asked):
        try:
            variant, baseline = (
                candidate(arms[name], settings, name="tuned") for name in (asked.variant, asked.baseline)
            )
        except StudyError as error:
            yield Mistake(where=retune.where, message=f"{in_words(settings)}: {_reason(error.mistakes[0])}")
            return
        if not differences(variant, baseline):
            message = (
                f"it sets all that {asked.variant} and {asked.baseline} differ in, which is what the question is "
                "about: nothing would be left to compare"
            )
            yield Mistake(where=retune.where, message=message)
            return


def _reason(mistake: Mistake) -> str:
    return mistake.message.removeprefix("arm 'tuned': ")
