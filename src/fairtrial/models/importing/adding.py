"""An arm put into a study file that is there, everything else left as it was written."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fairtrial.bounded import read_bounded
from fairtrial.errors import FairtrialError, StudyError
from fairtrial.models.importing.writing import arm_lines, one_line
from fairtrial.study import studyfile
from fairtrial.study.schema import ArmSettings, Study


def added(path: Path, before: Study, name: str, body: Mapping[str, Any], *, says: str) -> tuple[Study, str]:
    """The study with the arm in it, and the lines that were added.

    Raises FairtrialError, the file left as it was, where it cannot be written or would say anything else than before.
    """
    text = _text(path)
    for written in (body, {**body, "optimizer": _in_full(body["optimizer"])}):
        newline = "\r\n" if "\r\n" in text else "\n"
        lines = text.splitlines(keepends=True)
        at, indent = _end_of_arms(text, path)
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += newline
        new = [f"{indent}# {one_line(says)}", *arm_lines(name, written, indent=indent)]
        lines[at:at] = [f"{line}{newline}" for line in new]
        study = _replaced(path, "".join(lines), before, name, _wanted(body))
        if study is not None:
            return study, "\n".join(new) + "\n"
    raise FairtrialError(f"{path}: {_paste(name, body)}")


def _text(path: Path) -> str:
    try:
        return read_bounded(path, largest=studyfile.LARGEST_FILE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FairtrialError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        ) from None


def _end_of_arms(text: str, path: Path) -> tuple[int, str]:
    """The number of lines before the place behind the last arm, and how far arms are indented there."""
    from ruamel.yaml import YAML

    root: Any = cast("Any", YAML(typ="safe", pure=True)).compose(text)
    arms = next((value for key, value in root.value if key.value == "arms"), None)
    if arms is None or arms.id != "mapping" or arms.flow_style or not arms.value:
        raise FairtrialError(
            f"{path}: its arms are not written below `arms:`, each on lines of its own, so that nobody can tell where one more "
            "belongs; import without --write and paste the arm"
        )
    end = _last(arms).end_mark
    return end.line + (end.column > 0), " " * arms.value[0][0].start_mark.column


def _last(node: Any) -> Any:
    """The innermost node with which a block ends: the block itself ends with what comes next, comments included."""
    while node.id != "scalar" and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _in_full(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """With what is at its default too, since the base of a study may have said otherwise."""
    return ArmSettings.model_validate({"optimizer": optimizer}).optimizer.model_dump(
        exclude={"learning_rate"}
    ) | {"learning_rate": optimizer["learning_rate"]}


def _wanted(body: Mapping[str, Any]) -> ArmSettings:
    return ArmSettings.model_validate(dict(body))


def _replaced(path: Path, text: str, before: Study, name: str, wanted: ArmSettings) -> Study | None:
    """The study that the new text is, once it is in place; None if the arm would be another than it should."""
    part = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part.yaml")
    try:
        part.write_bytes(text.encode())
        try:
            study = studyfile.load(part)
        except StudyError as error:
            message = str(error).replace(str(part), str(path))
            raise FairtrialError(
                f"the arm does not fit into {path}, which is left as it was: {message}"
            ) from None
        if {one: arm.settings for one, arm in study.arms.items() if one != name} != {
            one: arm.settings for one, arm in before.arms.items()
        }:
            return None
        found = study.arms[name].settings
        if (found.network.hidden(), found.optimizer) != (wanted.network.hidden(), wanted.optimizer):
            return None
        shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        raise FairtrialError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return studyfile.load(path)


def _paste(name: str, body: Mapping[str, Any]) -> str:
    lines: Sequence[str] = arm_lines(name, body, indent="  ")
    return (
        "the arm cannot be put there without changing what else the file says; it is left as it was. Paste it yourself:\n"
        + "\n".join(lines)
    )
