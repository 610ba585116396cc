"""A study without a file: one setting, several values, the first of them the baseline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

from fairtrial.errors import Mistake, StudyError
from fairtrial.study import studyfile
from fairtrial.study.arms import ABOUT, owner
from fairtrial.study.factors import differences
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.overrides import HEAD
from fairtrial.study.paths import layer_paths, setting_paths
from fairtrial.study.program import Program
from fairtrial.study.schema import SCHEMA, Arm, ArmSettings, Metric, On, Study
from fairtrial.study.spelling import flow, head, spelled
from fairtrial.study.tree import Node, from_python, plain, shortened
from fairtrial.study.yamltree import from_yaml

BASE = "width"
"""The built-in study whose base is departed from unless another is named."""

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The study that was asked for, and the mapping a study file of it would hold."""

    study: Study
    document: Tree
    path: str


def values_from_text(path: str, texts: Sequence[str]) -> tuple[Node, ...]:
    """The values of a command line, each read as a study file would read it.

    Raises StudyError for one that is not YAML.
    """
    found: list[Node] = []
    for text in texts:
        where = _where(path, text)
        node = from_yaml(text, where=lambda _line, where=where: where)
        if node is None:
            raise StudyError([Mistake(where=where, message="there is no value")])
        found.append(node)
    return tuple(found)


def values_from_python(path: str, values: Sequence[object]) -> tuple[Node, ...]:
    return tuple(from_python(value, where=_where(path, str(value))) for value in values)


def ask(
    path: str,
    values: Sequence[Node],
    *,
    base: str | Path = BASE,
    start: str | None = None,
    sets: Sequence[str] = (),
    metrics: Sequence[str] = ("accuracy",),
    on: Sequence[str] = ("validation",),
) -> Asked:
    """The study that trains `path` at each of `values` and asks of each what it does against the first.

    It departs from the base of the study `base` (a file or a built-in), or from its arm `start`, with `sets`
    applied; seeds, margins and confidence are that study's. Raises StudyError with every mistake in path and
    values, in the words a study file would get.
    """
    path = path.strip().removeprefix("base.")
    _refuse_what_no_arm_has(path)
    _refuse_unknown("metric", metrics, get_args(Metric))
    _refuse_unknown("on", on, get_args(On))
    if len(values) < 2:
        message = "give at least two values, the baseline first, such as `network.mlp.width 50 200`"
        raise StudyError([Mistake(where=_where(path, *map(_text, values)), message=message)])
    start_from = _start(path, base, start, sets)
    departures = dict(zip(_names(path, values), values, strict=True))
    arms = _one_by_one(start_from, path, departures)
    _refuse_the_same_twice(departures, arms)
    questions = _questions(
        path, departures, arms, metrics=tuple(dict.fromkeys(metrics)), on=tuple(dict.fromkeys(on))
    )
    return Asked(
        path=path,
        study=_study(start_from, path, departures, questions),
        document={
            **start_from,
            "arms": {name: {path: plain(value)} for name, value in departures.items()},
            "questions": questions,
        },
    )


def _where(path: str, *values: str) -> str:
    return " ".join(["ask", shortened(path), *(shortened(value) for value in values)])


def _text(value: Node) -> str:
    return shortened(flow(plain(value)) if value.entries is not None or not value.text else value.text)


def _refuse_what_no_arm_has(path: str) -> None:
    first = path.partition(".")[0]
    if first in HEAD and first not in ABOUT:
        remedy = f"give it as `--set {path}=VALUE`, and ask about a setting of an arm"
    elif first in (*ABOUT, "from", "arms", "questions"):
        remedy = "ask about a setting of an arm"
    else:
        return
    known = ", ".join(sorted(ArmSettings.model_fields, key=lambda name: name in Program.model_fields))
    message = f"{shortened(path)} changes nothing that is trained; {remedy}: {known}"
    raise StudyError([Mistake(where=_where(path), message=message)])


def _refuse_unknown(what: str, given: Sequence[str], allowed: Sequence[str]) -> None:
    wrong = [one for one in given if one not in allowed]
    if wrong or not given:
        got = ", ".join(repr(shortened(one)) for one in wrong) or "nothing"
        hint = did_you_mean(wrong[0], allowed) if wrong else ""
        raise StudyError(f"{what} must be one of {', '.join(allowed)}, got {got}{hint}")


