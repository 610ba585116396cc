"""One input into one parser: what came of it, in how much time and memory, and what was wrong with that."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import mutating
from parsers import PARSERS, PLACED, Parser

from fairtrial.errors import FairtrialError

MEMORY_BYTES = 768 * 2**20
"""More than the process has when it begins: what a parser may take for one input."""
SECONDS = 20
"""Of the processor, within which each input is refused or read, coverage measured and all."""
PATIENCE = 120
"""By the clock: other programs may want the processor, but nothing may wait for ever."""
LONGEST_MESSAGE = 6_000
FOREIGN = (
    "Traceback",
    "pydantic",
    "ruamel",
    "NoneType",
    "object at 0x",
    "<class ",
    "validation error",
    "sqlite3.",
)


class TooLong(BaseException):
    """No Exception: nothing that handles errors must handle this one."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    parser: str
    what: str
    begins: str
    content: bytes = b""


@dataclass(kw_only=True)
class Report:
    """What became of one parser's inputs."""

    parser: str
    inputs: int = 0
    refused: int = 0
    read: int = 0
    steps: int = 0
    slowest_seconds: float = 0.0
    most_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)


def attempt(parser: Parser, content: bytes, folder: Path) -> tuple[str, str]:
    """(`read` | `refused` | what is wrong with it, what was said)."""
    try:
        parser.read(content, folder)
    except FairtrialError as error:
        return complaint(str(error), folder) or "refused", str(error)
    except TooLong:
        return f"has not ended after {PATIENCE} s", ""
    except MemoryError:
        return "asked for more memory than there is", ""
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we look for
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if "fairtrial" in one.filename] or list(frames)
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
        return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}", ""
    return "read", ""


def complaint(said: str, folder: Path) -> str:
    """What is wrong with a message; empty where a reader can use it."""
    try:
        said.encode()
    except UnicodeEncodeError:
        return "the message cannot be printed"
    if len(said.strip()) < 10:
        return f"the message says nothing: {said!r}"
    if len(said) > LONGEST_MESSAGE and len(said.splitlines()) < 30:
        return f"the message has {len(said)} characters"
    if max(map(len, said.splitlines())) - len(str(folder)) > 1_500:
        return "the message has a line that nobody reads"
    without = said.replace(str(folder), "")
    if foreign := [word for word in FOREIGN if word in without]:
        return f"the message speaks of {foreign[0]}: {said[:200]}"
    if re.search("[\x00-\x08\x0b-\x1f\x7f]", said):
        return f"the message holds a control character: {said[:200]!r}"
    return ""


def fuzz(
    parser: Parser,
    folder: Path,
    *,
    whole: Sequence[bytes],
    bombs: Iterable[tuple[str, bytes]],
    seed: int,
    until: Callable[[int], bool],
    last: Path | None = None,
) -> Report:
    """Bombs, places and changed inputs until `until` says so of their number. `last` is where each input is left."""
    report = Report(parser=parser.name)
    rng = random.Random(f"{parser.name} {seed}")
    corpus, seen = mutating.Corpus(inputs=list(whole), words=parser.words, rng=rng), mutating.Seen()

    def one(content: bytes, called: str, *, trace: bool) -> None:
        if last is not None:
            last.write_bytes(content)
        own = folder / "own"
        own.mkdir(exist_ok=True)
        came: list[tuple[str, str]] = []
        began = time.process_time()
        with alarm(PATIENCE):
            if trace:
                new = seen.new_in(lambda: came.append(attempt(parser, content, own)))
            else:
                came.append(attempt(parser, content, own))
                new = False
        _count(report, came[0][0], called, content, time.process_time() - began)
        if new:
            corpus.keep(content)

    for content in whole:
        one(content, "a whole input", trace=True)
    for name, content in bombs:
        one(content, f"bomb: {name}", trace=False)
    for name in places(parser, folder / "own"):
        one(whole[0], f"in its place {name}", trace=False)
    while not until(report.inputs):
        # To watch every line takes several times as long: one input in three shows where to go on.
        one(corpus.another(), "", trace=report.inputs % 3 == 0)
    report.steps = len(seen.steps)
    return report


def _count(report: Report, came: str, called: str, content: bytes, seconds: float) -> None:
    report.inputs += 1
    report.slowest_seconds = max(report.slowest_seconds, seconds)
    if seconds > SECONDS:
        came = f"took {seconds:.0f} s"
    if came == "refused":
        report.refused += 1
    elif came == "read":
        report.read += 1
    elif came not in {one.what for one in report.failures} and len(report.failures) < 50:
        begins = called or ascii(content[:60])
        report.failures.append(
            Failure(parser=report.parser, what=came, begins=begins, content=content[:100_000])
        )


def places(parser: Parser, folder: Path) -> Iterator[str]:
    """Everything else that can stand where a file is expected, one after the other."""
    if not parser.file:
        return
    path = folder / parser.file
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)

    def bound() -> None:
        here = Path.cwd()
        os.chdir(path.parent)  # an address has 107 bytes at most
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)

    for name, put in (
        ("a folder", path.mkdir), ("a pipe without a writer", lambda: os.mkfifo(path)), ("an endless device", lambda: path.symlink_to("/dev/zero")),
        ("an empty device", lambda: path.symlink_to("/dev/null")), ("a link to itself", lambda: path.symlink_to(path.name)),
        ("a link to nowhere", lambda: path.symlink_to("nowhere")), ("a socket", bound),
        ("a hole of a terabyte", lambda: os.truncate(_touched(path), 2**40)), ("the memory of a process", lambda: path.symlink_to("/proc/self/mem")),
    ):  # fmt: skip
        _clear(path)
        try:
            put()
        except OSError:  # not on this system
            continue
        PLACED.add(path)
        yield name
    PLACED.clear()
    _clear(path)
    listener.close()


def _touched(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def alarm(seconds: float) -> Generator[None]:
    """TooLong in the midst of it after so many seconds."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory() -> None:
    """From now on this process gets so much more, and no more; its peak is counted anew."""
    limit = memory("VmSize") + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def memory(of: Literal["VmSize", "VmRSS", "VmHWM"]) -> int:
    """Bytes of this process: addresses, memory in use, its peak."""
    return int(re.findall(rf"{of}:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


def main() -> None:
    """`attempting.py PARSER SEED SECONDS LAST`: a report as JSON on standard output."""
    name, seed, seconds, last = sys.argv[1:]
    (parser,) = (one for one in PARSERS if one.name == name)
    with tempfile.TemporaryDirectory() as folder:
        whole, bombs = list(parser.begin(Path(folder))), list(parser.bombs())
        limit_memory()
        resident = memory("VmRSS")
        deadline = time.monotonic() + float(seconds)
        report = fuzz(
            parser,
            Path(folder),
            whole=whole,
            bombs=bombs,
            seed=int(seed),
            until=lambda _: time.monotonic() > deadline,
            last=Path(last),
        )
        report.most_bytes = max(0, memory("VmHWM") - resident)
    body = asdict(report)
    body["failures"] = [{**asdict(one), "content": one.content.hex()} for one in report.failures]
    sys.stdout.write(json.dumps(body))


if __name__ == "__main__":
    main()
