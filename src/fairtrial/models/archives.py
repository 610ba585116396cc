"""Entries of a zip file that somebody gave: never more than was allowed, however far they would swell."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from fairtrial.errors import FairtrialError

LARGEST_DIRECTORY = 4 * 2**20
LARGEST_JSON = 16 * 2**20
_END, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"


_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What these programs write; others would take memory as large as the file says before anything is read."""


def entry(path: Path, name: str, *, largest: int) -> bytes | None:
    """The content of an entry; one that ends with `/name` in a folder will do. None if there is none.

    Raises FairtrialError for what is no zip file, is damaged, or holds more than `largest` bytes there.
    """
    with entries(path) as content_of:
        return content_of(name, largest)


@contextmanager
def entries(path: Path) -> Generator[Callable[[str, int], bytes | None]]:
    """The same for several entries of one file, whose list is read once: a function of a name and the most bytes."""
    with ExitStack() as stack:
        with _explained(path):
            _check_directory(path)
            archive = stack.enter_context(zipfile.ZipFile(path))
            whole = {one: one for one in archive.namelist()}
            # The first of a name counts; an entry of exactly that name goes before one in a folder.
            inside = {one.rpartition("/")[2]: one for one in reversed(whole)}

        def content_of(name: str, largest: int) -> bytes | None:
            base = name.rpartition("/")[2]
            found = whole.get(name)
            if found is None and inside.get(base, "").endswith(f"/{name}"):
                found = inside[base]
            if found is None:
                return None
            with _explained(path):
                if archive.getinfo(found).compress_type not in _PACKED:
                    raise zipfile.BadZipFile("it is packed in a way that is not read here")
                with archive.open(found) as file:
                    content = file.read(max(0, largest) + 1)
            if len(content) > largest:
                raise FairtrialError(f"{path}: {name} in it is larger than {largest} bytes")
            return content

        yield content_of


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except (
        OSError, EOFError, ValueError, RuntimeError, NotImplementedError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        reason = getattr(error, "strerror", None) or str(error)[:100] or type(error).__name__
        raise FairtrialError(f"{path}: it is no whole zip file ({reason})") from None


def parsed(content: bytes | str, where: str) -> Any:
    """A JSON document. Raises FairtrialError for one that is none, is too deep or too large."""
    if len(content) > LARGEST_JSON:
        raise FairtrialError(f"{where}: it is larger than {LARGEST_JSON} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:100]
        if isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            reason = "a number in it has too many digits"
        raise FairtrialError(f"{where}: it is no JSON ({reason})") from None


def _check_directory(path: Path) -> None:
    """The list of entries is read whole before any of them: its size stands at the end of the file."""
    if not path.is_file():
        raise OSError(22, "it is no file")
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_600))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("it has no list of entries")
        claimed = struct.unpack("<L", tail[at + 12 : at + 16])[0]
        if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
            file.seek(min(struct.unpack("<Q", tail[at - 12 : at - 4])[0], size))
            record = file.read(56)
            claimed = struct.unpack("<Q", record[40:48])[0] if len(record) == 56 else 2**63
    if claimed > LARGEST_DIRECTORY:
        raise zipfile.BadZipFile("it has too many entries")
