"""Files of the catalogue from the internet: several mirrors, checked, cut-off downloads continued.

The only module that downloads. pooch takes care that a file appears whole or not at all, and only with the published
checksum; that the next mirror is tried, and that a download goes on where it was cut off, is ours.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from fairtrial.errors import DataError, printable
from fairtrial.images import cache

OFFLINE, MIRROR = "FAIRTRIAL_OFFLINE", "FAIRTRIAL_MIRROR"
CONNECT_SECONDS, SILENCE_SECONDS = 10, 30
LARGEST_UNKNOWN = 2**26
"""Bytes that a file may have whose size nobody has published."""

_PIECE = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A published file: where it is to be had, and how to tell that it is the one.

    `sha256` where somebody has published it, otherwise `md5`; `size` in bytes, None where it is not published.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str = ""
    md5: str = ""
    size: int | None = None

    @property
    def checksum(self) -> str:
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"


def downloads(folder: str) -> Path:
    """Where downloaded files of a data set are kept. Raises DataError for a user without a home."""
    try:
        return cache.folder() / "downloads" / folder
    except RuntimeError:
        raise DataError(
            "there is no folder for downloads: this user has no home; set FAIRTRIAL_CACHE to a folder"
        ) from None


def fetched(files: tuple[File, ...], *, dataset: str, folder: str, also: str = "") -> dict[str, Path]:
    """The files by name: those that are there already, and the others downloaded.

    Raises DataError with the way to do it by hand when one cannot be had; `also` is a further way.
    """
    place = downloads(folder)
    found: dict[str, Path] = {}
    for file in files:
        target = place / file.name
        reasons = [] if is_whole(target, file) else _fetch(file, target, dataset, folder)
        if not is_whole(target, file):
            raise DataError(_by_hand(dataset, files, place, reasons, also))
        found[file.name] = target
    return found


def is_whole(path: Path, file: File) -> bool:
    """Whether this is the published file, byte for byte."""
    try:
        if file.size is not None and path.stat().st_size != file.size:
            return False
        digest = hashlib.sha256() if file.sha256 else hashlib.md5(usedforsecurity=False)
        with path.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == (file.sha256 or file.md5)


def is_offline() -> bool:
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "no", "false", "off")


def _fetch(file: File, target: Path, dataset: str, folder: str) -> list[str]:
    """Why no mirror had it; nothing if one had."""
    if is_offline():
        return [f"{OFFLINE} is set, so nothing is downloaded"]
    try:
        import pooch  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return ["downloading needs pooch, which is not installed: pip install 'fairtrial[images]'"]
    if not re.match("https?://", own := _own_mirror() or "http://"):
        return [f"{MIRROR} must begin with http:// or https://, got {printable(own)[:80]!r}"]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_kept(dataset, error, target.parent) from None
    retrieve = cast("Callable[..., object]", pooch.retrieve)  # pyright: ignore[reportUnknownMemberType]
    pooch.get_logger().setLevel("WARNING")  # where from and where to is said by the bar
    reasons: list[str] = []
    for url in _urls(file, folder):
        try:
            # The second attempt begins anew: what was continued may have been of another file.
            for attempt in (1, 2):
                partly = _part(target).exists()
                try:
                    retrieve(
                        url, file.checksum, fname=target.name, path=target.parent,
                        downloader=partial(_download, file=file, part=_part(target), what=f"{dataset}: {file.name}"),
                    )  # fmt: skip
                    return []
                except ValueError as error:
                    _part(target).unlink(missing_ok=True)
                    if attempt == 2 or not partly:
                        raise _Refused(
                            "what it sends is not the published file (its checksum differs)"
                        ) from error
        except _NotKept as error:
            raise _not_kept(dataset, error.reason, target.parent) from None
        except (OSError, _Refused) as error:  # a RequestException is an OSError
            reasons.append(f"{url}: {_why(error)}")
    return reasons


class _Refused(Exception):
    """What a mirror sends cannot be the file."""


class _NotKept(Exception):
    """What came could not be written here: no other mirror would help."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _not_kept(dataset: str, reason: OSError, folder: Path) -> DataError:
    return DataError(
        f"{dataset}: its files cannot be kept in {folder} ({reason.strerror or reason}); make room there, or set "
        "FAIRTRIAL_CACHE to a folder elsewhere that can be written to, and run the command again. What came so far is kept"
    )


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _urls(file: File, folder: str) -> Iterator[str]:
    if own := _own_mirror():
        yield f"{own.rstrip('/')}/{folder}/{file.name}"
    yield from file.urls


