"""Blocks of a document that a program writes anew: what stands between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairtrial.errors import FairtrialError


def surroundings(path: Path, name: str) -> tuple[str, str]:
    """What stands before and after the block `name`, its marks included.

    Raises FairtrialError unless the file holds it exactly once: ask before minutes are spent on its content.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FairtrialError(f"{path} cannot be read: {error.strerror}") from None
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise FairtrialError(f"{path}: expected one {begin} and, after it, one {end}")
    before, rest = text.split(begin)
    return before + begin, end + rest.split(end)[1]


def write_block(path: Path, around: tuple[str, str], lines: Sequence[str]) -> None:
    """The file with `lines` between the marks of `surroundings`."""
    path.write_text("\n".join([around[0], *lines, around[1]]), encoding="utf-8")