def _start(path: str, base: str | Path, start: str | None, sets: Sequence[str]) -> Tree:
    """Everything of the document but arms and questions."""
    whole = studyfile.load_base(base, sets=sets) if start is None else studyfile.load(base, sets=sets)
    name = start or next(iter(whole.arms))
    if name not in whole.arms:
        hint = did_you_mean(name, whole.arms) or f"; its arms: {shortened(', '.join(whole.arms))}"
        raise StudyError(f"study {whole.name!r} has no arm {shortened(name)!r} to start from{hint}")
    settings = spelled(whole.arms[name].settings)
    data = settings.pop("data", None)
    return {
        "schema": SCHEMA,
        "name": f"ask-{_last(path)}",
        "title": f"What does {shortened(path)} do?",
        **({"data": data} if data else {}),
        **({"base": settings} if settings else {}),
        **head(whole),
    }


def _last(path: str) -> str:
    last = path.rpartition(".")[2]
    return last if re.fullmatch(r"[A-Za-z0-9_-]{1,30}", last) else "value"


def _names(path: str, values: Sequence[Node]) -> list[str]:
    """`width-50`, `kernel-5x3`, `learning_rate-cosine`; with its place where that says nothing or is taken."""
    names: list[str] = []
    for place, value in enumerate(values, start=1):
        if value.entries is not None:
            text = "-".join(value.entries)
        else:
            text = "x".join(_text(one) for one in value.items or (value,))
        name = f"{_last(path)}-{text if re.fullmatch(r'[A-Za-z0-9_.+-]{1,30}', text) else place}"
        names.append(name if name not in names else f"{name}-{place}")
    return names


def _study(start_from: Tree, path: str, departures: Mapping[str, Node], questions: Sequence[Tree]) -> Study:
    where = _where(path)
    arms = {name: Node(value={path: value}, where=value.where) for name, value in departures.items()}
    entries = {
        **(from_python(start_from, where="").entries or {}),
        "arms": Node(value=arms, where=where),
        "questions": from_python(questions, where=where),
    }
    return studyfile.study_from_tree(Node(value=entries, where=where), name="ask")


def _one_by_one(start_from: Tree, path: str, departures: Mapping[str, Node]) -> dict[str, Arm]:
    """Each arm by itself, so that a mistake in the path is said once and not once for each value."""
    arms: dict[str, Arm] = {}
    mistakes: dict[str, Mistake] = {}
    for name, value in departures.items():
        try:
            arms[name] = _study(start_from, path, {name: value}, ()).arms[name]
        except StudyError as error:
            for mistake in error.mistakes:
                message = mistake.message.removeprefix(f"{owner(name)}: ")
                mistakes.setdefault(message, Mistake(where=mistake.where, message=message))
    if mistakes:
        raise StudyError(tuple(mistakes.values()))
    return arms


def _refuse_the_same_twice(departures: Mapping[str, Node], arms: Mapping[str, Arm]) -> None:
    for one, other in combinations(arms, 2):
        if not differences(arms[one], arms[other]):
            first, second = departures[one], departures[other]
            message = f"is the same setting as {_text(first)}; there is nothing to compare"
            raise StudyError([Mistake(where=second.where, message=message)])


def _questions(
    path: str,
    departures: Mapping[str, Node],
    arms: Mapping[str, Arm],
    *,
    metrics: Sequence[str],
    on: Sequence[str],
) -> list[Tree]:
    baseline, *variants = departures
    found: list[Tree] = []
    for variant in variants:
        factors = _factors(path, arms[variant], arms[baseline])
        values = [_text(departures[name]) for name in (variant, baseline)]
        found.append(
            {
                "id": re.sub(r"[^A-Za-z0-9_.+-]+", "-", variant).lstrip(".+-"),
                "ask": f"What does {shortened(path)} {values[0]} do, against {values[1]}?",
                "variant": variant,
                "baseline": baseline,
                **({"factors": factors} if factors else {}),
                "metrics": list(metrics),
                "on": list(on),
            }
        )
    return found


def _factors(path: str, variant: Arm, baseline: Arm) -> list[str]:
    """What is meant to differ, as a question may name it: the path, or where no factor is called so, what does."""
    if path in setting_paths().union(layer_paths(variant), layer_paths(baseline)):
        return [path]
    paths = [one.path for one in differences(variant, baseline)]
    return paths if len(paths) == 1 else []
