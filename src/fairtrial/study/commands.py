"""Command arms: a program of the user's own, run once for each trial. What a command may say, and what it comes to.

A command is split into words as a shell would split it, and then each word has its placeholders filled in: a value never
becomes two words, and no shell ever sees it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairtrial.errors import StudyError
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.own import Own
from fairtrial.study.sources import Sources, sources_of

if TYPE_CHECKING:
    from fairtrial.study.schema import ArmSettings

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
AT_RUN = ("seed", "arm", "output", "data", "settings")
"""Placeholders whose values a trial has: its number, its arm's name, folders and files made for it."""

PLACES = ("fairtrial", "python")
"""Placeholders for where fairtrial and its interpreter are: whatever machine it is, they are no part of what is run."""

ENVIRONMENT = "env."
GROUPS = ("data", "network", "optimizer", "batch_size", "epochs", "precision", "early_stopping")
"""Settings that a command may use; a group that it does not mention is not what it is trained by."""

OF_HIDDEN_LAYERS = ("network.mlp.width", "network.mlp.activation")
"""What nobody can know of a network that has none: a trial is known by its layers."""

PACKAGE = Path(__file__).resolve().parents[1]
SHELL_WORDS = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>"})


@lru_cache(maxsize=4096)
def words_of(command: str) -> tuple[str, ...]:
    """The command's words, placeholders and all. Raises StudyError for one that cannot be split."""
    if "\0" in command:
        raise StudyError("a command cannot hold the character of number 0")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise StudyError(f"the command cannot be split into words: {str(error).lower()}") from None
    if not words:
        raise StudyError("the command is empty; give one such as `python train.py --seed {seed}`")
    return words


@lru_cache(maxsize=4096)
def placeholders(command: str) -> tuple[str, ...]:
    """What stands between braces in it, each once; `{{` and `}}` are braces."""
    found = (match[1] for word in words_of(command) for match in PLACEHOLDER.finditer(word))
    return tuple(dict.fromkeys(name for name in found if name))


def groups_used(settings: ArmSettings) -> frozenset[str]:
    """Groups of settings that the command mentions; all of them where it takes `{settings}`."""
    names = placeholders(settings.command or "")
    if "settings" in names:
        return frozenset(GROUPS)
    own = settings.parameters.as_dict()
    tops = {name.partition(".")[0] for name in names if name.partition(".")[0] not in own}
    return frozenset(group for group in GROUPS if group in tops)


def checked(settings: ArmSettings) -> None:
    """Raises StudyError for a placeholder that nothing can be put in place of."""
    filled(settings, {name: name for name in AT_RUN}, environment=None)


def filled(
    settings: ArmSettings, at_run: Mapping[str, str], *, environment: Mapping[str, str] | None = os.environ
) -> tuple[str, ...]:
    """The command's words with everything in place. `environment` None leaves `{env.NAME}` as it stands.

    Raises StudyError for a name that stands for nothing here.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        if name in at_run:
            return at_run[name]
        if name in PLACES:
            return str(PACKAGE) if name == "fairtrial" else sys.executable
        if name.startswith(ENVIRONMENT):
            return match[0] if environment is None else _variable(name, environment)
        return _text(_setting(settings, name))

    return tuple(PLACEHOLDER.sub(value, word) for word in words_of(settings.command or ""))


def command_sources(settings: ArmSettings, folder: Path) -> Sources:
    """The files that a command names and the `files` listed beside it, as they are now, with what Python files import.

    Those named by where fairtrial is are its own. Raises StudyError for a listed one that is not there.
    """
    named: list[str] = []
    known = {name: f"{{{name}}}" for name in AT_RUN}
    spelled = filled(settings, known, environment=None)
    for place, word in enumerate(spelled):
        for text in dict.fromkeys((word, word.rpartition("=")[2])):
            program = place == 0 and "/" not in text
            if text and not program and _is_file(folder / text) and not _is_program(place, text):
                named.append(text)
    missing = [name for name in settings.files if not _is_file(folder / name)]
    if missing:
        raise StudyError(f"files: there is no file {missing[0]!r} in {folder}")
    found = sources_of(folder, dict.fromkeys((*named, *settings.files)))
    return Sources(folder=str(folder), files=found.files)


def files_of(sources: Sources) -> dict[str, str]:
    """Hashes by name, with fairtrial's own files named wherever it is installed."""
    package = PACKAGE.as_posix()
    return {
        f"{{fairtrial}}{name[len(package) :]}" if name.startswith(f"{package}/") else name: digest
        for name, digest in sources.files
    }


