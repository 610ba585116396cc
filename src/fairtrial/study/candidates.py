"""Arms that a search or a tuning makes: an arm of the study with some of its settings replaced."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.arms import arms_of
from fairtrial.study.judged_on import changes_what_is_judged_on
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.searches import Search
from fairtrial.study.space import Choice, Parameter, Value, parameters, spoken, walk, within
from fairtrial.study.spelling import spelled
from fairtrial.study.tree import Node, from_python, shortened

_WALKS = 8
"""Points looked at before training for each option and each end of a range, to see that one can be built."""

_MOST_PARAMETERS = 200


def candidate(arm: Arm, changes: Mapping[str, Any], *, name: str, block: int = 0) -> Arm:
    """The arm with its settings replaced as an arm's departures in a study file replace those of the base.

    Raises StudyError with every reason for which there is no such arm.
    """
    mistakes: list[Mistake] = []
    base = from_python(spelled(arm.settings), where="")
    folder = Path(arm.sources.home) if arm.sources else None
    found = arms_of([base], {name: (from_python(dict(changes), where=""),)}, mistakes, folder=folder)
    if mistakes:
        raise StudyError(mistakes)
    return Arm(name=name, settings=found[name].settings, block=block, sources=found[name].sources)


def in_block(arm: Arm, block: int) -> Arm:
    """The same arm on other seeds."""
    return Arm(
        name=arm.name,
        settings=arm.settings,
        title=arm.title,
        note=arm.note,
        published=arm.published,
        block=block,
        sources=arm.sources,
    )


def impossible(search: Search, arms: Mapping[str, Arm]) -> str:
    """Why no point can be built in which a parameter has one of its options or an end of its range; empty if some can.

    An option with a mistake in it would otherwise never be tried, and nobody would know.
    """
    baseline = arms.get(search.baseline)
    if baseline is None:
        return ""
    draw = random.Random(1)
    for name, parameter in parameters(search.space)[:_MOST_PARAMETERS]:
        for value in _to_be_seen(parameter):
            if why := _unbuildable(search.space, baseline, name, value, draw):
                text = parameter.labels[int(value)] if isinstance(parameter, Choice) else value
                return f"with {spoken(name)} {text} there is no network: {why}"
    return ""


def _to_be_seen(parameter: Parameter) -> tuple[Value, ...]:
    if isinstance(parameter, Choice):
        return tuple(range(len(parameter.options)))[:_MOST_PARAMETERS]
    return (parameter.low, parameter.high)


def _unbuildable(
    space: Mapping[str, Any], baseline: Arm, name: str, value: Value, draw: random.Random
) -> str:
    """Why none of some walks in which the parameter has this value gives an arm, or empty."""
    said = ""
    for _ in range(_WALKS):
        changes = walk(space, lambda met, parameter: _leading_to(name, value, met, parameter, draw))
        try:
            candidate(baseline, changes, name="candidate")
        except StudyError as error:
            said = said or "; ".join(mistake.message for mistake in error.mistakes)
        else:
            return ""
    return said.replace("arm 'candidate': ", "")


def _leading_to(name: str, value: Value, met: str, parameter: Parameter, draw: random.Random) -> Value:
    """What the parameter `met` is decided to be on the way to `name` at `value`; at random where it leads nowhere."""
    if met == name:
        return value
    if isinstance(parameter, Choice):
        for place, text in enumerate(parameter.labels):
            inside = within(met, text)
            if name == inside or name.startswith(f"{inside}."):
                return place
    elif met.endswith(".repeat") and name.startswith(met.removesuffix("repeat")):
        return parameter.high
    return _drawn(parameter, draw)


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
    nodes: Sequence[Node],
    searches: Sequence[Search],
    *,
    names: Sequence[str],
    arms: Mapping[str, Arm],
    questions: Collection[str],
) -> Iterator[Mistake]:
    """Unknown baselines, ids given twice, spaces of which some part cannot be built. `questions` are ids taken already."""
    first: dict[str, Node] = {}
    for node, search in zip(nodes, searches, strict=True):
        entries = node.entries or {}
        subject = f"search {shortened(search.id)!r}: "
        if search.id in first:
            message = f"{subject}this id is given twice, first at {first[search.id].where}"
            yield Mistake(where=entries["id"].where, message=message)
        if search.id in questions:
            message = f"{subject}a question has this id; give the search one of its own"
            yield Mistake(where=entries["id"].where, message=message)
        first.setdefault(search.id, entries["id"])
        unknown = [path for path in search.space if path.partition(".")[0] not in ArmSettings.model_fields]
        if search.baseline not in names:
            hint = did_you_mean(search.baseline, names) or f"; arms here: {shortened(', '.join(names))}"
            message = f"{subject}baseline names an unknown arm {shortened(search.baseline)!r}{hint}"
            yield Mistake(where=entries["baseline"].where, message=message)
        elif unknown:
            hint = did_you_mean(unknown[0], tuple(ArmSettings.model_fields))
            message = f"{subject}space: {unknown[0]!r} is no setting of an arm{hint}"
            yield Mistake(where=entries["space"].where, message=message)
        elif others := [path for path in _paths(search.space) if changes_what_is_judged_on(path)]:
            message = (
                f"{subject}space: {', '.join(others)} changes the images that a network is judged on, so that a better figure "
                "would mean nothing; leave it out"
            )
            yield Mistake(where=entries["space"].where, message=message)
        elif why := impossible(search, arms):
            yield Mistake(where=entries["space"].where, message=f"{subject}space: {why}")
