"""An arm with the user's own files that it is made of, and what is wrong with them."""

from __future__ import annotations

import keyword
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fairtrial.errors import Mistake, StudyError
from fairtrial.study import commands
from fairtrial.study.factories import factory_sources
from fairtrial.study.schema import Arm
from fairtrial.study.sources import Sources
from fairtrial.study.tree import Node


def with_sources(arm: Arm, tree: Node, folder: Path, mistakes: list[Mistake]) -> Arm:
    """The arm with its files hashed, from `folder` on; what is wrong is added to `mistakes` at the value at fault."""
    settings = arm.settings
    if arm.is_command:
        node = _at(tree, "command")
        try:
            commands.checked(settings)
            return _at_home(arm, commands.command_sources(settings, folder), folder)
        except StudyError as error:
            files = str(error).startswith("files:")
            mistakes.append(
                _mistake(arm, _at(tree, "files") if files else node, "" if files else "command: ", error)
            )
    elif settings.network.python is not None:
        node = _at(tree, "network", "python")
        try:
            _check_arguments(arm)
            return _at_home(arm, factory_sources(settings.network.python, folder), folder)
        except StudyError as error:
            mistakes.append(_mistake(arm, node, "network.python: ", error))
    return arm


def _at_home(arm: Arm, sources: Sources, folder: Path) -> Arm:
    return replace(arm, sources=replace(sources, home=str(folder)))


def looked_for(arms: Mapping[str, Arm]) -> dict[str, Arm]:
    """The arms of a study made in Python, with the files of those that were not looked for, from the current folder on.

    Raises StudyError for a file that is not there.
    """
    mistakes: list[Mistake] = []
    found = {
        name: with_sources(arm, Node(value={}, where="", owner=f"arm {name!r}"), Path.cwd(), mistakes)
        if arm.sources is None and (arm.is_command or arm.is_module)
        else arm
        for name, arm in arms.items()
    }
    if mistakes:
        raise StudyError(mistakes)
    return found


def _check_arguments(arm: Arm) -> None:
    for name in arm.settings.network.arguments.as_dict():
        if not name.isidentifier() or keyword.iskeyword(name):
            raise StudyError(f"{name!r} is no name of an argument in Python")
    if arm.settings.precision == "bfloat16":
        raise StudyError("a network of your own is trained in float32; leave precision at auto")


def _at(tree: Node, *path: str) -> Node:
    for part in path:
        tree = (tree.entries or {}).get(part, tree)
    return tree


def _mistake(arm: Arm, node: Node, subject: str, error: StudyError) -> Mistake:
    owner = f"{node.owner}: " if node.owner else ""
    return Mistake(where=node.where, message=f"{owner}{subject}{error}")


def line_at_fault(error: BaseException, folder: str, when: str) -> str:
    """What went wrong in the user's code, with the line of it that was last."""
    at = ""
    if isinstance(error, SyntaxError) and error.filename:
        at = f"{Path(error.filename).name}:{error.lineno}: "
    else:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith(folder)]
        if frames:
            last = frames[-1]
            line = f" ({last.line})" if last.line else ""
            at = f"{Path(last.filename).name}:{last.lineno}, in {last.name}{line}: "
    first = str(error).strip().split("\n")[0][:300]
    return f"{at}{type(error).__name__}: {first}, {when}" if first else f"{at}{type(error).__name__}, {when}"
