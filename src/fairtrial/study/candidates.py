"""Arms that a search or a tuning makes: an arm of the study with some of its settings replaced."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.arms import arms_of
from fairtrial.study.judged_on import changes_what_is_judged_on
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.schema import Arm
from fairtrial.study.searches import Search
from fairtrial.study.space import Choice, Parameter, Value, walk
from fairtrial.study.spelling import spelled
from fairtrial.study.tree import Node, from_python, shortened

_WALKS = 20
"""Random points looked at before training, beside the smallest and the largest, to see that some can be built."""


def candidate(arm: Arm, changes: Mapping[str, Any], *, name: str, block: int = 0) -> Arm:
    """The arm with its settings replaced as an arm's departures in a study file replace those of the base.

    Raises StudyError with every reason for which there is no such arm.
    """
    mistakes: list[Mistake] = []
    base = from_python(spelled(arm.settings), where="")
    found = arms_of([base], {name: (from_python(dict(changes), where=""),)}, mistakes)
    if mistakes:
        raise StudyError(mistakes)
    return Arm(name=name, settings=found[name].settings, block=block)


def in_block(arm: Arm, block: int) -> Arm:
    """The same arm on other seeds."""
    return Arm(
        name=arm.name,
        settings=arm.settings,
        title=arm.title,
        note=arm.note,
        published=arm.published,
        block=block,
    )


def impossible(search: Search, arms: Mapping[str, Arm]) -> str:
    """Why no point of the search's space can be built, or empty if some can."""
    baseline = arms.get(search.baseline)
    if baseline is None:
        return ""
    said = ""
    for changes in _some_walks(search.space):
        try:
            candidate(baseline, changes, name="candidate")
        except StudyError as error:
            said = said or "; ".join(mistake.message for mistake in error.mistakes)
        else:
            return ""
    return said.replace("arm 'candidate': ", "")


def _some_walks(space: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Departures where everything is at its lowest, at its highest, and at random."""
    draw = random.Random(1)
    yield walk(space, lambda _, parameter: _lowest(parameter))
    yield walk(space, lambda _, parameter: _highest(parameter))
    for _ in range(_WALKS):
        yield walk(space, lambda _, parameter: _drawn(parameter, draw))


def _lowest(parameter: Parameter) -> Value:
    return 0 if isinstance(parameter, Choice) else parameter.low


def _highest(parameter: Parameter) -> Value:
    return len(parameter.options) - 1 if isinstance(parameter, Choice) else parameter.high


def _drawn(parameter: Parameter, draw: random.Random) -> Value:
    if isinstance(parameter, Choice):
        return draw.randrange(len(parameter.options))
    return (
        draw.uniform(parameter.low, parameter.high)
        if isinstance(parameter.low, float)
        else draw.randint(int(parameter.low), int(parameter.high))
    )


def _paths(space: Mapping[str, Any]) -> Iterator[str]:
    """The settings a space gives, those of mappings one by one."""
    for path, value in space.items():
        options = value.options if isinstance(value, Choice) else (value,)
        for option in options:
            if isinstance(option, Mapping):
                nested = cast("Mapping[str, Any]", option)
                yield from _paths({f"{path}.{key}": inner for key, inner in nested.items()})
            else:
                yield path


def search_mistakes(
    nodes: Sequence[Node], searches: Sequence[Search], *, names: Sequence[str], arms: Mapping[str, Arm]
) -> Iterator[Mistake]:
    """Unknown baselines, ids given twice, spaces of which nothing can be built."""
    first: dict[str, Node] = {}
    for node, search in zip(nodes, searches, strict=True):
        entries = node.entries or {}
        subject = f"search {shortened(search.id)!r}: "
        if search.id in first:
            message = f"{subject}this id is given twice, first at {first[search.id].where}"
            yield Mistake(where=entries["id"].where, message=message)
        first.setdefault(search.id, entries["id"])
        if search.baseline not in names:
            hint = did_you_mean(search.baseline, names) or f"; arms here: {shortened(', '.join(names))}"
            message = f"{subject}baseline names an unknown arm {shortened(search.baseline)!r}{hint}"
            yield Mistake(where=entries["baseline"].where, message=message)
        elif others := [path for path in _paths(search.space) if changes_what_is_judged_on(path)]:
            message = (
                f"{subject}space: {', '.join(others)} changes the images that a network is judged on, so that a better figure "
                "would mean nothing; leave it out"
            )
            yield Mistake(where=entries["space"].where, message=message)
        elif why := impossible(search, arms):
            yield Mistake(where=entries["space"].where, message=f"{subject}space: {why}")
