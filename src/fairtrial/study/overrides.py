"""`--set PATH=VALUE`: settings given beside a study file, by the paths of that file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.merge import departed, expanded
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.paths import elsewhere
from fairtrial.study.schema import ArmSettings
from fairtrial.study.tree import Node, owned, shortened
from fairtrial.study.yamltree import from_yaml

HEAD = ("schema", "name", "title", "seeds", "confidence", "margins")
LONGEST = 20_000
"""Characters of one `--set`: whoever sets more than a value needs a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What was set, sorted by what it concerns; each node is a mapping of departures."""

    head: tuple[Node, ...] = ()
    base: tuple[Node, ...] = ()
    arms: Mapping[str, tuple[Node, ...]] = field(default_factory=dict[str, tuple[Node, ...]])
    questions: Mapping[str, tuple[Node, ...]] = field(default_factory=dict[str, tuple[Node, ...]])


def overrides(
    sets: Sequence[str], *, arms: Sequence[str], questions: Sequence[str], mistakes: list[Mistake]
) -> Overrides:
    """Each of `sets` read, its value as YAML, and given its place.

    `data.split=reshuffled`, `base.epochs=2` and its short form `epochs=2` set the base: they do
    not reach an arm that departs from the same path itself. `arms.wide.epochs=3` sets an arm,
    `questions.Q1.goal=not_worse` a question by its id, `seeds.max=10` the study. Of two that set
    the same path the later counts. `arms` and `questions` are the names there are.
    """
    head: list[Node] = []
    base: list[Node] = []
    of_arms: dict[str, tuple[Node, ...]] = {}
    of_questions: dict[str, tuple[Node, ...]] = {}
    for text in sets:
        where = f"--set {shortened(text.encode('utf-8', 'backslashreplace').decode())}"
        try:
            path, value = _read(text, where)
            first, _, rest = path.partition(".")
            if first == "arms":
                name, departures = _within("arm", rest, value, arms)
                departures = owned(departures, f"arm {shortened(name)!r}")
                of_arms[name] = (*of_arms.get(name, ()), departures)
            elif first == "questions":
                name, departures = _within("question", rest, value, questions)
                of_questions[name] = (*of_questions.get(name, ()), departures)
            elif first == "base":
                base.append(_body(rest, value))
            elif first == "data" or first in ArmSettings.model_fields:
                base.append(_body(path, value))
            elif first in HEAD:
                head.append(_body(path, value))
            else:
                known = (*HEAD, *ArmSettings.model_fields, "base", "arms", "questions")
                hint = elsewhere(path) or did_you_mean(first, known) or f"; known are {', '.join(known)}"
                raise _refused(where, f"unknown setting {shortened(path)!r}{hint}")
        except StudyError as error:
            mistakes.extend(error.mistakes)
    return Overrides(head=tuple(head), base=tuple(base), arms=of_arms, questions=of_questions)


def overlaid(node: Node, bodies: Sequence[Node], mistakes: list[Mistake]) -> Node:
    """A part of the file that is no arm, with what was set laid over it."""
    for body in bodies:
        node = departed(node, expanded(body, mistakes), mistakes)
    return node


def _read(text: str, where: str) -> tuple[str, Node]:
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not path:
        raise _refused(where, "give it as PATH=VALUE, such as epochs=2")
    if len(text) > LONGEST:
        raise _refused(where, f"is longer than {LONGEST} characters; write it into the study file")
    node = from_yaml(value, where=_always(where))
    if node is None:
        raise _refused(where, f"there is no value after {shortened(path)}=")
    return path, node


def _always(where: str) -> Callable[[int], str]:
    return lambda _line: where


def _body(path: str, value: Node) -> Node:
    """`path: value` as a mapping of departures; a mapping set as a whole is one itself."""
    if path:
        return replace(value, value={path: value}, implied=False)
    if value.entries is None:
        raise _refused(value.where, f"must be a mapping of settings here, got {value.shown()}")
    return value


def _within(kind: str, path: str, value: Node, names: Sequence[str]) -> tuple[str, Node]:
    """The arm or question that `path` begins with, which may itself hold dots, and what is set in it."""
    named = [name for name in names if path == name or path.startswith(f"{name}.")]
    if not named:
        first = path.partition(".")[0]
        hint = did_you_mean(path, names) or did_you_mean(first, names)
        hint = hint or f"; known are {shortened(', '.join(names))}"
        raise _refused(value.where, f"unknown {kind} {shortened(first)!r}{hint}")
    name = max(named, key=len)
    return name, _body(path[len(name) + 1 :], value)


def _refused(where: str, message: str) -> StudyError:
    return StudyError([Mistake(where=where, message=message)])
