"""The user's own files that can change a trial's numbers: which they are, and what is in them.

A key holds the SHA-256 of each, so that a trial whose code has changed is another trial. Of a Python file those it imports
from its own folder are seen too, and those that they import. What is imported by a computed name, read as data
or installed elsewhere is not seen.
"""

from __future__ import annotations

import ast
import hashlib
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fairtrial.errors import StudyError

MOST_FILES = 500
LARGEST_SOURCE_BYTES = 5_000_000
LARGEST_FILE_BYTES = 2**31
"""Of a file that is named: to hash it takes a second or two."""

_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Files by the names the study gives them, from `folder` on where they are not whole paths, with their SHA-256.

    The folder is where they were found, and no part of what they are.
    """

    folder: str
    files: tuple[tuple[str, str], ...] = ()
    home: str = ""
    """The study's own folder, from which its arms name what they are made of."""

    def changed(self) -> str:
        """Which file is not what it was, in words; empty where all are."""
        for name, digest in self.files:
            try:
                now = sha256_of(Path(self.folder) / name)
            except StudyError as error:
                return f"{error} (it was there when the study was read; run from the folder that has it)"
            if now != digest:
                return (
                    f"{name} in {self.folder} is no longer what it was when the study was read; "
                    "run again, and its trials are trained anew"
                )
        return ""


def sources_of(folder: Path, names: Iterable[str]) -> Sources:
    """The files `names` within `folder`, with whatever Python files they import from beside them.

    Raises StudyError for one that cannot be read.
    """
    found: dict[str, str] = {}
    for name in names:
        path = folder / name
        found[name] = sha256_of(path)
        if path.suffix == ".py":
            for other in _imported(path):
                below = _named(other, path, name)
                found.setdefault(below, sha256_of(other))
        if len(found) > MOST_FILES:
            raise StudyError(f"{name} brings more than {MOST_FILES} files with it, too many to keep track of")
    return Sources(folder=str(folder), files=tuple(sorted(found.items())))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content. Raises StudyError where it cannot be read."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise StudyError(f"{path} is not a file")
        if about.st_size > LARGEST_FILE_BYTES:
            raise StudyError(
                f"{path} is too large to be kept track of ({about.st_size / 2**30:.1f} GiB; at most 2 GiB)"
            )
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while some := file.read(_CHUNK):
                digest.update(some)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise StudyError(f"{path} cannot be read: {reason}") from None
    return digest.hexdigest()


def _named(path: Path, beside: Path, name: str) -> str:
    """A file that another imports, called as that one is called."""
    below = path.relative_to(beside.parent).as_posix()
    folder = name.rpartition("/")[0]
    return f"{folder}/{below}" if folder else below


def _imported(path: Path) -> Iterator[Path]:
    """Python files of the folder of `path` that it imports, and that these import, each once."""
    root, waiting, seen = path.parent, [path], {path}
    while waiting:
        current = waiting.pop()
        for other in _imports(current, root):
            if other not in seen:
                if len(seen) > MOST_FILES:
                    raise StudyError(
                        f"{path} imports more than {MOST_FILES} files, too many to keep track of"
                    )
                seen.add(other)
                waiting.append(other)
                yield other


def _imports(path: Path, root: Path) -> Iterator[Path]:
    try:
        if path.stat().st_size > LARGEST_SOURCE_BYTES:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # running it will say what is wrong; its own hash is known
    package = path.parent
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield from _files_of(one.name.split("."), root)
        elif isinstance(node, ast.ImportFrom):
            base = root
            if node.level:
                base = package
                for _ in range(node.level - 1):
                    base = base.parent
                if not base.is_relative_to(root):
                    continue
            parts = node.module.split(".") if node.module else []
            yield from _files_of(parts, base)
            for one in node.names:
                yield from _files_of([*parts, one.name], base)


def _files_of(parts: list[str], base: Path) -> Iterator[Path]:
    """The file of a dotted module within `base` and of each package around it, as far as they are there."""
    at = base
    for part in parts:
        for file in (at / f"{part}.py", at / part / "__init__.py"):
            try:
                if file.is_file():
                    yield file
            except (OSError, ValueError):
                return
        at = at / part