def _own_mirror() -> str:
    return os.environ.get(MIRROR, "").strip()


def _download(url: str, output: str, _pooch: object, *, file: File, part: Path, what: str) -> None:
    """Download to `part`, going on from what is there, and put it at `output`. As pooch wants a downloader to be."""
    import requests

    there = part.stat().st_size if part.exists() else 0
    if file.size is not None and there > file.size:
        there = 0
    if file.size is None or there < file.size:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={there}-"} if there else {})}
        answer = requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, SILENCE_SECONDS))
        with answer:
            if answer.status_code == 416:  # there is nothing beyond what is here
                part.unlink(missing_ok=True)
                raise _Refused(
                    "it has less of the file than was downloaded before; what was there is discarded"
                )
            answer.raise_for_status()
            if answer.status_code != 206:
                there = 0  # the server sends the whole whatever is asked
            _keep(answer.iter_content(_PIECE), part, there, file, what)
    try:
        shutil.move(part, output)
    except OSError as error:
        raise _NotKept(error) from error


def _keep(pieces: Iterator[bytes], part: Path, there: int, file: File, what: str) -> None:
    most = LARGEST_UNKNOWN if file.size is None else file.size
    size = there
    bar = _bar(what, file.size, there)
    try:
        with _writing(part, there) as write:
            for piece in pieces:
                size += len(piece)
                if size > most:
                    raise _Refused(f"it sends more than the {most:,} bytes that the file has")
                write(piece)
                bar(len(piece))
    except _Refused:
        part.unlink(missing_ok=True)
        raise
    finally:
        bar(None)
    if file.size is not None and size < file.size:
        raise _Refused(
            f"the connection ended after {size:,} of {file.size:,} bytes; the next attempt goes on from there"
        )


@contextmanager
def _writing(part: Path, there: int) -> Generator[Callable[[bytes], None]]:
    """Writes on from `there`. Raises _NotKept where the disk does not take it; what the network raises passes through."""
    try:
        out = part.open("r+b" if there else "wb", buffering=0)
    except OSError as error:
        raise _NotKept(error) from error

    def write(piece: bytes) -> None:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[out.write(rest) or 0 :]
        except OSError as error:
            raise _NotKept(error) from error

    with out:
        out.seek(there)
        out.truncate()
        yield write


def _bar(what: str, total: int | None, there: int) -> Callable[[int | None], None]:
    """A progress bar on standard error; in a log, where nothing can be redrawn, a line every half minute."""
    from tqdm import tqdm

    bar: Any = tqdm(
        total=total, initial=there, desc=what, unit="B", unit_scale=True, file=sys.stderr,
        mininterval=0.2 if sys.stderr.isatty() else 30,
    )  # fmt: skip

    def advance(count: int | None) -> None:
        bar.close() if count is None else bar.update(count)

    return advance


def _by_hand(dataset: str, files: tuple[File, ...], place: Path, reasons: list[str], also: str) -> str:
    """What went wrong, and the way out for whoever can fetch files elsewhere."""
    lines = [
        f"{dataset} is not here and could not be fetched:",
        *(f"  {reason}" for reason in reasons),
        f"To do it by hand, put {'this file' if len(files) == 1 else 'these files'} into {place} and run the command again:",
    ]
    for file in files:
        size = "" if file.size is None else f"{file.size:,} bytes, "
        kind = "SHA-256" if file.sha256 else "MD5"
        lines.append(f"  {file.name} ({size}{kind} {file.sha256 or file.md5})")
        lines.extend(f"    from {url}" for url in file.urls)
    return "\n".join([*lines, *([also] if also else [])])


def _why(error: BaseException) -> str:
    """In a line; the exceptions of a network repeat themselves at length."""
    text = (str(error).splitlines() or [""])[0]
    if isinstance(error, _Refused):
        return text
    cause: BaseException | None = error
    while cause is not None and (cause.__cause__ or cause.__context__) is not None:
        cause = cause.__cause__ or cause.__context__
    inner = str(cause).splitlines()[0] if cause is not None and cause is not error and str(cause) else ""
    return (inner or text or type(error).__name__)[:200]