def placed(files: Mapping[str, str], folder: Path) -> Sources:
    """The other way round: the files of `files_of` as they are found from `folder` on."""
    package = PACKAGE.as_posix()
    names = {name.replace("{fairtrial}", package, 1): digest for name, digest in files.items()}
    return Sources(folder=str(folder), files=tuple(sorted(names.items())))


def shell_words(command: str) -> tuple[str, ...]:
    """Words that would mean something to a shell, and here are handed to the program as they are."""
    return tuple(word for word in words_of(command) if word in SHELL_WORDS)


def shown(settings: ArmSettings) -> str:
    """The command as one line to read, its settings in place and what a trial brings still in braces."""
    words = filled(settings, {name: f"{{{name}}}" for name in AT_RUN}, environment=None)
    plain = re.compile(r"[A-Za-z0-9_@%+=:,./{}-]+")
    return " ".join(word if plain.fullmatch(word) else shlex.quote(word) for word in words)


def missing_variables(command: str, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Environment variables that the command needs and that are not set."""
    for name in placeholders(command):
        if name.startswith(ENVIRONMENT) and not environment.get(name.removeprefix(ENVIRONMENT)):
            yield name.removeprefix(ENVIRONMENT)


def _is_program(place: int, text: str) -> bool:
    """The interpreter that a command begins with is of the machine, not of the study."""
    return place == 0 and (Path(text).is_absolute() and os.access(text, os.X_OK))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _variable(name: str, environment: Mapping[str, str]) -> str:
    variable = name.removeprefix(ENVIRONMENT)
    value = environment.get(variable)
    if not value:
        raise StudyError(
            f"the environment variable {variable} is not set, and the command begins with or needs it: "
            f"set it before you run, for example {variable}=..."
        )
    return value


def _setting(settings: ArmSettings, name: str) -> Any:
    own, group = settings.parameters, name.partition(".")[0]
    path = name.removeprefix("parameters.") if group == "parameters" else name
    try:
        return own.at(path)
    except KeyError:
        pass
    if group in GROUPS:
        found: Any = settings.model_dump(mode="json", include={group})
        for part in name.split("."):
            if not isinstance(found, dict) or part not in found:
                break
            found = found[part]  # pyright: ignore[reportUnknownVariableType]
        else:
            if (
                name in OF_HIDDEN_LAYERS
                and not settings.model_dump(include={"network"})["network"]["mlp"]["depth"]
            ):
                raise StudyError(
                    f"the command asks for {{{name}}}, and this arm has no hidden layer that it could be of: depth is 0"
                )
            if found is None:
                raise StudyError(f"the command asks for {{{name}}}, which this arm does not set")
            return found  # pyright: ignore[reportUnknownVariableType]
    groups = Own.of(settings.model_dump(mode="json", include=set(GROUPS))).flat()
    known = (*AT_RUN, *PLACES, *groups, *(f"parameters.{one}" for one in own.flat()), *own.flat())
    raise StudyError(
        f"the command asks for {{{name}}}, which is nothing that an arm has{did_you_mean(name, known)}; there are "
        f"{', '.join(f'{{{one}}}' for one in (*AT_RUN, *PLACES))}, {{env.NAME}}, every setting such as "
        "{optimizer.learning_rate}, and what `parameters:` holds"
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def settings_json(settings: ArmSettings, layers: list[dict[str, Any]]) -> str:
    """All settings of an arm for a program to read, nothing left out; the network as its layers where it has any."""
    whole = settings.model_dump(mode="json", include=set(GROUPS))
    whole["network"] = layers
    return json.dumps({**whole, "parameters": settings.parameters.as_dict()}, sort_keys=True)
